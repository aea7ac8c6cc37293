/**
 * `link/<user id>/<provider id>`: what an identity provider gave us for one person, sealed, and when it last
 * vouched for them.
 *
 * One process at a time works with the provider for a person: it holds the lease, which expires, and
 * writes its result only over the version that it leased or over the tokens that it spent (fencing). Kept
 * until the last grant that rests on it ends or the user is removed.
 */
import { defineRecord } from './record.ts'

/** A person's tie to a provider. */
export interface Link {
  /** Sealed JSON of the provider's tokens (purpose `upstream-tokens`, row = the key). Absent: none are kept. */
  readonly sealedTokens?: string
  /** Unix seconds when the provider gave them. */
  readonly givenAt?: number
  /** Unix seconds when the access token ends, as far as the provider said. */
  readonly expiresAt?: number
  /** Unix seconds from which on the access token is refreshed. Absent: it does not end. */
  readonly refreshFrom?: number
  /** Unix seconds when the provider last said that the person may enter. */
  readonly verifiedAt: number
  /**
   * Who is asking the provider, and until when the others wait for it. `after`: from whom it was taken over,
   * who may have spent the refresh token and may still come with what it brought.
   */
  readonly lease?: { readonly holder: string; readonly until: number; readonly after?: string }
  /** Unix seconds when the provider refused the tokens while somebody else might still bring newer ones. */
  readonly doubtedAt?: number
  /** Unix seconds until which nobody asks again: the provider has just failed. */
  readonly restUntil?: number
  /** Unix seconds since when there are no tokens any more. The person must sign in again. */
  readonly endedAt?: number
  /** Why: the provider refused its tokens for good, or the person may no longer enter. */
  readonly endedWhy?: 'refused' | 'not_admitted'
}

export const links = defineRecord<Link>('link')
