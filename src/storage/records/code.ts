/**
 * `code/<sha256 of the code>`: an authorization code (OAuth 2.1 §4.1.2).
 *
 * Used once: redemption writes `redeemedAt` in the same commit that creates the grant. The record
 * outlives the code so that a replay can be recognised.
 */
import { defineRecord } from './record.ts'

/** What a code stands for. Everything the token request must agree with is bound here. */
export interface AuthorizationCode {
  readonly clientId: string
  readonly userId: string
  /** How the person signed in: `local` or the id of a provider. */
  readonly upstream?: string
  /** Exactly as in the authorization request, loopback port included. */
  readonly redirectUri: string
  /** Whether the authorization request named it (then a token request that names one must agree). */
  readonly codeChallenge?: string
  readonly resource: string
  readonly scope: string
  /** What the client had asked for; a refresh may repeat it and is narrowed to `scope`. */
  readonly requestedScope: string
  /** Unix seconds after which it cannot be redeemed. */
  readonly expiresAt: number
  /** The grant it will become, chosen when the code is made. */
  readonly grantId: string
  /** Unix seconds of the redemption. */
  readonly redeemedAt?: number
  /** Failed redemptions (wrong client or verifier); at five the code is burnt. */
  readonly failures: number
}

/** How long a redeemed or expired code is remembered so that a replay ends the grant, in seconds. */
export const codeMemorySeconds = 3600

/** Failed redemptions after which a code is burnt. */
export const codeFailuresAllowed = 5

export const codes = defineRecord<AuthorizationCode>('code')
