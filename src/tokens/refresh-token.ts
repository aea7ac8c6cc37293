/**
 * Refresh tokens: `ghr_<grant id>_<secret>_<tag>`, 93 characters. Stored only as a hash.
 *
 * The grant id lets everything be read in one round trip. It is no secret (access tokens carry it), so
 * the tag tells a token that was once ours from one that somebody made up: only the former may end a
 * grant when it comes back too late (catalogue CD-07 for refresh tokens, RF-04).
 *
 * What a retry must be given back, the successor, is sealed under a key that only its predecessor
 * yields, so that a stolen database opens nothing (catalogue P3, SG-14).
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { OAuthError } from '../errors.ts'
import { equalInConstantTime, type Random, sha256 } from '../platform/crypto.ts'
import { decryptText, encryptText } from '../storage/envelope.ts'
import type { Family } from '../storage/records/family.ts'
import type { Sealer } from '../storage/sealer.ts'

const shape = /^ghr_([\w-]{22})_([\w-]{43})_([\w-]{22})$/

const purpose = 'gatehouse refresh successor'

/** What makes and recognises refresh tokens. */
export interface RefreshTokenPorts {
  readonly sealer: Pick<Sealer, 'index'>
  readonly random: Random
}

/**
 * A new refresh token of a grant, with a secret of 256 bits.
 *
 * @throws TypeError when the grant id is not 22 base64url characters (128 bits)
 */
export function mintRefreshToken(grantId: string, { sealer, random }: RefreshTokenPorts): string {
  const secret = random(32)
  const token = `ghr_${grantId}_${secret}_${toTag(grantId, secret, sealer)}`
  if (!shape.test(token)) throw new TypeError(`Grant id ${grantId} is not 22 base64url characters`)
  return token
}

/** The grant that a well-formed token names; says nothing about whether the token is real (catalogue CD-15). */
export function parseRefreshToken(text: string): { grantId: string } | undefined {
  const grantId = shape.exec(text)?.[1]
  return grantId === undefined ? undefined : { grantId }
}

/** Whether this server once made the token, dead or alive. */
export function isGenuine(text: string, { sealer }: Pick<RefreshTokenPorts, 'sealer'>): boolean {
  const [, grantId, secret, tag] = shape.exec(text) ?? []
  if (grantId === undefined || secret === undefined || tag === undefined) return false
  return equalInConstantTime(toTag(grantId, secret, sealer), tag)
}

function toTag(grantId: string, secret: string, sealer: Pick<Sealer, 'index'>): string {
  return sealer.index('refresh-token', `${grantId} ${secret}`).slice(0, 22)
}

/** What is stored of a refresh token: the SHA-256 of all of it. */
export function hashRefreshToken(token: string): string {
  return sha256(token)
}

/** Seals a successor so that only the token it replaces opens it. */
export function sealSuccessor(presented: string, successor: string, random: Random): string {
  return `v2.${encryptText(toSuccessorKey(presented), purpose, successor, random)}`
}

/**
 * The successor of the presented token.
 *
 * @throws OAuthError `server_error` with reason `unsealable` when it was sealed for another token or altered
 */
export function openSuccessor(presented: string, sealed: string): string {
  const body = sealed.startsWith('v2.') ? sealed.slice(3) : ''
  const successor = decryptText(toSuccessorKey(presented), purpose, body)
  if (successor !== undefined) return successor
  throw new OAuthError('server_error', 'The server cannot read what it stored; ask its owner', {
    reason: 'unsealable',
  })
}

/**
 * The key that a token yields: HKDF's expand step alone, since the secret of a token is uniformly random
 * already (RFC 5869 §2.3, §3.3). Every refresh pays for it.
 */
function toSuccessorKey(token: string): KeyObject {
  const secret = createSecretKey(token, 'utf8')
  return createSecretKey(createHmac('sha256', secret).update(`${purpose}\x01`).digest())
}

/** The successor that a family sealed for its last predecessor; undefined when the record was damaged. */
export function findSealedSuccessor(
  token: string,
  { sealedSuccessor, currentHash }: Pick<Family, 'sealedSuccessor' | 'currentHash'>,
): string | undefined {
  try {
    const successor = openSuccessor(token, sealedSuccessor ?? '')
    return hashRefreshToken(successor) === currentHash ? successor : undefined
  } catch (error) {
    if (error instanceof OAuthError) return undefined
    throw error
  }
}
