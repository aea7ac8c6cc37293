/**
 * `link/<user id>/<provider id>`: what an identity provider gave us for one person, sealed, and when it last
 * vouched for them.
 *
 * One process at a time refreshes the tokens: it holds the lease, which expires, and writes its result
 * only over the version that it leased (fencing).
 */
import { defineRecord } from './record.ts'

/** A person's tie to a provider. */
export interface Link {
  /** Sealed JSON of the provider's tokens (purpose `upstream-tokens`, row = the key). Absent: none are kept. */
  readonly sealedTokens?: string
  /** Unix seconds when the access token ends, as far as the provider said. */
  readonly expiresAt?: number
  /** Unix seconds when the provider last said that the person may enter. */
  readonly verifiedAt: number
  /** Who is refreshing, and until when the others wait for it. */
  readonly lease?: { readonly holder: string; readonly until: number }
  /** Why there are no tokens any more: the provider refused them for good. The person must sign in again. */
  readonly endedAt?: number
}

export const links = defineRecord<Link>('link')
