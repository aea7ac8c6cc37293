import { describe, expect, it } from 'vitest'
import { createTurns, type TakeTurn } from '../../src/platform/turns.ts'

/** A task that ends when told. */
function createGate() {
  let resolve = () => {}
  const promise = new Promise<void>((open) => {
    resolve = open
  })
  return { promise, resolve: () => resolve() }
}

const busy = { code: 'temporarily_unavailable', status: 503, reason: 'busy' }

/** Takes turns for parties in the given order; says who began, and what came of each. */
function enqueue(takeTurn: TakeTurn, parties: readonly string[]) {
  const began: string[] = []
  const outcomes = parties.map((party) =>
    takeTurn(party, async () => void began.push(party)).then(
      () => 'done',
      (error: { reason: string }) => error.reason,
    ),
  )
  return { began, outcomes: Promise.all(outcomes) }
}

describe('turns', () => {
  it('let two run at once and the rest wait in order (DS-06)', async () => {
    const takeTurn = createTurns({ atOnce: 2, waiting: 10, reason: 'busy' })
    const started: number[] = []
    const gates = Array.from({ length: 5 }, () => createGate())
    const done = gates.map(({ promise }, index) =>
      takeTurn('one', async () => {
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
    for (let round = 0; round < 3; round += 1) {
      const gate = createGate()
      const running = takeTurn('one', () => gate.promise)
      const waiting = takeTurn('one', async () => 'waited')
      await expect(takeTurn('one', async () => 'third')).rejects.toMatchObject(busy)
      gate.resolve()
      await running
      expect(await waiting).toBe('waited')
    }
  })

  it('go on after a task that failed', async () => {
    const takeTurn = createTurns({ atOnce: 1, waiting: 1, reason: 'busy' })
    await expect(takeTurn('one', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await takeTurn('one', async () => 'next')).toBe('next')
  })

  it('go round the parties, whoever came first (DS-06)', async () => {
    const takeTurn = createTurns({ atOnce: 1, waiting: 10, reason: 'busy' })
    const gate = createGate()
    const running = takeTurn('flood', () => gate.promise)
    const { began, outcomes } = enqueue(takeTurn, ['flood', 'flood', 'flood', 'ada', 'eve', 'ada'])
    gate.resolve()
    await Promise.all([running, outcomes])
    expect(began).toEqual(['flood', 'ada', 'eve', 'flood', 'ada', 'flood'])
  })

  it('keep a place for the honest in a line that one party filled (DS-06)', async () => {
    const takeTurn = createTurns({ atOnce: 2, waiting: 32, reason: 'busy' })
    const gate = createGate()
    const running = [0, 1].map(() => takeTurn('flood', () => gate.promise))
    const flood = enqueue(
      takeTurn,
      Array.from({ length: 60 }, () => 'flood'),
    )
    const honest = enqueue(takeTurn, ['ada', 'eve'])
    gate.resolve()
    await Promise.all(running)
    expect(await honest.outcomes).toEqual(['done', 'done'])
    const turnedAway = (await flood.outcomes).filter((outcome) => outcome === 'busy')
    expect(turnedAway).toHaveLength(60 - 30)
    expect(flood.began).toHaveLength(30)
  })

  it('never hold more than the line has places, however many parties come', async () => {
    const takeTurn = createTurns({ atOnce: 1, waiting: 4, reason: 'busy' })
    const gate = createGate()
    const running = takeTurn('first', () => gate.promise)
    const parties = ['a', 'a', 'a', 'a', 'b', 'b', 'b', 'c', 'd', 'e', 'a']
    const { began, outcomes } = enqueue(takeTurn, parties)
    gate.resolve()
    await running
    const results = await outcomes
    expect(began.toSorted()).toEqual(['a', 'b', 'c', 'd'])
    expect(results.filter((outcome) => outcome === 'done')).toHaveLength(4)
    expect(results.at(0)).toBe('done')
    expect(results.slice(-2)).toEqual(['busy', 'busy'])
    expect(await takeTurn('e', async () => 'later')).toBe('later')
  })
})
