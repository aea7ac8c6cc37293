/**
 * Who is calling a backend: the access token of a request, verified, or the refusal that says how to
 * get one (RFC 6750, RFC 9728 §5.1, MCP 2026-07-28 authorization).
 */
import type { Backend, RequestContext } from '../context.ts'
import { OAuthError, unavailable } from '../errors.ts'
import { formatChallenge, parseBearer } from '../oauth/challenge.ts'
import { toStartingScopes } from '../oauth/policy.ts'
import { resourceMetadataPath } from '../oauth/resource.ts'
import type { AccessTokenClaims } from '../tokens/access-token.ts'
import type { Revocations } from '../tokens/revocations.ts'
import { toAnonymousClaims } from './anonymous.ts'
import { auditRefusal, noCredentials } from './refusal.ts'

/** The query parameter of RFC 6750 §2.3: no token alone, one too many beside a header (RS-04, RS-05). */
const queryToken = 'access_token'

/**
 * The claims of the request's token: signed by us, alive, for this backend, of a grant that stands. Where OAuth
 * is off, those of nobody in particular.
 *
 * Looks at header fields only, so that every method is answered before its body is read.
 *
 * @throws OAuthError with its challenge in `headers`: 401 without a token (no error code) or with a
 *   bad one (`invalid_token`), 400 `invalid_request` with several; 503 while revocations are unknown
 */
export async function verifyBearer(
  request: Request,
  backend: Backend,
  context: RequestContext,
): Promise<AccessTokenClaims> {
  if (!context.config.oauthEnabled) return toAnonymousClaims(backend, context.config)
  let claims: AccessTokenClaims | undefined
  try {
    const token = readToken(request)
    claims = await context.accessTokens.verify(token)
    verifyStanding(claims, backend, context.revocations)
  } catch (error) {
    const refusal = toRefusal(error, backend, context)
    auditRefusal(context, refusal, claims)
    throw refusal
  }
  return claims
}

/** The refusal of a token that was good when the request came and is no longer. */
export function tokenEnded(reason: string, backend: Backend, context: RequestContext): OAuthError {
  const error = new OAuthError('invalid_token', 'The access token expired or was revoked', {
    reason,
  })
  return withChallenge(error, backend, context)
}

function readToken(request: Request): string {
  const token = parseBearer(request.headers.get('authorization'))
  if (token === undefined)
    throw new OAuthError('invalid_token', 'This MCP server needs an access token; sign in first', {
      reason: noCredentials,
    })
  if (new URL(request.url).searchParams.has(queryToken))
    throw new OAuthError('invalid_request', 'Send the access token in the header only', {
      reason: 'token_repeated',
    })
  return token
}

function verifyStanding(
  claims: AccessTokenClaims,
  backend: Backend,
  revocations: Revocations,
): void {
  if (claims.aud !== backend.resource && !claims.alsoFor?.includes(backend.resource))
    throw new OAuthError('invalid_token', 'The access token is for another resource', {
      reason: 'audience_mismatch',
    })
  if (!revocations.isReady()) throw unavailable('revocations_unknown')
  if (revocations.isEnded(claims.gid) || revocations.isEnded(claims.jti))
    throw new OAuthError('invalid_token', 'The access token was revoked', {
      reason: 'grant_ended',
    })
}

/** Errors that tell the client to come with another token (RFC 6750 §3.1). */
const challenged: ReadonlySet<string> = new Set([
  'invalid_token',
  'invalid_request',
  'insufficient_scope',
])

/** Whatever goes wrong here refuses the request; what is not the token's fault is 503 (RS-11, RS-12). */
function toRefusal(error: unknown, backend: Backend, context: RequestContext): OAuthError {
  if (!(error instanceof OAuthError)) return unavailable('bearer_unverifiable', error)
  if (!challenged.has(error.code)) return error
  return withChallenge(error, backend, context)
}

function withChallenge(error: OAuthError, backend: Backend, context: RequestContext): OAuthError {
  const { issuer, defaultScopes } = context.config
  const isInvitation = error.reason === noCredentials
  const scopes = toStartingScopes(defaultScopes, backend.policy)
  const challenge = formatChallenge({
    resourceMetadata: issuer + resourceMetadataPath(backend.path),
    scope: scopes.filter((scope) => scope !== 'offline_access').join(' '),
    error: isInvitation ? undefined : error.code,
    errorDescription: isInvitation ? undefined : error.description,
  })
  return new OAuthError(error.code, error.description, {
    status: error.status,
    ...(error.reason !== undefined && { reason: error.reason }),
    cause: error.cause,
    headers: { ...error.headers, 'www-authenticate': challenge },
  })
}
