/** The people who may sign in. */
import type { Stored } from '../storage/records/record.ts'
import type { Profile, User } from '../storage/records/user.ts'
import type { Identity } from './upstream.ts'

/** A user together with what we know of them, opened. */
export interface KnownUser {
  readonly record: Stored<User>
  readonly profile: Profile
}

/** Finds, creates and removes users. Every write is one commit. */
export interface Users {
  find(userId: string): Promise<KnownUser | undefined>
  /** Whether there is any user at all. */
  any(): Promise<boolean>
  list(): Promise<KnownUser[]>
  findByLogin(login: string): Promise<KnownUser | undefined>
  /**
   * The local user with this e-mail and password, or undefined. Takes as long for an unknown e-mail
   * as for a wrong password.
   */
  verifyPassword(email: string, password: string): Promise<KnownUser | undefined>
  /** @throws OAuthError `invalid_request` when the e-mail is malformed or taken, or the password too short */
  addLocal(email: string, password: string, role: User['role']): Promise<KnownUser>
  setPassword(userId: string, password: string): Promise<void>
  /** The user of an upstream identity, created at first sign-in; the profile is brought up to date. */
  admit(upstreamId: string, identity: Identity): Promise<KnownUser>
  /** Removes the user, their sessions and every grant they gave. Returns the ids of the grants that ended. */
  remove(userId: string): Promise<string[]>
}
