/** A batch is one transaction: all of it is durable, or nothing of it happened. */
import { describe, expect, it } from 'vitest'
import { type Batch, createBatchWriter } from '../../src/storage/sqlite-batch.ts'
import { type SqliteClient, toStoreFault } from '../../src/storage/sqlite-client.ts'
import { refusal } from './fixtures.ts'

/** A client that runs nothing and fails where it is told, as `node:sqlite` does. */
function createScriptedClient(fail: (sql: string) => Error | undefined) {
  const ran: string[] = []
  const run = (sql: string): void => {
    ran.push(sql)
    const error = fail(sql)
    if (error) throw error
  }
  const client: SqliteClient = {
    exec: run,
    prepare: (sql) => ({
      get: () => run(sql),
      all: () => [],
      run: () => {
        run(sql)
        return { changes: 3 }
      },
    }),
    close: () => {},
  }
  return { client, ran }
}

function sqliteError(errcode: number): Error {
  return Object.assign(new Error('failed'), { code: 'ERR_SQLITE_ERROR', errcode })
}

const batch: Batch = {
  now: 1,
  pieces: [
    { kind: 'commit', change: { delete: ['a'] } },
    { kind: 'sweep', limit: 5 },
    { kind: 'shrink', pages: 9 },
  ],
}

function catchError(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('Nothing was thrown')
}

describe('createBatchWriter', () => {
  it('writes every piece in one transaction and tells of each how much was done', () => {
    const { client, ran } = createScriptedClient(() => undefined)
    expect(createBatchWriter(client)(batch)).toEqual([1, 3, 9])
    expect(ran).toEqual([
      'BEGIN IMMEDIATE',
      'DELETE FROM entries WHERE key = ?',
      expect.stringMatching(/^DELETE FROM entries .* expires_at <= \?/s),
      'PRAGMA incremental_vacuum(9)',
      'COMMIT',
    ])
  })

  it.each([
    ['disk full (SG-21)', 13, 'store_full'],
    ['a failed flush of the disk (SG-07)', 10 | (4 << 8), 'store_ioerr'],
    ['a damaged file', 11, 'store_corrupt'],
    ['anything else that SQLite says', 1, 'store_error'],
  ])('undoes all of it on %s, and recovers', (_, code, reason) => {
    let broken = true
    const { client, ran } = createScriptedClient((sql) =>
      sql === 'COMMIT' && broken ? sqliteError(code) : undefined,
    )
    const write = createBatchWriter(client)
    const fault = toStoreFault(catchError(() => write(batch)))
    expect(fault).toMatchObject(refusal('temporarily_unavailable', reason))
    expect(ran.slice(-2)).toEqual(['COMMIT', 'ROLLBACK'])
    broken = false
    expect(write(batch)).toHaveLength(3)
  })

  it('asks again while another process holds the lock, and gives up in the end (SG-18)', () => {
    const { client, ran } = createScriptedClient((sql) =>
      sql.startsWith('BEGIN') && ran.length < 50 ? sqliteError(5) : undefined,
    )
    expect(createBatchWriter(client)(batch)).toHaveLength(3)
    const locked = createScriptedClient(() => sqliteError(5))
    const fault = toStoreFault(catchError(() => createBatchWriter(locked.client)(batch)))
    expect(fault).toMatchObject({
      ...refusal('temporarily_unavailable', 'store_busy'),
      retryAfterSeconds: 2,
    })
    // Each time waits 25 ms.
    expect(locked.ran).toEqual(Array.from({ length: 200 }, () => 'BEGIN IMMEDIATE'))
  })

  it('passes on a mistake of ours as it is, and undoes the transaction', () => {
    const mistake = new TypeError('mistake')
    const { client, ran } = createScriptedClient((sql) =>
      sql.startsWith('DELETE') ? mistake : undefined,
    )
    expect(toStoreFault(catchError(() => createBatchWriter(client)(batch)))).toBe(mistake)
    expect(ran).toEqual(['BEGIN IMMEDIATE', 'DELETE FROM entries WHERE key = ?', 'ROLLBACK'])
  })
})
