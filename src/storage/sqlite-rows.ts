/** The statements on the table of entries, prepared once for a connection. Times are unix seconds. */
import type { SqliteClient } from './sqlite-client.ts'
import type { Commit, Entry, ListedEntry } from './store.ts'

/** True of rows that have not expired by the time that is bound to it. */
const live = '(expires_at IS NULL OR expires_at > ?)'
const selectOne = `SELECT key, value, version FROM entries WHERE key = ? AND ${live}`

/** What a connection reads. */
export interface RowReader {
  /** One statement whatever the number of keys, so that the answer is one consistent read. */
  get(keys: readonly string[], now: number): (Entry | undefined)[]
  /** Rows from `lower` on that begin with the prefix. */
  list(prefix: string, lower: string, limit: number, now: number): ListedEntry[]
}

/** Prepares what the store reads with. */
export function createRowReader(client: SqliteClient): RowReader {
  const one = client.prepare(selectOne)
  const many = client.prepare(
    `SELECT key, value, version FROM entries WHERE key IN (SELECT value FROM json_each(?)) AND ${live}`,
  )
  const page = client.prepare(
    `SELECT key, value, version, expires_at FROM entries WHERE key >= ? AND key < ? AND ${live} ORDER BY key LIMIT ?`,
  )
  return {
    get(keys, now) {
      if (keys.length === 1) return keys.map((key) => toEntry(one.get(key, now)))
      const found = new Map(many.all(JSON.stringify(keys), now).map(toKeyed))
      return keys.map((key) => found.get(key))
    },
    list: (prefix, lower, limit, now) =>
      page.all(lower, `${prefix}\u{10ffff}`, now, limit).map(toListed),
  }
}

/** What a connection writes, inside a transaction that its caller opened. */
export interface RowWriter {
  /** Decides, then writes. False when a check failed: then nothing was written. */
  apply(change: Commit, now: number): boolean
  /** Deletes the rows that expired first. Returns how many. */
  sweep(limit: number, now: number): number
}

/** Prepares what the store writes with. */
export function createRowWriter(client: SqliteClient): RowWriter {
  const one = client.prepare(selectOne)
  const advance = client.prepare('UPDATE sequence SET last = last + 1 RETURNING last')
  const put = client.prepare(
    `INSERT INTO entries (key, value, version, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT (key)
     DO UPDATE SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at`,
  )
  const remove = client.prepare('DELETE FROM entries WHERE key = ?')
  const removeExpired = client.prepare(
    `DELETE FROM entries WHERE key IN
     (SELECT key FROM entries WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
  )
  return {
    apply(change, now) {
      for (const { key, version } of change.check ?? []) {
        if ((toEntry(one.get(key, now))?.version ?? null) !== version) return false
      }
      for (const key of change.delete ?? []) remove.run(key)
      if (!change.set?.length) return true
      // One counter for all keys and processes: a version never comes back, even after a delete.
      const { last } = advance.get() as { last: number }
      for (const write of change.set) put.run(write.key, write.value, last, write.expiresAt ?? null)
      return true
    },
    sweep: (limit, now) => Number(removeExpired.run(now, limit).changes),
  }
}

/** Reads a row of our own STRICT table; the object of the driver has no prototype. */
function toEntry(row: unknown): Entry | undefined {
  if (row === undefined) return undefined
  const { key, value, version } = row as Entry
  return { key, value, version }
}

function toListed(row: unknown): ListedEntry {
  const { key, value, version, expires_at } = row as Entry & { expires_at: number | null }
  return { key, value, version, expiresAt: expires_at ?? undefined }
}

function toKeyed(row: unknown): [string, Entry | undefined] {
  const entry = toEntry(row)
  return [entry?.key ?? '', entry]
}
