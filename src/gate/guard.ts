/**
 * The gate for a host that answers MCP itself: who is calling, or the answer that sends them away.
 *
 * The questions and their order are those of `gate.ts`, without a backend to forward to (S7, X11).
 */
import {
  type AuthInfo,
  type Backend,
  type Config,
  type Context,
  type Guarded,
  type GuardOptions,
  type RequestContext,
  toRequestContext,
} from '../context.ts'
import { OAuthError } from '../errors.ts'
import { formatChallenge, parseBearer } from '../oauth/challenge.ts'
import { corsHeaders, isPreflight, toPreflightAnswer } from '../oauth/cors.ts'
import { resourceMetadataPath } from '../oauth/resource.ts'
import { expandScopes } from '../oauth/scope.ts'
import type { ExchangeFactory } from '../platform/create-exchange.ts'
import { toResponse } from '../platform/web-exchange.ts'
import type { AccessTokenClaims } from '../tokens/access-token.ts'
import { verifyBearer } from './bearer.ts'
import { verifyBrowser } from './browser.ts'
import { createGrantUses } from './grant-use.ts'
import { auditRefusal, exposedFields, renderRefusal } from './refusal.ts'

/** Guards one request; see {@link createGuard}. */
export type Guard = (request: Request, options?: GuardOptions, env?: unknown) => Promise<Guarded>

/** Who calls; see {@link createCallerCheck}. */
export type CallerCheck = (
  request: Request,
  options: GuardOptions,
  context: RequestContext,
) => Promise<AuthInfo>

const methodsServed = ['GET', 'HEAD', 'POST', 'DELETE']
const readable = corsHeaders(exposedFields)

/**
 * Verifies the access token of a request and notes that it was used.
 *
 * The check throws an OAuthError with its challenge, and a TypeError for options that name no backend or
 * leave open which one.
 */
export function createCallerCheck(): CallerCheck {
  const noteGrantUse = createGrantUses()
  return async (request, { backend: id, scopes = [] }, context) => {
    const { config } = context
    const backend = findBackend(config.backends, id)
    const claims = await verifyBearer(request, backend, context)
    const needed = [...(backend.policy?.connect ?? []), ...scopes]
    verifyScopes(claims, needed, { backend, config })
    if (claims.iss === config.issuer) noteGrantUse(claims, context)
    return toAuthInfo(request, claims, backend)
  }
}

/** The guard over a context. Only header fields of a request are looked at; its body stays the host's. */
export function createGuard(
  context: Context,
  exchanges: ExchangeFactory,
  findCaller: CallerCheck,
): Guard {
  return async (request, options = {}, env) => {
    const exchange = exchanges.create(request, env)
    const here = toRequestContext(context, exchange)
    if (isPreflight(request)) {
      return { response: toResponse(toPreflightAnswer(request, { methods: methodsServed })) }
    }
    try {
      verifyBrowserAudited(request, here)
      return { auth: await findCaller(request, options, here), headers: readable }
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error
      return { response: toResponse(renderRefusal(error)) }
    }
  }
}

function verifyBrowserAudited(request: Request, context: RequestContext): void {
  try {
    verifyBrowser(request, context.config)
  } catch (error) {
    if (error instanceof OAuthError) auditRefusal(context, error)
    throw error
  }
}

function findBackend(backends: readonly Backend[], id: string | undefined): Backend {
  const [only, ...others] = backends
  if (id === undefined && only && others.length === 0) return only
  const found = backends.find((backend) => backend.id === id)
  if (found) return found
  const known = backends.map((backend) => backend.id).join(', ')
  throw new TypeError(`Guard: backend must be one of ${known}, not ${String(id)}`)
}

function verifyScopes(
  claims: AccessTokenClaims,
  needed: readonly string[],
  { backend, config }: { backend: Backend; config: Config },
): void {
  const held = expandScopes(claims.scope.split(' '), config.scopeHierarchy ?? {})
  const missing = needed.filter((scope) => !held.has(scope))
  if (missing.length === 0) return
  const description = `This needs the scope ${missing.join(' ')}, which the access token does not have`
  const challenge = formatChallenge({
    resourceMetadata: config.issuer + resourceMetadataPath(backend.path),
    scope: needed.join(' '),
    error: 'insufficient_scope',
    errorDescription: description,
  })
  throw new OAuthError('insufficient_scope', description, {
    reason: 'scope_missing',
    headers: { 'www-authenticate': challenge },
  })
}

function toAuthInfo(request: Request, claims: AccessTokenClaims, { resource }: Backend): AuthInfo {
  return {
    token: parseBearer(request.headers.get('authorization')) ?? '',
    clientId: claims.client_id,
    scopes: claims.scope.split(' ').filter((scope) => scope !== ''),
    expiresAt: claims.exp,
    resource: new URL(resource),
    extra: { userId: claims.sub, grantId: claims.gid, tokenId: claims.jti },
  }
}
