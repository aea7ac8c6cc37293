/**
 * The embedded store: one SQLite file, WAL and `synchronous=FULL`, shared by any number of processes
 * on one machine. Acknowledged means durable.
 */
import { unavailable } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import { verifyChange } from './change.ts'
import { createHints, type Hints } from './hints.ts'
import { openNodeSqlite, type SqliteClient, toStoreFault } from './sqlite-client.ts'
import { createWriteQueue } from './sqlite-queue.ts'
import { prepareDatabase, readPragma } from './sqlite-schema.ts'
import type { Commit, Entry, ListedEntry, Store } from './store.ts'

/** Where the store is and whose time it goes by. */
export interface SqliteStoreOptions {
  /** The database file. It and its folder are created when missing, readable by their owner only. */
  path: string
  clock: Clock
}

/**
 * Opens the store over `node:sqlite`.
 *
 * @throws Error `StartError` when the file is damaged, foreign, newer than this program or cannot be written
 */
export async function sqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const client = await openNodeSqlite(options.path)
  try {
    await prepareDatabase(client, options.path)
  } catch (error) {
    client.close()
    throw error
  }
  return toStore(client, options.clock)
}

/** The store over a connection that `prepareDatabase` has set up. */
function toStore(client: SqliteClient, clock: Clock): Store {
  const rows = createRows(client)
  const queue = createWriteQueue(client)
  const hints = createHints()
  const watch = createWatch(client, hints)
  let closed = false

  const read = <T>(work: () => T): T => {
    if (closed) throw unavailable('store_closed')
    try {
      return work()
    } catch (error) {
      throw toStoreFault(error)
    }
  }
  const write = <T>(work: () => T): Promise<T> => {
    if (closed) throw unavailable('store_closed')
    return queue.add(work)
  }

  return {
    async get(keys) {
      return read(() => rows.get(keys, clock.now()))
    },
    async commit(change) {
      verifyChange(change)
      const done = await write(() => rows.apply(change, clock.now()))
      if (done) hints.tell([...(change.delete ?? []), ...(change.set ?? []).map(({ key }) => key)])
      return done
    },
    async list(prefix, { after, limit = 100 } = {}) {
      const lower = after !== undefined && after >= prefix ? `${after}\0` : prefix
      return read(() => rows.list(prefix, lower, limit, clock.now()))
    },
    subscribe(prefix, listener) {
      const unsubscribe = hints.subscribe(prefix, listener)
      watch.start()
      return unsubscribe
    },
    isHearing: () => true,
    async sweep(limit) {
      let swept = 0
      while (swept < limit) {
        const slice = Math.min(sweepSlice, limit - swept)
        const deleted = await write(() => rows.sweep(slice, clock.now()))
        swept += deleted
        if (deleted < slice) break
      }
      await returnPages({ client, read, write })
      return swept
    },
    async close() {
      if (closed) return
      closed = true
      watch.stop()
      await queue.drain()
      client.close()
    },
  }
}

/** Rows that one sweeping transaction deletes at most, so that no request waits for it. */
const sweepSlice = 100

/** Pages that one transaction gives back at most: each means moving another one. */
const pageSlice = 32
/** Such transactions in one sweep. */
const pageSlices = 32

/** What giving pages back is done with. */
interface PageReturn {
  readonly client: SqliteClient
  readonly read: <T>(work: () => T) => T
  readonly write: (work: () => unknown) => Promise<unknown>
}

/**
 * Gives pages that the sweep left empty back to the file system. One in twenty is kept for what comes next.
 */
async function returnPages({ client, read, write }: PageReturn): Promise<void> {
  for (let slice = 0; slice < pageSlices; slice++) {
    const free = read(() => Number(readPragma(client, 'freelist_count')))
    const kept = read(() => Number(readPragma(client, 'page_count'))) / 20
    if (free - kept < pageSlice) return
    await write(() => client.exec(`PRAGMA incremental_vacuum(${pageSlice})`))
  }
}

/** The statements, prepared once. Times are unix seconds. */
function createRows(client: SqliteClient) {
  const live = '(expires_at IS NULL OR expires_at > ?)'
  const one = client.prepare(`SELECT key, value, version FROM entries WHERE key = ? AND ${live}`)
  const many = client.prepare(
    `SELECT key, value, version FROM entries WHERE key IN (SELECT value FROM json_each(?)) AND ${live}`,
  )
  const page = client.prepare(
    `SELECT key, value, version, expires_at FROM entries WHERE key >= ? AND key < ? AND ${live} ORDER BY key LIMIT ?`,
  )
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

  const find = (key: string, now: number): Entry | undefined => toEntry(one.get(key, now))
  const apply = (change: Commit, now: number): boolean => {
    for (const { key, version } of change.check ?? []) {
      if ((find(key, now)?.version ?? null) !== version) return false
    }
    for (const key of change.delete ?? []) remove.run(key)
    if (!change.set?.length) return true
    // One counter for all keys and processes: a version never comes back, even after a delete.
    const { last } = advance.get() as { last: number }
    for (const { key, value, expiresAt } of change.set) put.run(key, value, last, expiresAt ?? null)
    return true
  }
  return {
    /** One statement whatever the number of keys, so that the answer is one consistent read. */
    get(keys: readonly string[], now: number): (Entry | undefined)[] {
      if (keys.length === 1) return keys.map((key) => find(key, now))
      const found = new Map(many.all(JSON.stringify(keys), now).map(toKeyed))
      return keys.map((key) => found.get(key))
    },
    apply,
    list: (prefix: string, lower: string, limit: number, now: number): ListedEntry[] =>
      page.all(lower, `${prefix}\u{10ffff}`, now, limit).map(toListed),
    sweep: (limit: number, now: number): number => Number(removeExpired.run(now, limit).changes),
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

/** How often other processes' commits are looked for while someone listens. */
const pollMilliseconds = 250

/** Tells the listeners when another process committed: SQLite's `data_version` changes then. */
function createWatch(client: SqliteClient, hints: Hints) {
  let timer: NodeJS.Timeout | undefined
  let seen: unknown

  const look = (): void => {
    if (!hints.any()) return stop()
    const version = readDataVersion(client)
    if (version !== undefined && version !== seen) hints.tellAll()
    seen = version ?? seen
  }
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }
  const start = (): void => {
    if (timer) return
    seen = readDataVersion(client)
    timer = setInterval(look, pollMilliseconds).unref()
  }
  return { start, stop }
}

/** Undefined while the file cannot be read: the next look will tell. */
function readDataVersion(client: SqliteClient): unknown {
  try {
    return readPragma(client, 'data_version')
  } catch {
    return undefined
  }
}
