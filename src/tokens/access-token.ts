/**
 * Access tokens: JWTs of the RFC 9068 profile, audience = one resource.
 *
 * Verification accepts exactly what {@link createAccessTokens} mints and nothing else (catalogue
 * JW-01 to JW-16): cheap checks of the shape come first, the key and its algorithm come from our own
 * keys by `kid`, and keys inside the token are never looked at.
 */
import { LRUCache } from 'lru-cache'
import { OAuthError } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import { type Random, sha256 } from '../platform/crypto.ts'
import { isSignedBy } from './key-signature.ts'
import type { TokenKeys } from './shared-secret.ts'

/** What an access token says. */
export interface AccessTokenClaims {
  readonly iss: string
  /** User id. */
  readonly sub: string
  /** The canonical resource. */
  readonly aud: string
  /** More resources that the token opens: only with tokens of another issuer, which may name several. */
  readonly alsoFor?: readonly string[]
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly client_id: string
  readonly scope: string
  /** Grant id, opaque to everyone else. */
  readonly gid: string
}

/** Mints and verifies access tokens. */
export interface AccessTokens {
  /** Signs a token that lives from now for `lifetimeSeconds`. */
  mint(
    claims: Pick<AccessTokenClaims, 'sub' | 'aud' | 'client_id' | 'scope' | 'gid'>,
    lifetimeSeconds: number,
  ): Promise<string>
  /**
   * Checks signature, `typ`, issuer, times and all claims, but not audience and revocation.
   * Verified tokens are remembered by their SHA-256 until they expire or their key is gone.
   *
   * @throws OAuthError `invalid_token`; `temporarily_unavailable` only for a key that is not known
   *   while the store cannot be asked: everything else is in memory
   */
  verify(token: string): Promise<AccessTokenClaims>
  /**
   * Whether the key that signed these claims is still one of ours: a stream outlives the verification of
   * its token. Only for claims that {@link AccessTokens.verify} returned.
   */
  isStanding(claims: AccessTokenClaims): boolean
}

/** What access tokens are made of. */
export interface AccessTokensOptions {
  /** The `iss` of every token, byte for byte. */
  issuer: string
  /** The key ring, or secrets that backends share: never both, so that a token has one way to be right. */
  keys: TokenKeys
  clock: Clock
  random: Random
}

/** Longest token looked at, in characters. Ours are under 1 000. */
const longestToken = 8192

/** How far another process's clock may be ahead of ours. Expiry has no leeway. */
const skewSeconds = 30

/** Verified tokens remembered at most. */
const rememberedTokens = 10_000

const tokenType = 'at+jwt'

/** Creates the minter and verifier of one issuer. */
export function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const { issuer, keys, clock, random } = options
  const verified = new LRUCache<string, AccessTokenClaims>({ max: rememberedTokens })
  const signers = new WeakMap<AccessTokenClaims, string>()

  const verifyFresh = async (token: string): Promise<AccessTokenClaims> => {
    const { kid, payload } = await verifySignature(token, keys)
    const claims = parseClaims(payload)
    if (claims.iss !== issuer) throw refuse('issuer')
    if (claims.iat > clock.now() + skewSeconds) throw refuse('issued_in_future')
    signers.set(claims, kid)
    return claims
  }
  const isStanding = (claims: AccessTokenClaims): boolean =>
    keys.find(signers.get(claims) ?? '') !== undefined
  const findVerified = (hash: string): AccessTokenClaims | undefined => {
    const known = verified.get(hash)
    return known && isStanding(known) ? known : undefined
  }

  return {
    mint({ sub, aud, client_id, scope, gid }, lifetimeSeconds) {
      const iat = clock.now()
      const exp = iat + lifetimeSeconds
      const claims = { iss: issuer, sub, aud, exp, iat, jti: random(16), client_id, scope, gid }
      return keys.sign(claims, tokenType)
    },
    async verify(token) {
      verifyShape(token)
      const hash = sha256(token)
      const claims = findVerified(hash) ?? (await verifyFresh(token))
      if (claims.exp <= clock.now()) {
        verified.delete(hash)
        throw refuse('expired')
      }
      verified.set(hash, claims)
      return claims
    },
    isStanding,
  }
}

const compactShape = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** Three base64url parts of bounded length, the last one canonical, so that a token has one spelling. */
function verifyShape(token: string): void {
  if (token.length > longestToken) throw refuse('too_long')
  if (!compactShape.test(token)) throw refuse('malformed')
  const signature = token.slice(token.lastIndexOf('.') + 1)
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) {
    throw refuse('malformed')
  }
}

/** Returns the payload's bytes and the key's name once the signature is right (RFC 7515 §5.2, RFC 8725 §3.1). */
async function verifySignature(
  token: string,
  keys: TokenKeys,
): Promise<{ kid: string; payload: Uint8Array }> {
  const header = parseObject(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url'))
  if (header.typ !== tokenType) throw refuse('typ')
  if (header.crit !== undefined) throw refuse('crit')
  const { kid } = header
  if (typeof kid !== 'string') throw refuse('unknown_key')
  const found = await keys.resolve(kid)
  if (!found) throw refuse('unknown_key')
  if (header.alg !== found.alg) throw refuse('alg')
  const end = token.lastIndexOf('.')
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  if (!isSignedBy(found, token.slice(0, end), signature)) throw refuse('signature')
  return { kid, payload: Buffer.from(token.slice(token.indexOf('.') + 1, end), 'base64url') }
}

function parseClaims(payload: Uint8Array): AccessTokenClaims {
  const claims = parseObject(payload)
  if (claims.nbf !== undefined) throw refuse('nbf')
  const text = (name: string): string => {
    const value = claims[name]
    if (typeof value !== 'string') throw refuse(`claim_${name}`)
    return value
  }
  const time = (name: string): number => {
    const value = claims[name]
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value <= 0) {
      throw refuse(`claim_${name}`)
    }
    return value
  }
  return Object.freeze({
    iss: text('iss'),
    sub: text('sub'),
    aud: text('aud'),
    exp: time('exp'),
    iat: time('iat'),
    jti: text('jti'),
    client_id: text('client_id'),
    scope: text('scope'),
    gid: text('gid'),
  })
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A JSON object, or a refusal: these bytes came from the network. */
function parseObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch (error) {
    throw refuse('malformed', error)
  }
  throw refuse('malformed')
}

function refuse(reason: string, cause?: unknown): OAuthError {
  return new OAuthError('invalid_token', 'The access token is invalid or has expired', {
    reason,
    cause,
  })
}
