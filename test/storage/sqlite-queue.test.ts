/** Which work shares a batch, and what becomes of it. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Batch, Piece } from '../../src/storage/sqlite-batch.ts'
import { createWriteQueue } from '../../src/storage/sqlite-queue.ts'
import { createTestClock } from './fixtures.ts'

/** A sweep of so many rows: a piece that can be told from others. */
function piece(limit: number): Piece {
  return { kind: 'sweep', limit }
}

/** Lets the queue see the end of a batch, and hand over the next one in the turn after. */
async function settle(): Promise<void> {
  await nextTurn()
  await nextTurn()
}

/** A queue before a writer that finishes, or fails, when it is told to. */
function createScriptedQueue() {
  const clock = createTestClock()
  const batches: Batch[] = []
  const writing: { resolve(done: number[]): void; reject(fault: unknown): void }[] = []
  const queue = createWriteQueue({
    clock,
    write: (batch) => {
      batches.push(batch)
      return new Promise((resolve, reject) => writing.push({ resolve, reject }))
    },
  })
  return {
    queue,
    clock,
    batches,
    sizes: () => batches.map(({ pieces }) => pieces.length),
    finish: async (done: number[]) => {
      writing.shift()?.resolve(done)
      await settle()
    },
    fail: async (fault: unknown) => {
      writing.shift()?.reject(fault)
      await settle()
    },
  }
}

describe('createWriteQueue', () => {
  it('hands over what arrived in one turn together, and what arrives meanwhile after it', async () => {
    const { queue, sizes, finish } = createScriptedQueue()
    const first = [queue.add(piece(1)), queue.add(piece(2))]
    await nextTurn()
    const second = [queue.add(piece(3)), queue.add(piece(4)), queue.add(piece(5))]
    await nextTurn()
    expect(sizes()).toEqual([2])
    await finish([10, 20])
    expect(await Promise.all(first)).toEqual([10, 20])
    expect(sizes()).toEqual([2, 3])
    await finish([30, 40, 50])
    expect(await Promise.all(second)).toEqual([30, 40, 50])
  })

  it('hands over 128 pieces at most', async () => {
    const { queue, sizes, finish } = createScriptedQueue()
    const works = Array.from({ length: 130 }, (_, n) => queue.add(piece(n)))
    await nextTurn()
    await finish(Array.from({ length: 128 }, (_, n) => n))
    await finish([128, 129])
    expect(sizes()).toEqual([128, 2])
    expect(await Promise.all(works)).toEqual(works.map((_, n) => n))
  })

  it('judges a batch by the time at which it is handed over', async () => {
    const { queue, clock, batches, finish } = createScriptedQueue()
    const work = queue.add(piece(1))
    clock.advance(5)
    await nextTurn()
    clock.advance(5)
    await finish([1])
    await work
    expect(batches).toEqual([{ now: clock.now() - 5, pieces: [piece(1)] }])
  })

  it('fails every piece of a batch that failed, and goes on with the next', async () => {
    const { queue, finish, fail } = createScriptedQueue()
    const fault = new Error('disk full')
    const failed = Promise.allSettled([queue.add(piece(1)), queue.add(piece(2))])
    await nextTurn()
    const next = queue.add(piece(3))
    await fail(fault)
    await finish([7])
    expect(await failed).toEqual([
      { status: 'rejected', reason: fault },
      { status: 'rejected', reason: fault },
    ])
    expect(await next).toBe(7)
  })

  it('is drained when the last batch is written, at once when nothing waits', async () => {
    const { queue, finish } = createScriptedQueue()
    await queue.drain()
    const order: string[] = []
    const works = [queue.add(piece(1)).then(() => order.push('written'))]
    const drained = queue.drain().then(() => order.push('drained'))
    await nextTurn()
    await finish([1])
    await Promise.all([...works, drained])
    expect(order).toEqual(['written', 'drained'])
  })
})
