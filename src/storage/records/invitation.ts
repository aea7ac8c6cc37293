/**
 * `invitation/<keyed hash of provider and e-mail or login>`: somebody who may sign in for the first time.
 *
 * Gone when it is used, in the commit that creates the user, and when it is taken back. One that expired
 * goes with the next invitation or listing.
 */
import { defineRecord } from './record.ts'
import type { User } from './user.ts'

/** An invitation. */
export interface Invitation {
  /** Sealed JSON of {@link Guest} (purpose `invitation`, row = the key). */
  readonly sealedGuest: string
  /** What the user will be. */
  readonly role: User['role']
  /** Unix seconds. */
  readonly createdAt: number
  /** Unix seconds from which it counts no more. */
  readonly expiresAt: number
}

/** Who is invited: an address that some provider verified, or a login at one provider. */
export type Guest =
  | { readonly email: string; readonly upstream?: string }
  | { readonly login: string; readonly upstream: string }

export const invitations = defineRecord<Invitation>('invitation')
