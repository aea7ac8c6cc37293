/**
 * How statements are sent: each gets a connection, a deadline and up to three more attempts.
 *
 * A statement that changes something is repeated only when it certainly did nothing. Otherwise the
 * caller hears `temporarily_unavailable` and decides (catalogue SG-10, SG-18).
 */
import { systemRandom } from '../platform/crypto.ts'
import {
  findSqlState,
  isUndone,
  isUnknown,
  type PostgresConnection,
  type PostgresPool,
  type PostgresQuery,
  type PostgresResult,
  toStoreFault,
} from './postgres-client.ts'

/**
 * When a call is given up, and when no further attempt begins: an attempt waits two seconds at most
 * for a connection and one for a lock, and shall end by itself.
 */
const deadlineMilliseconds = 5000
const lastStartMilliseconds = 3000

/** Further attempts after the first, and the pause before the first of them; it doubles. */
const mostRetries = 3
const firstPauseMilliseconds = 20

/** The one way to the database. */
export interface PostgresCalls {
  /**
   * Sends a statement that may run twice.
   *
   * @throws OAuthError `temporarily_unavailable`
   */
  repeat(text: string, values: unknown[]): Promise<PostgresResult>
  /**
   * Sends a statement that must not run twice.
   *
   * @throws OAuthError `temporarily_unavailable`; it is unknown then whether it ran
   */
  runOnce(text: string, values: unknown[]): Promise<PostgresResult>
  /**
   * Sends a statement that must not run twice, and that its caller would rather divide than repeat.
   *
   * @throws OAuthError `temporarily_unavailable`; `didNothing` says whether it certainly did not run
   */
  tryOnce(text: string, values: unknown[]): Promise<PostgresResult>
}

/** Creates the calls over a pool. */
export function createPostgresCalls(pool: PostgresPool): PostgresCalls {
  return {
    repeat: (text, values) =>
      send(pool, { text, values }, (error) => isUndone(error) || isUnknown(error)),
    runOnce: (text, values) => send(pool, { text, values }, isUndone),
    tryOnce: (text, values) => send(pool, { text, values }, () => false),
  }
}

async function send(
  pool: PostgresPool,
  query: PostgresQuery,
  mayRepeat: (error: unknown) => boolean,
): Promise<PostgresResult> {
  const begun = performance.now()
  for (let retries = 0; ; retries++) {
    const outcome = await attempt(pool, query, begun + deadlineMilliseconds)
    if ('result' in outcome) return outcome.result
    const { error, wasSent } = outcome
    const pause = firstPauseMilliseconds * 2 ** retries * (0.5 + pickFraction())
    const isLate = performance.now() + pause - begun > lastStartMilliseconds
    if (retries === mostRetries || isLate || (wasSent && !mayRepeat(error))) {
      throw toStoreFault(error)
    }
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}

type Outcome = { result: PostgresResult } | { error: unknown; wasSent: boolean }

async function attempt(
  pool: PostgresPool,
  query: PostgresQuery,
  deadline: number,
): Promise<Outcome> {
  let connection: PostgresConnection
  try {
    connection = await pool.connect()
  } catch (error) {
    return { error, wasSent: false }
  }
  try {
    const remaining = Math.max(1, deadline - performance.now())
    const result = await connection.query({ ...query, query_timeout: remaining })
    connection.release()
    return { result }
  } catch (error) {
    // A server that has become read-only is the primary no more: the next connection may find it.
    connection.release(isUnknown(error) || findSqlState(error) === isReadOnly)
    return { error, wasSent: true }
  }
}

const isReadOnly = '25006'

/** Between 0 and 1, so that those who collided do not collide again. */
function pickFraction(): number {
  return Buffer.from(systemRandom(1), 'base64url').readUInt8() / 255
}
