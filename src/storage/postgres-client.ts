/**
 * The part of a PostgreSQL client that the driver calls, how the optional package `pg` is brought to
 * it, and what its errors mean.
 *
 * The types are structural, so that nothing of `pg` shows in ours.
 */
import { OAuthError, unavailable } from '../errors.ts'
import { toStartError } from './start-error.ts'

/** A statement. Without values it may be several, separated by semicolons. Never named (see below). */
export interface PostgresQuery {
  readonly text: string
  readonly values?: unknown[]
  /** Milliseconds after which the client gives up; the connection is of no use then. */
  readonly query_timeout?: number
}

/** What a statement answered with. */
export interface PostgresResult {
  readonly rows: unknown[]
  readonly rowCount: number | null
}

/** A connection taken from the pool. */
export interface PostgresConnection {
  query(query: PostgresQuery): Promise<PostgresResult>
  /** Gives it back, or throws it away. */
  release(broken?: boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** Connections that are opened when needed. */
export interface PostgresPool {
  connect(): Promise<PostgresConnection>
  end(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'connect', listener: (connection: PostgresConnection) => void): unknown
}

/** A connection of its own, which notifications come in on. */
export interface PostgresListener {
  connect(): Promise<unknown>
  query(query: PostgresQuery): Promise<PostgresResult>
  end(): Promise<void>
  on(event: 'notification', listener: (message: { payload?: string | undefined }) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
}

/** What both are created from; members as `pg` names them. */
export interface PostgresConfig {
  readonly connectionString: string
  readonly connectionTimeoutMillis: number
  readonly keepAlive: boolean
  readonly fallback_application_name: string
  readonly max?: number
}

/** The package `pg`, as far as it is used. */
export interface PostgresModule {
  readonly Pool: new (config: PostgresConfig) => PostgresPool
  readonly Client: new (config: PostgresConfig) => PostgresListener
}

/**
 * Loads `pg`, an optional peer dependency.
 *
 * @throws Error `StartError` when it is not installed
 */
export async function loadPostgres(): Promise<PostgresModule> {
  try {
    return await import('pg')
  } catch (cause) {
    throw toStartError(
      'A PostgreSQL store needs the package pg; install it beside Gatehouse: npm install pg',
      cause,
    )
  }
}

/** Longest wait for a connection, be it from the server or from a full pool. */
const connectMilliseconds = 2000

/**
 * The settings of every connection.
 *
 * Nothing here or elsewhere in the driver is session state: no startup parameters but the name, no
 * `SET`, no prepared statements with a name. A pooler in transaction mode (PgBouncer) gives each
 * transaction another session, and refuses startup parameters that it does not know.
 */
export function toConfig(url: string, poolSize?: number): PostgresConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: connectMilliseconds,
    keepAlive: true,
    fallback_application_name: 'gatehouse',
    ...(poolSize !== undefined && { max: poolSize }),
  }
}

/** Where a database is, for messages: never user, password or parameters. */
export function toPlace(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}

/** The SQLSTATE of an error; undefined when it does not come from the server. */
export function findSqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return undefined
  return String(error.code)
}

/** Class 40: lost against another transaction. 55P03: a lock. 53: the server is full. 57014: its time-out. */
const passing = /^(40...|55P03|53...|57014)$/

/**
 * Whether the server said that the statement did nothing and that it may succeed another time
 * (catalogue SG-18). Errors that end the connection (FATAL) say nothing of the statement.
 */
export function isUndone(error: unknown): boolean {
  const isPlain = error instanceof Error && 'severity' in error && error.severity === 'ERROR'
  return isPlain && passing.test(findSqlState(error) ?? '')
}

/** Whether it is unknown what became of the statement: the connection broke or time ran out. */
export function isUnknown(error: unknown): boolean {
  const isPlain = error instanceof Error && 'severity' in error && error.severity === 'ERROR'
  return !isPlain
}

/** Whether a store fault says that the server undid the statement, whatever the reason. */
export function didNothing(fault: unknown): boolean {
  return fault instanceof OAuthError && !isUnknown(fault.cause)
}

const reasons: readonly [RegExp, string][] = [
  [/^(40...|55P03)$/, 'store_contended'],
  [/^53100$/, 'store_full'],
  [/^53/, 'store_busy'],
  [/^57014$/, 'store_timeout'],
  [/^25006$/, 'store_read_only'],
  [/^(08|28|57)/, 'store_unreachable'],
]

/** `temporarily_unavailable` with a reason for the log. */
export function toStoreFault(error: unknown): OAuthError {
  const state = findSqlState(error)
  if (state !== undefined) {
    return unavailable(reasons.find(([states]) => states.test(state))?.[1] ?? 'store_error', error)
  }
  const message = error instanceof Error ? error.message : ''
  // `pg` gives these two no code.
  if (message.startsWith('timeout exceeded')) return unavailable('store_busy', error)
  if (message === 'Query read timeout') return unavailable('store_timeout', error)
  return unavailable('store_unreachable', error)
}
