/**
 * Refresh tokens: `ghr_<grant id>_<secret>`, 70 characters. Stored only as a hash.
 *
 * What a retry must be given back, the successor, is sealed under a key that only its predecessor
 * yields, so that a stolen database opens nothing (catalogue P3, SG-14).
 */
import { OAuthError } from '../errors.ts'
import { type Random, sha256 } from '../platform/crypto.ts'
import { decryptText, deriveKey, encryptText } from '../storage/envelope.ts'

const shape = /^ghr_([\w-]{22})_[\w-]{43}$/

const purpose = 'refresh successor'

/**
 * A new refresh token of a grant, with a secret of 256 bits.
 *
 * @throws TypeError when the grant id is not 22 base64url characters (128 bits)
 */
export function mintRefreshToken(grantId: string, random: Random): string {
  const token = `ghr_${grantId}_${random(32)}`
  if (!shape.test(token)) throw new TypeError(`Grant id ${grantId} is not 22 base64url characters`)
  return token
}

/** The grant that a well-formed token names; says nothing about whether the token is real (catalogue CD-15). */
export function parseRefreshToken(text: string): { grantId: string } | undefined {
  const grantId = shape.exec(text)?.[1]
  return grantId === undefined ? undefined : { grantId }
}

/** What is stored of a refresh token: the SHA-256 of all of it. */
export function hashRefreshToken(token: string): string {
  return sha256(token)
}

/** Seals a successor so that only the token it replaces opens it. */
export function sealSuccessor(presented: string, successor: string, random: Random): string {
  return `v1.${encryptText(deriveKey(presented, purpose), purpose, successor, random)}`
}

/**
 * The successor of the presented token.
 *
 * @throws OAuthError `server_error` with reason `unsealable` when it was sealed for another token or altered
 */
export function openSuccessor(presented: string, sealed: string): string {
  const body = sealed.startsWith('v1.') ? sealed.slice(3) : ''
  const successor = decryptText(deriveKey(presented, purpose), purpose, body)
  if (successor !== undefined) return successor
  throw new OAuthError('server_error', 'The server cannot read what it stored; ask its owner', {
    reason: 'unsealable',
  })
}
