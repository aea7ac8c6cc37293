/**
 * `session/<sha256 of the cookie>`: a browser in which someone is signed in.
 * `user-session/<user id>` lists the hashes of a user's sessions, oldest first.
 */
import { defineRecord } from './record.ts'

/** A signed-in browser. */
export interface Session {
  readonly userId: string
  /** How the person signed in: `local` or the id of a provider. Default: the user's own. */
  readonly upstream?: string
  /** The application at that provider in whose name they did (`registration: management`). */
  readonly applicationId?: string
  /** Unix seconds. */
  readonly createdAt: number
  readonly expiresAt: number
}

export const sessions = defineRecord<Session>('session')
export const userSessions = defineRecord<{ hashes: readonly string[] }>('user-session')
