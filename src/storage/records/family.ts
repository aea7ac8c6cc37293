/**
 * `family/<grant id>`: the chain of refresh tokens of one grant (OAuth 2.1 §4.3, RFC 9700 §4.14).
 *
 * Only two of its tokens are ever known: the current one and its immediate predecessor. The current
 * one is kept for the predecessor's retry, sealed under a key derived from the predecessor itself, so
 * that a stolen database opens nothing.
 */
import { defineRecord } from './record.ts'

/** The state of a refresh family. Hashes are SHA-256 of the whole token. */
export interface Family {
  readonly currentHash: string
  /** Unix seconds when the current token was made; the retry windows count from here. */
  readonly rotatedAt: number
  /** Unix seconds after which the current token is dead of idleness. */
  readonly idleExpiresAt: number
  readonly previousHash?: string
  /** The current token, sealed under a key that only the previous token yields. */
  readonly sealedSuccessor?: string
  /** Rotations so far. */
  readonly generation: number
  /**
   * When the access tokens that came with its refresh tokens expire, in unix seconds, oldest first; those that
   * had expired by the latest rotation are left out. For counting only (A4).
   */
  readonly accessExpiries?: readonly number[]
}

/** Access tokens of one family that are counted at most: so many refreshes in one lifetime are no honest client's. */
const expiriesKept = 16

/** The expiries of a family's access tokens with one more. */
export function addAccessExpiry(
  known: readonly number[] | undefined,
  expiresAt: number,
  now: number,
): readonly number[] {
  const live = (known ?? []).filter((time) => time > now)
  return [...live, expiresAt].slice(-expiriesKept)
}

export const families = defineRecord<Family>('family')
