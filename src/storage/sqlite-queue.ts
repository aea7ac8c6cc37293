/**
 * The queue before the writing thread: whatever arrives while a batch is being written makes up the next
 * one, so the slower the disk, the more work shares a flush.
 */
import type { Clock } from '../platform/clock.ts'
import type { Batch, Piece } from './sqlite-batch.ts'

/** Most pieces of work in one batch: bounds how long other processes wait for the write lock. */
const batchSize = 128

/** What the queue is made of. */
export interface WriteQueueOptions {
  /** Judges expiry. It is read when a batch is handed over, not when its pieces arrived. */
  readonly clock: Clock
  /** Writes a batch and tells of each piece how much was done, once that is durable. */
  write(batch: Batch): Promise<readonly number[]>
}

/** The one way to write to the database. */
export interface WriteQueue {
  /** Resolves with how much was done, once that is durable; rejects as the writing of its batch did. */
  add(piece: Piece): Promise<number>
  /** Resolves when nothing is waiting any more. */
  drain(): Promise<void>
}

interface Job {
  readonly piece: Piece
  readonly resolve: (done: number) => void
  readonly reject: (fault: unknown) => void
}

/** Creates an empty queue. */
export function createWriteQueue({ clock, write }: WriteQueueOptions): WriteQueue {
  const waiting: Job[] = []
  const idle: (() => void)[] = []
  let isBusy = false

  const flush = async (): Promise<void> => {
    const jobs = waiting.splice(0, batchSize)
    try {
      const done = await write({ now: clock.now(), pieces: jobs.map(({ piece }) => piece) })
      jobs.forEach(({ resolve }, n) => resolve(done[n] ?? 0))
    } catch (fault) {
      for (const { reject } of jobs) reject(fault)
    }
    isBusy = false
    if (waiting.length > 0) return schedule()
    for (const resolve of idle.splice(0)) resolve()
  }
  const schedule = (): void => {
    if (isBusy) return
    isBusy = true
    // Not a microtask: requests read from sockets in the same turn shall share the flush.
    setImmediate(() => void flush())
  }
  return {
    add: (piece) =>
      new Promise((resolve, reject) => {
        waiting.push({ piece, resolve, reject })
        schedule()
      }),
    drain: () => new Promise((resolve) => (isBusy ? void idle.push(resolve) : resolve())),
  }
}
