/**
 * The part of a Redis client that the driver calls, and how `@redis/client` is brought to it.
 *
 * `@redis/client` is an optional peer: it is imported when a Redis store is opened and not before.
 */
import { OAuthError, unavailable } from '../errors.ts'
import { toStartError } from './start-error.ts'

/** One connection to one server. It never reconnects by itself. */
export interface RedisClient {
  connect(): Promise<unknown>
  /** Commands are sent in the order of the calls, without waiting for each other's reply. */
  sendCommand(args: readonly string[]): Promise<unknown>
  pSubscribe(
    patterns: string[],
    listener: (message: string, channel: string) => void,
  ): Promise<void>
  /** Tells that the connection could not be made or is lost. */
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Waits for replies, then disconnects. */
  close(): Promise<void>
  /** Disconnects; what waits for a reply is rejected. */
  destroy(): void
}

/** Where a server listens. */
export interface RedisNode {
  readonly host: string
  readonly port: number
}

/** A server and how to get in. */
export interface RedisAddress extends RedisNode {
  readonly tls: boolean
  readonly username: string | undefined
  readonly password: string | undefined
  readonly database: number
}

const form = 'redis[s]://[[user][:password]@]host[:port][/database]'

/**
 * Reads `redis[s]://[[user][:password]@]host[:port][/database]`.
 *
 * @throws TypeError without the URL in its message, because of the password
 */
export function parseRedisUrl(url: string): RedisAddress {
  const parsed = URL.parse(url)
  const database = /^\/?(\d{0,4})$/.exec(parsed?.pathname ?? '')?.[1]
  const isRedis = parsed?.protocol === 'redis:' || parsed?.protocol === 'rediss:'
  if (!parsed || !isRedis || !parsed.hostname || database === undefined) {
    throw new TypeError(`The URL of a Redis store must have the form ${form}`)
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(parsed.port || 6379),
    tls: parsed.protocol === 'rediss:',
    username: decodePart(parsed.username),
    password: decodePart(parsed.password),
    database: Number(database),
  }
}

function decodePart(part: string): string | undefined {
  try {
    return decodeURIComponent(part) || undefined
  } catch {
    throw new TypeError('In the URL of a Redis store, write a % of user or password as %25')
  }
}

/** Names a server for its owner, without the password. */
export function toPlace({ host, port }: RedisNode): string {
  return `Redis at ${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** How long a server may take to accept a connection, in milliseconds. */
const connectMilliseconds = 3000

/** Most commands that wait in this process, for the socket or for a reply. */
const mostWaiting = 20_000

/**
 * Imports `@redis/client`.
 *
 * @returns a function that creates a client, not yet connected
 * @throws Error `StartError` when it is not installed
 */
export async function importRedisClient(): Promise<(address: RedisAddress) => RedisClient> {
  const { createClient } = await importLibrary()
  return ({ host, port, tls, username, password, database }) => {
    const socket = {
      host,
      port,
      connectTimeout: connectMilliseconds,
      reconnectStrategy: false,
    } as const
    return createClient({
      socket: tls ? { ...socket, tls } : socket,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      database,
      name: 'gatehouse',
      disableOfflineQueue: true,
      commandsQueueMaxLength: mostWaiting,
      maintNotifications: 'disabled',
      // The connection has a deadline of its own, which holds for the reply too.
      commandOptions: { timeout: 0 },
    })
  }
}

async function importLibrary() {
  try {
    return await import('@redis/client')
  } catch (cause) {
    throw toStartError(
      'The Redis store needs the package @redis/client, which cannot be loaded; run: npm install @redis/client',
      cause,
    )
  }
}

/** The code that an error reply of Redis begins with, such as `OOM`; undefined for other errors. */
export function findReplyCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  return /^([A-Z][A-Z0-9]+)(?: |$)/.exec(error.message)?.[1]
}

/** Where a cluster says that our keys live now, from its `MOVED <slot> <host>:<port>`. */
export function findMovedTo(error: unknown, from: RedisNode): RedisNode | undefined {
  if (findReplyCode(error) !== 'MOVED' || !(error instanceof Error)) return undefined
  const [, host, port] = /^MOVED \d+ (.*):(\d+)$/.exec(error.message) ?? []
  // Without a host it is the one that was asked (redis.io, Cluster specification, redirection).
  return port === undefined ? undefined : { host: host || from.host, port: Number(port) }
}

/** `temporarily_unavailable`: reason `store_<code>` for a reply of Redis, `store_lost` for a lost connection. */
export function toStoreFault(error: unknown): OAuthError {
  if (error instanceof OAuthError) return error
  return unavailable(`store_${findReplyCode(error)?.toLowerCase() ?? 'lost'}`, error)
}
