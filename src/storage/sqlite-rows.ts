/** The statements on the table of entries, prepared once for a connection. Times are unix seconds. */
import type { SqliteClient, SqliteStatement } from './sqlite-client.ts'
import type { Commit, Entry, ListedEntry } from './store.ts'

/** True of rows that have not expired by the time that is bound to it. */
const live = '(expires_at IS NULL OR expires_at > ?)'

/** Most keys that a statement of their own is prepared for; the hot paths ask for up to five. */
const fewKeys = 8

/** What a connection reads. */
export interface RowReader {
  /** One statement whatever the number of keys, so that the answer is one consistent read. */
  get(keys: readonly string[], now: number): (Entry | undefined)[]
  /** Rows from `lower` on that begin with the prefix. */
  list(prefix: string, lower: string, limit: number, now: number): ListedEntry[]
}

/** Prepares what the store reads with. */
export function createRowReader(client: SqliteClient): RowReader {
  const one = client.prepare(`SELECT value, version FROM entries WHERE key = ? AND ${live}`)
  const few = new Map<number, SqliteStatement>()
  const many = client.prepare(
    `SELECT key, value, version FROM entries WHERE key IN (SELECT value FROM json_each(?)) AND ${live}`,
  )
  const page = client.prepare(
    `SELECT key, value, version, expires_at FROM entries WHERE key >= ? AND key < ? AND ${live} ORDER BY key LIMIT ?`,
  )
  /** Listed, they cost SQLite half of what they cost as a JSON list. */
  const prepareFew = (count: number): SqliteStatement => {
    const marks = Array.from({ length: count }, () => '?').join(', ')
    return client.prepare(
      `SELECT key, value, version FROM entries WHERE key IN (${marks}) AND ${live}`,
    )
  }
  const findRows = (keys: readonly string[], now: number): unknown[] => {
    if (keys.length > fewKeys) return many.all(JSON.stringify(keys), now)
    const statement = few.get(keys.length) ?? prepareFew(keys.length)
    few.set(keys.length, statement)
    return statement.all(...keys, now)
  }
  return {
    get(keys, now) {
      const [only] = keys
      if (keys.length === 1 && only !== undefined) return [toEntry(only, one.get(only, now))]
      const found = new Map(findRows(keys, now).map(toKeyed))
      return keys.map((key) => found.get(key))
    },
    list: (prefix, lower, limit, now) =>
      page.all(lower, `${prefix}\u{10ffff}`, now, limit).map(toListed),
  }
}

/** What a connection writes, inside a transaction that its caller opened. */
export interface RowWriter {
  /**
   * So many new versions, of which the first is returned; for one transaction. One counter for all keys and
   * processes: a version never comes back, even after a delete.
   */
  reserveVersions(count: number): number
  /**
   * Decides, then writes. False when a check failed: then nothing was written.
   *
   * @param takeVersion is called when there is something to write
   */
  apply(change: Commit, now: number, takeVersion: () => number): boolean
  /** Deletes the rows that expired first. Returns how many. */
  sweep(limit: number, now: number): number
}

/** Prepares what the store writes with. */
export function createRowWriter(client: SqliteClient): RowWriter {
  const one = client.prepare(`SELECT version FROM entries WHERE key = ? AND ${live}`)
  const advance = client.prepare('UPDATE sequence SET last = last + ? RETURNING last')
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
    reserveVersions(count) {
      const { last } = advance.get(count) as { last: number }
      return last - count + 1
    },
    apply(change, now, takeVersion) {
      for (const { key, version } of change.check ?? []) {
        if (toVersion(one.get(key, now)) !== version) return false
      }
      for (const key of change.delete ?? []) remove.run(key)
      if (!change.set?.length) return true
      const version = takeVersion()
      for (const { key, value, expiresAt } of change.set) {
        put.run(key, value, version, expiresAt ?? null)
      }
      return true
    },
    sweep: (limit, now) => Number(removeExpired.run(now, limit).changes),
  }
}

/** Reads a row of our own STRICT table; the object of the driver has no prototype. */
function toEntry(key: string, row: unknown): Entry | undefined {
  if (row === undefined) return undefined
  const { value, version } = row as Entry
  return { key, value, version }
}

function toVersion(row: unknown): number | null {
  return row === undefined ? null : (row as Entry).version
}

function toListed(row: unknown): ListedEntry {
  const { key, value, version, expires_at } = row as Entry & { expires_at: number | null }
  return { key, value, version, expiresAt: expires_at ?? undefined }
}

function toKeyed(row: unknown): [string, Entry] {
  const { key, value, version } = row as Entry
  return [key, { key, value, version }]
}
