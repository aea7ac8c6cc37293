/**
 * Where the data is kept: `store` in the configuration, `GATEHOUSE_STORE`, `--store`.
 *
 * A URL may hold a password, so it is never printed: {@link renderStore} says where a store is in words.
 * The drivers of servers are loaded only when one is named.
 */
import { resolve } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/ports.ts'
import { parseRedisUrl } from '../../storage/redis-client.ts'
import type { Store } from '../../storage/store.ts'
import type { StoreReport } from '../../storage/store-report.ts'

/** The SQLite file in the data folder, unless another store is named. */
export const storeFile = 'gatehouse.db'

/** A store that was chosen. */
export type StoreSettings =
  | { readonly driver: 'memory' }
  | { readonly driver: 'sqlite'; readonly path: string }
  | {
      readonly driver: 'redis'
      readonly url: string
      readonly prefix: string
      readonly onWeakDurability: 'refuse' | 'warn'
    }
  | {
      readonly driver: 'postgres'
      readonly url: string
      readonly directUrl: string | undefined
      /** What the names of table and function begin with. */
      readonly prefix: string
    }

/** `store` as it is written, references resolved. */
export interface RawStore {
  readonly url: string
  readonly directUrl?: string | undefined
  readonly prefix?: string | undefined
  readonly onWeakDurability?: 'refuse' | 'warn' | undefined
}

const defaultPrefix = 'gatehouse'
const forms = 'postgres://…, redis://…, rediss://…, sqlite:PATH or memory:'
const redisForm = 'redis[s]://[[user][:password]@]host[:port][/database]'

/** What is wrong with the URL of a store, continuing the setting's name and without the URL. */
export function findStoreUrlProblem(url: string): string | undefined {
  const driver = findDriver(url)
  if (driver === undefined) return `must be ${forms}`
  if (driver === 'memory') return url === 'memory:' ? undefined : 'must be memory: and nothing more'
  if (driver === 'sqlite') {
    return /^sqlite:(?!\/\/(?!\/)).+/.test(url) ? undefined : 'must name a file, as in sqlite:PATH'
  }
  if (driver === 'postgres') {
    return URL.canParse(url)
      ? undefined
      : 'must have the form postgres://user:password@host/database'
  }
  try {
    parseRedisUrl(url)
    return undefined
  } catch {
    return `must have the form ${redisForm}, with a % of user or password written as %25`
  }
}

function findDriver(url: string): StoreSettings['driver'] | undefined {
  const [, scheme = ''] = /^([a-z]+):/.exec(url) ?? []
  if (scheme === 'postgres' || scheme === 'postgresql') return 'postgres'
  if (scheme === 'redis' || scheme === 'rediss') return 'redis'
  return scheme === 'sqlite' || scheme === 'memory' ? scheme : undefined
}

/** The schema of `store`: a URL (or where it is, as with every secret), or a map with more to say. */
export function createStoreSchema(secret: z.ZodType<string>) {
  const members = z.strictObject({
    url: secret.superRefine((url, context) => addProblem(context, findStoreUrlProblem(url))),
    directUrl: secret.optional(),
    prefix: z.string().optional(),
    onWeakDurability: z.enum(['refuse', 'warn']).optional(),
  })
  const store = members.superRefine((raw, context) => {
    for (const [member, problem] of findMemberProblems(raw)) addProblem(context, problem, member)
  })
  return z.preprocess((given) => (isReference(given) ? { url: given } : given), store)
}

function isReference(given: unknown): boolean {
  if (typeof given === 'string') return true
  return typeof given === 'object' && given !== null && ('env' in given || 'file' in given)
}

function addProblem(context: z.RefinementCtx, message: string | undefined, member?: string): void {
  const path = member === undefined ? [] : [member]
  if (message !== undefined) context.addIssue({ code: 'custom', message, path })
}

function findMemberProblems(raw: RawStore): [keyof RawStore, string][] {
  const driver = findDriver(raw.url)
  const rules: [keyof RawStore, boolean, string][] = [
    ['directUrl', driver !== 'postgres', 'goes with postgres:// only'],
    ['onWeakDurability', driver !== 'redis', 'goes with redis:// only'],
    [
      'prefix',
      driver !== 'postgres' && driver !== 'redis',
      'goes with postgres:// and redis:// only',
    ],
    [
      'directUrl',
      raw.directUrl !== undefined && findDriver(raw.directUrl) !== 'postgres',
      'must begin with postgres://',
    ],
    ['prefix', !isPrefix(driver, raw.prefix ?? ''), toPrefixRule(driver)],
  ]
  return rules
    .filter(([member, isBroken]) => raw[member] !== undefined && isBroken)
    .map(([member, , problem]) => [member, problem])
}

function isPrefix(driver: StoreSettings['driver'] | undefined, prefix: string): boolean {
  const shape = driver === 'postgres' ? /^[a-z_][a-z0-9_]{0,47}$/ : /^[A-Za-z0-9._-]{1,64}$/
  return shape.test(prefix)
}

function toPrefixRule(driver: StoreSettings['driver'] | undefined): string {
  if (driver === 'postgres') return 'must be small letters, digits and underscores, at most 48'
  return 'must be 1 to 64 of A-Z a-z 0-9 . _ -'
}

/**
 * A store named on the command line, or what is wrong with it, continuing the flag's name.
 *
 * @param raw with `env:NAME` as its URL it stands in the environment, where no list of processes shows it
 */
export function parseStoreUrl(
  raw: RawStore,
  env: Readonly<Record<string, string | undefined>> = process.env,
): { readonly store: StoreSettings } | { readonly problem: string } {
  const [, name] = /^env:(\w+)$/.exec(raw.url) ?? []
  const url = name === undefined ? raw.url : (env[name] ?? '')
  if (name !== undefined && url === '')
    return { problem: `names the environment variable ${name}, which is not set` }
  const [member] = findMemberProblems({ ...raw, url })
  const problem = findStoreUrlProblem(url) ?? (member && `has a ${member[0]} that ${member[1]}`)
  if (problem !== undefined) return { problem }
  return { store: toStoreSettings({ ...raw, url }, { data: '.', folder: '.' }) }
}

/**
 * The store that the settings mean. Without any it is the SQLite file in the data folder.
 *
 * @param folder what a relative path of `sqlite:PATH` starts from
 */
export function toStoreSettings(
  raw: RawStore | undefined,
  { data, folder }: { data: string; folder: string },
): StoreSettings {
  const url = raw?.url
  const driver = url === undefined ? undefined : findDriver(url)
  const prefix = raw?.prefix ?? defaultPrefix
  if (url === undefined || driver === undefined) {
    return { driver: 'sqlite', path: resolve(data, storeFile) }
  }
  if (driver === 'memory') return { driver }
  if (driver === 'sqlite') return { driver, path: resolve(folder, url.slice('sqlite:'.length)) }
  if (driver === 'postgres') return { driver, url, directUrl: raw?.directUrl, prefix }
  return { driver, url, prefix, onWeakDurability: raw?.onWeakDurability ?? 'refuse' }
}

/** Whether several instances on several machines may use the store, so that none can make its master key. */
export function isShared({ driver }: StoreSettings): boolean {
  return driver === 'postgres' || driver === 'redis'
}

/** Where a store is, in words for people: never user, password or parameters. */
export function renderStore(store: StoreSettings): string {
  if (store.driver === 'memory') return 'memory, gone when this process ends'
  if (store.driver === 'sqlite') return `SQLite ${store.path}`
  const { host, pathname } = new URL(store.url)
  const name = store.driver === 'postgres' ? 'PostgreSQL' : 'Redis'
  const prefix = store.prefix === defaultPrefix ? '' : `, prefix ${store.prefix}`
  return `${name} at ${host}${pathname === '/' ? '' : pathname}${prefix}`
}

/**
 * Opens a store, creating or migrating it.
 *
 * @throws Error `StartError` written for the owner
 */
export async function openStore(
  store: StoreSettings,
  { clock, log }: { clock: Clock; log?: Log | undefined },
): Promise<Store> {
  if (store.driver === 'memory') {
    return (await import('../../storage/memory.ts')).memoryStore({ clock })
  }
  if (store.driver === 'sqlite') {
    return (await import('../../storage/sqlite.ts')).sqliteStore({ path: store.path, clock })
  }
  if (store.driver === 'redis') {
    const { driver: _, ...options } = store
    return (await import('../../storage/redis.ts')).redisStore({ ...options, clock, log })
  }
  const { url, directUrl, prefix: table } = store
  return (await import('../../storage/postgres.ts')).postgresStore({ url, directUrl, table, clock })
}

/**
 * What can be told of a store's place without changing anything there; undefined for memory.
 *
 * @throws Error `StartError` when it cannot be reached, or belongs to another program
 */
export async function describeStore(store: StoreSettings): Promise<StoreReport | undefined> {
  if (store.driver === 'memory') return undefined
  if (store.driver === 'sqlite') {
    return (await import('../../storage/sqlite-report.ts')).describeSqlite(store.path)
  }
  if (store.driver === 'redis') {
    return (await import('../../storage/redis-report.ts')).describeRedis(store)
  }
  const { url, prefix: table } = store
  return (await import('../../storage/postgres-report.ts')).describePostgres({ url, table })
}
