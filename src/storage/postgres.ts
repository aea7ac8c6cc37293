/**
 * The store for many instances: one table in a PostgreSQL database. Acknowledged means durable on
 * that server.
 *
 * Nothing relies on a session, so the URL may lead to a pooler in transaction mode. Hints come within
 * a moment through a direct URL, and within about half a second without one.
 */
import { type Clock, systemClock } from '../platform/clock.ts'
import { verifyChange } from './change.ts'
import { createHintWatch } from './hint-watch.ts'
import { createHints, type Hints } from './hints.ts'
import { joinReads } from './joined-reads.ts'
import { createJourneys } from './journeys.ts'
import { createPostgresCalls, type PostgresCalls } from './postgres-calls.ts'
import {
  didNothing,
  loadPostgres,
  type PostgresModule,
  type PostgresPool,
  toConfig,
  toPlace,
} from './postgres-client.ts'
import { hasNul, type Line, limitCommits, toCommitValues, toLines } from './postgres-commit.ts'
import { createHintEar, type HintEar } from './postgres-ear.ts'
import { createHintSender, tellPayload } from './postgres-hints.ts'
import { explain, preparePostgres } from './postgres-schema.ts'
import { type PostgresStatements, toNames, toStatements } from './postgres-sql.ts'
import type { Commit, Entry, ListedEntry, Store } from './store.ts'
import { createWork } from './work.ts'

/** Where the store is and whose time it goes by. */
export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`, with TLS as in `?sslmode=verify-full&sslrootcert=FILE`. */
  url: string
  /**
   * The same database without a pooler in between, which hints are heard on. It may be the same URL
   * when that one leads to the server itself. Without it the database is asked twice a second whether
   * anything changed.
   */
  directUrl?: string | undefined
  /** What expiry is judged by. Default: the system's. */
  clock?: Clock | undefined
  /** Most connections, besides the one that listens. Default 10. */
  poolSize?: number | undefined
  /** Small letters, digits and underscores. Everything of the store begins with it. Default `gatehouse`. */
  table?: string | undefined
}

const defaultPoolSize = 10

/**
 * Opens the store, creating its table at first use.
 *
 * @throws TypeError when an option is not what it should be
 * @throws Error `StartError` when `pg` is not installed, or the database cannot be reached or used
 */
export async function postgresStore(options: PostgresStoreOptions): Promise<Store> {
  const {
    url,
    directUrl,
    poolSize = defaultPoolSize,
    table = 'gatehouse',
    clock = systemClock,
  } = options
  verifyOptions(url, directUrl, poolSize)
  const names = toNames(table)
  const statements = toStatements(names)
  const hints = createHints()
  const postgres = await loadPostgres()
  const pool = openPool(postgres, url, poolSize)
  try {
    await preparePostgres(pool, names, toPlace(url))
    const ear = createHintEar({
      create: () => new postgres.Client(toConfig(directUrl ?? url)),
      listen: statements.listen,
      onPayload: (payload) => tellPayload(hints, payload),
    })
    const hasEar = directUrl !== undefined
    if (hasEar) await openEar(ear, directUrl)
    const rows = createRows(createPostgresCalls(pool), statements)
    return toStore({ rows, hints, ear, hasEar, clock, pool })
  } catch (error) {
    await pool.end()
    throw error
  }
}

function verifyOptions(url: string, directUrl: string | undefined, poolSize: number): void {
  for (const given of directUrl === undefined ? [url] : [url, directUrl]) {
    const protocol = URL.canParse(given) ? new URL(given).protocol : undefined
    if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
      // Not quoted: it may hold a password.
      throw new TypeError('The URL of a PostgreSQL store must begin with postgres://')
    }
  }
  if (!Number.isSafeInteger(poolSize) || poolSize < 1) {
    throw new TypeError(`The pool size must be a whole number from 1, not ${poolSize}`)
  }
}

function openPool(postgres: PostgresModule, url: string, poolSize: number): PostgresPool {
  const pool = new postgres.Pool(toConfig(url, poolSize))
  // Broken connections are replaced; unheard, their errors would end the process.
  pool.on('error', () => {})
  pool.on('connect', (connection) => void connection.on('error', () => {}))
  return pool
}

async function openEar(ear: HintEar, directUrl: string): Promise<void> {
  try {
    await ear.open()
  } catch (error) {
    throw explain(error, toPlace(directUrl))
  }
}

interface Parts {
  readonly rows: ReturnType<typeof createRows>
  readonly hints: Hints
  readonly ear: HintEar
  /** Whether it was opened; without, looking is how changes are heard. */
  readonly hasEar: boolean
  readonly clock: Clock
  readonly pool: PostgresPool
}

function toStore({ rows, hints, ear, hasEar, clock, pool }: Parts): Store {
  const work = createWork()
  const sender = createHintSender(rows.notify)
  const watch = createHintWatch(hints, ear.isHearing, rows.look)
  const read = joinReads((keys) => rows.get(keys, clock.now()))
  const apply = joinCommits((commits) => rows.apply(commits, clock.now()))

  const commit = async (change: Commit): Promise<boolean> => {
    verifyChange(change)
    const lines = toLines(change)
    if (lines === undefined || !(await apply(lines))) return false
    const keys = [...(change.delete ?? []), ...(change.set ?? []).map(({ key }) => key)]
    hints.tell(keys)
    sender.add(keys)
    return true
  }
  return {
    get: async (keys) => work.run(() => read(keys)),
    commit: async (change) => work.run(() => commit(change)),
    list: async (prefix, { after = '', limit = 100 } = {}) =>
      work.run(() => rows.list({ prefix, after, limit }, clock.now())),
    subscribe(prefix, listener) {
      const unsubscribe = hints.subscribe(prefix, listener)
      watch.start()
      return unsubscribe
    },
    isHearing: hasEar ? ear.isHearing : watch.isWell,
    sweep: async (limit) => work.run(() => rows.sweep(limit, clock.now())),
    async close() {
      if (!work.end()) return
      watch.stop()
      ear.close()
      await work.settle()
      await sender.drain()
      await pool.end()
    },
  }
}

/**
 * Joins commits, each as atomic as alone. What one of them makes the server refuse (a lock that is not
 * released) is not for the others: then each goes by itself.
 */
function joinCommits(
  apply: (commits: readonly (readonly Line[])[]) => Promise<readonly boolean[]>,
) {
  const applyAlone = async (lines: readonly Line[]): Promise<boolean> =>
    (await apply([lines]))[0] === true
  return createJourneys<readonly Line[], boolean>({
    createLoad: limitCommits,
    send: async (commits) => {
      try {
        return await apply(commits)
      } catch (fault) {
        if (commits.length === 1 || !didNothing(fault)) throw fault
        return commits.map(applyAlone)
      }
    },
  })
}

/** Comes after every key with the same beginning: keys are printable ASCII. */
const pastAny = '\x7f'

/** The statements with their parameters. Times are unix seconds. */
function createRows(calls: PostgresCalls, sql: PostgresStatements) {
  return {
    async get(keys: readonly string[], now: number): Promise<(Entry | undefined)[]> {
      const sendable = keys.filter((key) => !hasNul(key))
      if (sendable.length === 0) return keys.map(() => undefined)
      const { rows } = await calls.repeat(sql.get, [sendable, now])
      const found = new Map(rows.map(toEntry).map((entry) => [entry.key, entry]))
      return keys.map((key) => found.get(key))
    },
    /** One call of one function. Tells of each commit whether it took effect. */
    async apply(commits: readonly (readonly Line[])[], now: number): Promise<boolean[]> {
      const run = commits.length === 1 ? calls.runOnce : calls.tryOnce
      const { rows } = await run(sql.commit, toCommitValues(commits, now))
      const { refused } = rows[0] as { refused: number[] }
      return commits.map((_, commit) => !refused.includes(commit))
    },
    async list({ prefix, after, limit }: Page, now: number): Promise<ListedEntry[]> {
      if (hasNul(prefix)) return []
      // No key lies between a text and the same text followed by a NUL and more.
      const [cursor] = after.split('\0', 1)
      const values = [prefix, prefix + pastAny, cursor, now, limit]
      return (await calls.repeat(sql.list, values)).rows.map(toListed)
    },
    async sweep(limit: number, now: number): Promise<number> {
      return (await calls.repeat(sql.sweep, [now, limit])).rowCount ?? 0
    },
    notify: (payloads: string[]) => calls.repeat(sql.notify, [payloads]),
    async look(): Promise<string> {
      return ((await calls.repeat(sql.look, [])).rows[0] as { seen: string }).seen
    },
  }
}

interface Page {
  readonly prefix: string
  readonly after: string
  readonly limit: number
}

/** Reads a row of our own table. `pg` gives a bigint as text; a sequence stays far below 2^53. */
function toEntry(row: unknown): Entry {
  const { key, value, version } = row as { key: string; value: string; version: string }
  return { key, value, version: Number(version) }
}

function toListed(row: unknown): ListedEntry {
  const { expires_at } = row as { expires_at: string | null }
  return { ...toEntry(row), expiresAt: expires_at === null ? undefined : Number(expires_at) }
}
