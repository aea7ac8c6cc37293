/** Browser sign-in sessions: opaque cookies over revocable records. */
import type { KnownUser } from './users.ts'

/** A session as the request's cookie named it. */
export interface LiveSession {
  /** SHA-256 of the cookie: the session's key. */
  readonly hash: string
  readonly user: KnownUser
}

/** Opens and ends sessions. */
export interface Sessions {
  /** The cookie value of a new session. At most five a user: the oldest ends. */
  open(userId: string): Promise<string>
  /** The live session of a cookie value; undefined when there is none or its user is gone. */
  find(cookie: string | undefined): Promise<LiveSession | undefined>
  end(cookie: string): Promise<void>
}
