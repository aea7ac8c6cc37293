/**
 * `user/<id>`: a person who may sign in.
 * `removed-user/<id>`: somebody who no longer may; kept for ever, because it is what a refresh is checked
 * against in its one commit. It holds nothing of the person: ids are random.
 * `user-by-login/<keyed hash of the e-mail>` and `user-by-upstream/<keyed hash of provider and subject>` find it.
 * `user-by-email/<keyed hash of the e-mail>`: everyone for whom a provider verified this address.
 *
 * Names and e-mail addresses are sealed; keys are keyed hashes. The id is random and is the `sub` of tokens.
 */
import { defineRecord } from './record.ts'

/** A person. */
export interface User {
  readonly id: string
  /** The owner of this installation may see its console and statistics. */
  readonly role: 'owner' | 'user'
  /** Sealed JSON of {@link Profile}. */
  readonly sealedProfile: string
  /** scrypt hash of the password, for local users: `scrypt$N$r$p$salt$hash`, sealed. */
  readonly sealedPassword?: string
  /** The identity provider that vouches for the person: `local`, `github` … */
  readonly upstream: string
  /** The `user-by-…` key that leads here, so that both can be removed together. */
  readonly lookupKey: string
  /** Other providers through which the same person signs in, linked by a verified e-mail address. */
  readonly otherLogins?: readonly UpstreamLogin[]
  /** The `user-by-email` key that lists the user; absent without a verified address. */
  readonly emailKey?: string
  /** Unix seconds. */
  readonly createdAt: number
}

/** One way of signing in. */
export interface UpstreamLogin {
  readonly upstream: string
  /** The `user-by-upstream` key that leads to the user. */
  readonly lookupKey: string
}

/** What we know of a person; personal data, always sealed. */
export interface Profile {
  /** What the person signs in with: an e-mail address, or the login at the provider. */
  readonly login: string
  readonly email?: string
  readonly emailVerified?: boolean
  readonly name?: string
}

export const users = defineRecord<User>('user')
export const removedUsers = defineRecord<{ at: number }>('removed-user')
export const usersByLogin = defineRecord<{ userId: string }>('user-by-login')
export const usersByUpstream = defineRecord<{ userId: string }>('user-by-upstream')
export const usersByEmail = defineRecord<{ userIds: readonly string[] }>('user-by-email')
