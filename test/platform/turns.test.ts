import { describe, expect, it } from 'vitest'
import { createTurns } from '../../src/platform/turns.ts'

function createGate() {
  let resolve = () => {}
  const promise = new Promise<void>((open) => {
    resolve = open
  })
  return { promise, resolve: () => resolve() }
}

const busy = { code: 'temporarily_unavailable', status: 503, reason: 'busy' }

describe('turns', () => {
  it('let two run at once and the rest wait in order (DS-06)', async () => {
    const takeTurn = createTurns({ atOnce: 2, waiting: 10, reason: 'busy' })
    const started: number[] = []
    const gates = Array.from({ length: 5 }, () => createGate())
    const done = gates.map(({ promise }, index) =>
      takeTurn(async () => {
        started.push(index)
        await promise
        return index
      }),
    )
    expect(started).toEqual([0, 1])
    gates[1]?.resolve()
    await done[1]
    expect(started).toEqual([0, 1, 2])
    for (const gate of gates) gate.resolve()
    expect(await Promise.all(done)).toEqual([0, 1, 2, 3, 4])
    expect(started).toEqual([0, 1, 2, 3, 4])
  })

  it('refuse with 503 when the line is full, and only then (DS-06)', async () => {
    const takeTurn = createTurns({ atOnce: 1, waiting: 1, reason: 'busy' })
    const gate = createGate()
    const running = takeTurn(() => gate.promise)
    const waiting = takeTurn(async () => 'waited')
    await expect(takeTurn(async () => 'third')).rejects.toMatchObject(busy)
    gate.resolve()
    await running
    expect(await waiting).toBe('waited')
    expect(await takeTurn(async () => 'later')).toBe('later')
  })

  it('go on after a task that failed', async () => {
    const takeTurn = createTurns({ atOnce: 1, waiting: 1, reason: 'busy' })
    await expect(takeTurn(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await takeTurn(async () => 'next')).toBe('next')
  })
})
