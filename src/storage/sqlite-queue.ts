/**
 * Group commit: writes that arrive together share one transaction, and so one flush of the disk.
 *
 * Each piece of work still sees what the pieces before it did, decides by itself, and is acknowledged
 * only after the shared transaction is durable.
 */
import { findSqliteResult, rollBack, type SqliteClient, toStoreFault } from './sqlite-client.ts'

/** Most pieces of work in one transaction: bounds how long it keeps the event loop. */
const batchSize = 32

/** How often and after which pause the write lock is asked for while another process holds it: about 5 s. */
const lockAttempts = 150
const lockPauseMilliseconds = 10

/** The one way to write to the database. */
export interface WriteQueue {
  /**
   * Runs the work inside a write transaction and resolves with its result once that is durable. The
   * work must decide before it writes: what it wrote stays, unless the whole transaction fails.
   *
   * @throws OAuthError `temporarily_unavailable` with reason `store_<result>`
   */
  add<T>(work: () => T): Promise<T>
  /** Resolves when nothing is waiting any more. */
  drain(): Promise<void>
}

interface Job {
  /** Does the work and returns what acknowledges it. */
  readonly run: () => () => void
  readonly fail: (error: unknown) => void
}

/** Creates the queue of a connection. Nothing else may open transactions on it. */
export function createWriteQueue(client: SqliteClient): WriteQueue {
  const waiting: Job[] = []
  const idle: (() => void)[] = []
  let scheduled = false
  let attempts = 0

  const begin = client.prepare('BEGIN IMMEDIATE')
  const commit = client.prepare('COMMIT')

  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    // Not a microtask: requests read from sockets in the same turn shall share the flush.
    setImmediate(flush)
  }
  const flush = (): void => {
    try {
      begin.run()
    } catch (error) {
      return waitForLock(error)
    }
    attempts = 0
    writeBatch()
    settle()
  }
  const waitForLock = (error: unknown): void => {
    attempts += 1
    if (findSqliteResult(error) === 'busy' && attempts < lockAttempts) {
      setTimeout(flush, lockPauseMilliseconds)
      return
    }
    attempts = 0
    rollBack(client)
    for (const job of waiting.splice(0)) job.fail(toStoreFault(error))
    settle()
  }
  const writeBatch = (): void => {
    const batch = waiting.splice(0, batchSize)
    try {
      const acknowledgements = batch.map((job) => job.run())
      commit.run()
      for (const acknowledge of acknowledgements) acknowledge()
    } catch (error) {
      rollBack(client)
      for (const job of batch) job.fail(toStoreFault(error))
    }
  }
  const settle = (): void => {
    scheduled = false
    if (waiting.length > 0) return schedule()
    for (const resolve of idle.splice(0)) resolve()
  }

  return {
    add: (work) =>
      new Promise((resolve, reject) => {
        waiting.push({ run: () => acknowledgeWith(resolve, work()), fail: reject })
        schedule()
      }),
    drain: () => new Promise((resolve) => (scheduled ? void idle.push(resolve) : resolve())),
  }
}

function acknowledgeWith<T>(resolve: (value: T) => void, value: T): () => void {
  return () => resolve(value)
}
