/**
 * Access tokens of somebody else's issuer, for verify mode (R8): the upstream signs people in and issues
 * the tokens, and the gate lets in whoever carries one that was made for it.
 *
 * Takes the place of our own verifier (`tokens/access-token.ts`). Issuer, audience, times, algorithm and
 * signature are checked; keys inside a token are never looked at (catalogue JW-01 to JW-16).
 */
import type { JWTPayload } from 'jose'
import { JOSEError } from 'jose/errors'
import { jwtVerify } from 'jose/jwt/verify'
import { LRUCache } from 'lru-cache'
import type { Backend, ForeignIssuer } from '../context.ts'
import { OAuthError } from '../errors.ts'
import { listResources } from '../oauth/resource.ts'
import { expandScopes, type ScopeHierarchy } from '../oauth/scope.ts'
import type { Clock } from '../platform/clock.ts'
import { sha256 } from '../platform/crypto.ts'
import type { Log } from '../platform/ports.ts'
import type { AccessTokenClaims, AccessTokens } from '../tokens/access-token.ts'
import { createIssuerKeys, type FindKey } from './issuer-keys.ts'

/** What verifying needs of the world. */
export interface VerifierPorts {
  readonly fetch: typeof fetch
  readonly clock: Clock
  readonly log: Log
}

/** Whose tokens, and for what. */
export interface UpstreamVerifierOptions extends ForeignIssuer, VerifierPorts {
  readonly backends: readonly Backend[]
  /** Scope → the narrower ones that it includes. Default: none. */
  readonly scopeHierarchy?: ScopeHierarchy | undefined
}

/** Longest token looked at, in characters. */
const longestToken = 8192
/** How far the issuer's clock may be ahead of ours. Expiry has no leeway. */
const skewSeconds = 30
/** What access tokens call themselves; other kinds of JWT have names of their own (RFC 8725 §3.11). */
const tokenTypes = /^(?:application\/)?(?:at\+)?jwt$/i
/** Verified tokens remembered at most, and for how long: by then a withdrawn key is forgotten too. */
const rememberedTokens = 10_000
const rememberSeconds = 300

/** Verifies the tokens of one issuer, and mints none. */
export function createUpstreamVerifier(options: UpstreamVerifierOptions): AccessTokens {
  const { clock } = options
  const findKey = createIssuerKeys(options)
  const verified = new LRUCache<string, { claims: AccessTokenClaims; until: number }>({
    max: rememberedTokens,
  })
  return {
    mint: async () => {
      throw new OAuthError('server_error', 'The tokens of this server are issued elsewhere', {
        reason: 'mint_in_verify_mode',
      })
    },
    async verify(token) {
      if (token.length > longestToken) throw refuse('too_long')
      const hash = sha256(token)
      const known = verified.get(hash)
      const claims =
        known && clock.now() < known.until
          ? known.claims
          : toClaims(await verifyToken(token, findKey, options), hash, options)
      if (claims.exp <= clock.now()) throw refuse('expired')
      if (known?.claims !== claims)
        verified.set(hash, { claims, until: clock.now() + rememberSeconds })
      return claims
    },
    isStanding: () => true,
  }
}

async function verifyToken(
  token: string,
  findKey: FindKey,
  { issuer, algorithms, clock }: UpstreamVerifierOptions,
): Promise<JWTPayload> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, findKey, {
      issuer,
      algorithms: [...algorithms],
      currentDate: new Date(clock.now() * 1000),
      clockTolerance: skewSeconds,
      requiredClaims: ['exp', 'sub', 'aud'],
    })
    if (!tokenTypes.test(protectedHeader.typ ?? 'JWT')) throw refuse('typ')
    return payload
  } catch (error) {
    if (error instanceof JOSEError)
      throw refuse(error.code.replace(/^ERR_/, '').toLowerCase(), error)
    throw error
  }
}

/** The claims as the gate knows them; `aud` and `alsoFor` become the resources that the token opens. */
function toClaims(
  payload: JWTPayload,
  hash: string,
  options: UpstreamVerifierOptions,
): AccessTokenClaims {
  const { issuer, requiredScopes, clock } = options
  const { sub, exp = 0, iat = clock.now() } = payload
  if (typeof sub !== 'string' || sub === '') throw refuse('sub')
  if (iat > clock.now() + skewSeconds) throw refuse('issued_in_future')
  const scopes = readScopes(payload)
  const held = expandScopes(scopes, options.scopeHierarchy ?? {})
  const missing = requiredScopes.filter((scope) => !held.has(scope))
  if (missing.length > 0) throw refuseScope(missing)
  const jti = typeof payload.jti === 'string' ? payload.jti : hash
  const [aud, ...alsoFor] = findResources(payload, options)
  const claims = {
    iss: issuer,
    sub,
    aud,
    alsoFor,
    exp,
    iat,
    jti,
    client_id: readClientId(payload),
    scope: scopes.join(' '),
    gid: jti,
  }
  return Object.freeze(claims)
}

/** The resources of ours that the token is for; the gate looks for the one that was asked for among them. */
function findResources(
  { aud = [] }: JWTPayload,
  { backends, audience }: UpstreamVerifierOptions,
): [string, ...string[]] {
  const named = [aud].flat()
  const found = backends.filter((backend) =>
    (audience === undefined ? listResources(backend) : [{ resource: audience }]).some(
      ({ resource }) => named.includes(resource),
    ),
  )
  const [first, ...more] = found.map(({ resource }) => resource)
  if (first !== undefined) return [first, ...more]
  throw new OAuthError('invalid_token', 'The access token is for another resource', {
    reason: 'audience_mismatch',
  })
}

/** `scope` (RFC 9068), `scp` (Entra, Okta) and `permissions` (Auth0) together. */
function readScopes(payload: JWTPayload): string[] {
  const claims = [payload.scope, payload.scp, payload.permissions].flat()
  const texts = claims.filter((claim) => typeof claim === 'string')
  const scopes = texts.flatMap((text) => text.split(' ')).filter((scope) => scope !== '')
  return [...new Set(scopes)]
}

/** `client_id` (RFC 9068), `azp` (Auth0, Google), `appid` (Entra v1), `cid` (Okta). */
function readClientId({ client_id, azp, appid, cid }: JWTPayload): string {
  const named = [client_id, azp, appid, cid].find((claim) => typeof claim === 'string')
  return typeof named === 'string' ? named : ''
}

function refuseScope(missing: readonly string[]): OAuthError {
  const description = `The access token lacks the scope ${missing.join(' ')}`
  return new OAuthError('insufficient_scope', description, { reason: 'scope_missing' })
}

function refuse(reason: string, cause?: unknown): OAuthError {
  return new OAuthError('invalid_token', 'The access token is invalid or has expired', {
    reason,
    cause,
  })
}
