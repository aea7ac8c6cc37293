/**
 * `consent/<keyed hash of user, client, redirect URI, resource>`: a choice the person asked us to remember.
 *
 * Valid only for the same scopes or fewer and for the same client metadata; anything else asks again.
 */
import { defineRecord } from './record.ts'

/** A remembered choice. */
export interface RememberedConsent {
  readonly userId: string
  readonly clientId: string
  readonly scope: string
  /** SHA-256 of the client's metadata when it was given. */
  readonly metadataHash: string
  /** Unix seconds. */
  readonly at: number
}

export const consents = defineRecord<RememberedConsent>('consent')
