/**
 * `key/<kid>`: a key that signs tokens; `installation/self`: what this store belongs to.
 */
import type { JWK } from 'jose'
import { defineRecord } from './record.ts'

/** Algorithms Gatehouse signs access tokens with. */
export type SigningAlgorithm = 'ES256' | 'EdDSA' | 'RS256'

/** A signing key. The private part is sealed. */
export interface SigningKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly publicJwk: JWK
  readonly sealedPrivateJwk: string
  /** Unix seconds. */
  readonly createdAt: number
  /**
   * Unix seconds from which it signs, until a later one does: published before, so that whoever keeps
   * our key set in a cache knows it by then (catalogue DI-14). Absent: since it was made.
   */
  readonly activeAt?: number
}

/** What the first start wrote down about this installation. */
export interface Installation {
  readonly issuer: string
  readonly createdAt: number
  /**
   * The longest lifetime in seconds that access tokens of this store were ever given: for so long an ended
   * grant must be remembered, whatever the settings of the process that ends it.
   */
  readonly accessTokenSeconds?: number
  /** Provider id → within what its subjects are unique: who somebody is there depends on both (UP-08). */
  readonly providerIssuers?: Readonly<Record<string, string>>
  /** SHA-256 of the one-time token that lets the first owner set up an account; gone once used. */
  readonly setupHash?: string
  /** Keyed hash of the admin token. */
  readonly adminTokenHash?: string
}

export const signingKeys = defineRecord<SigningKey>('key')
export const installations = defineRecord<Installation>('installation')
