/** The connections to backends. Loaded with the first of them: undici takes as long to load as all of ours. */
import { Agent } from 'undici'

/** Longest wait for a connection to a backend, in milliseconds (catalogue PX-11). */
const connectTimeoutMs = 5000

/**
 * The connections to all backends of one process; `close()` waits for requests in flight, `destroy()`
 * does not.
 *
 * Idle connections are dropped after 4 s, or a second before the backend said it would, so that a
 * request seldom meets a closing one; it is never sent twice (catalogue PX-13).
 */
export function createBackendAgent(): Agent {
  return new Agent({
    connect: { timeout: connectTimeoutMs },
    bodyTimeout: 0,
    keepAliveTimeout: 4000,
    allowH2: false,
  })
}
