/**
 * Access tokens signed with a secret that backends share (HS256, RFC 7518 §3.2; S5).
 *
 * The secret stands in place of the key ring where access tokens are minted and verified, and never
 * beside it: a verifier knows keys of one kind, so that nothing signed with a public key as if it were a
 * secret can pass (catalogue JW-02). It is configuration: not stored, and in no key set.
 */
import { createHmac, createSecretKey } from 'node:crypto'
import { createClaimsSigner, type VerificationKey } from './key-signature.ts'
import type { KeyRing } from './keys.ts'

/** What signs and verifies access tokens: the key ring, or shared secrets. */
export type TokenKeys = Pick<KeyRing, 'sign' | 'find' | 'resolve'>

/** Shortest secret in bytes: as long as what SHA-256 yields (RFC 7518 §3.2). */
export const shortestSecretBytes = 32

/** The secrets of an installation. */
export interface SharedSecrets {
  /** Signs and verifies. */
  readonly secret: Uint8Array
  /** Verifies too: the one before, or the one to come, while instances change over. */
  readonly previous?: Uint8Array | undefined
}

/** Keys made of shared secrets. */
export function createSharedSecretKeys({ secret, previous }: SharedSecrets): TokenKeys {
  const keys = [secret, ...(previous ? [previous] : [])].map(toKey)
  const [current] = keys
  if (!current) throw new TypeError('There is no shared secret')
  const find = (kid: string) => keys.find((key) => key.kid === kid)
  return {
    find,
    resolve: async (kid) => find(kid),
    sign: createClaimsSigner(current.key, current),
  }
}

/** A key and its name, which tells no more of the secret than a token does. */
function toKey(secret: Uint8Array): VerificationKey & { readonly kid: string } {
  const kid = createHmac('sha256', secret).update('gatehouse kid').digest('base64url').slice(0, 22)
  return { key: createSecretKey(secret), alg: 'HS256', kid }
}
