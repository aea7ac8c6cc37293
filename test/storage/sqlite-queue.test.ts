import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SqliteClient } from '../../src/storage/sqlite-client.ts'
import { createWriteQueue } from '../../src/storage/sqlite-queue.ts'
import { refusal } from './fixtures.ts'

/** A client that runs nothing and fails where it is told, as `node:sqlite` does. */
function createScriptedClient(fail: (sql: string) => number | undefined) {
  const ran: string[] = []
  const run = (sql: string): void => {
    ran.push(sql)
    const errcode = fail(sql)
    if (errcode) throw Object.assign(new Error('failed'), { code: 'ERR_SQLITE_ERROR', errcode })
  }
  const client: SqliteClient = {
    exec: run,
    prepare: (sql) => ({
      get: () => run(sql),
      all: () => [],
      run: () => {
        run(sql)
        return { changes: 0 }
      },
    }),
    close: () => {},
  }
  return { client, ran }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Whatever comes of it, handled from the start. */
function settle<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  return Promise.allSettled([promise]).then(([result]) => result)
}

describe('createWriteQueue', () => {
  it.each([
    ['disk full (SG-21)', 13, 'store_full'],
    ['a failed flush of the disk (SG-07)', 10 | (4 << 8), 'store_ioerr'],
    ['a damaged file', 11, 'store_corrupt'],
    ['anything else that SQLite says', 1, 'store_error'],
  ])('acknowledges nothing on %s, and recovers', async (_, code, reason) => {
    let broken = true
    const { client, ran } = createScriptedClient((sql) =>
      sql === 'COMMIT' && broken ? code : undefined,
    )
    const queue = createWriteQueue(client)
    const both = [settle(queue.add(() => 1)), settle(queue.add(() => 2))]
    await vi.runAllTimersAsync()
    for (const result of await Promise.all(both)) {
      expect(result).toMatchObject({ reason: refusal('temporarily_unavailable', reason) })
    }
    expect(ran).toEqual(['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'])
    broken = false
    const third = queue.add(() => 3)
    await vi.runAllTimersAsync()
    expect(await third).toBe(3)
  })

  it('acknowledges in order, after the shared transaction', async () => {
    const { client, ran } = createScriptedClient(() => undefined)
    const queue = createWriteQueue(client)
    const works = ['first', 'second'].map((name) => queue.add(() => ran.push(name)))
    const settled = Promise.all(works.map((work) => work.then(() => ran.push('acknowledged'))))
    await vi.runAllTimersAsync()
    await settled
    expect(ran).toEqual([
      'BEGIN IMMEDIATE',
      'first',
      'second',
      'COMMIT',
      'acknowledged',
      'acknowledged',
    ])
  })

  it('gives up after about five seconds of a lock that nobody releases (SG-18)', async () => {
    const { client, ran } = createScriptedClient((sql) => (sql.startsWith('BEGIN') ? 5 : undefined))
    const queue = createWriteQueue(client)
    const result = settle(queue.add(() => 1))
    await vi.advanceTimersByTimeAsync(100)
    expect(ran.length).toBeGreaterThan(5)
    await vi.runAllTimersAsync()
    expect(await result).toMatchObject({
      reason: { ...refusal('temporarily_unavailable', 'store_busy'), retryAfterSeconds: 2 },
    })
    await queue.drain()
  })

  it('passes on a mistake in the work as it is, and undoes the transaction', async () => {
    const { client, ran } = createScriptedClient(() => undefined)
    const queue = createWriteQueue(client)
    const mistake = new TypeError('mistake')
    const result = settle(
      queue.add(() => {
        throw mistake
      }),
    )
    await vi.runAllTimersAsync()
    expect(await result).toEqual({ status: 'rejected', reason: mistake })
    expect(ran).toEqual(['BEGIN IMMEDIATE', 'ROLLBACK'])
  })
})
