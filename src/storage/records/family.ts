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
}

export const families = defineRecord<Family>('family')
