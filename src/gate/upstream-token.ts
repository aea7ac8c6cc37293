/**
 * The user's access token at their identity provider, for a backend that is to have it: `forward:
 * upstream-token`.
 *
 * Only a new sign-in brings a token that is gone: then the client's own token is refused with 401, and its
 * refresh token is dead too, so that it starts over. Who signed in without a provider gets 403, because
 * starting over would lead them to the same place. A provider that cannot be asked is 503.
 */
import { LRUCache } from 'lru-cache'
import type { Backend, RequestContext } from '../context.ts'
import { OAuthError } from '../errors.ts'
import { grants } from '../storage/records/grant.ts'
import type { AccessTokenClaims } from '../tokens/access-token.ts'
import { tokenEnded } from './bearer.ts'
import { auditRefusal } from './refusal.ts'

/** The access token that a backend gets for the caller. */
export type FindUpstreamToken = (
  claims: AccessTokenClaims,
  context: RequestContext,
) => Promise<string>

/** Grants whose provider is remembered; it never changes. */
const grantsRemembered = 50_000

/** Finds the tokens for one backend. */
export function createUpstreamTokens(backend: Backend): FindUpstreamToken {
  const providers = new LRUCache<string, string>({ max: grantsRemembered })
  const refuse = (
    error: OAuthError,
    claims: AccessTokenClaims,
    context: RequestContext,
  ): OAuthError => {
    auditRefusal(context, error, claims)
    return error
  }
  return async (claims, context) => {
    const upstream = providers.get(claims.gid) ?? (await findProvider(claims, context))
    if (upstream === undefined)
      throw refuse(tokenEnded('grant_ended', backend, context), claims, context)
    providers.set(claims.gid, upstream)
    if (backend.signInWith !== undefined && backend.signInWith !== upstream)
      throw refuse(tokenEnded('sign_in_elsewhere', backend, context), claims, context)
    if (!context.upstreams.has(upstream)) throw refuse(noProvider(), claims, context)
    try {
      return verifySendable(await context.custody.findAccessToken(claims.sub, upstream))
    } catch (error) {
      if (!(error instanceof OAuthError) || error.code !== 'invalid_grant') throw error
      const reason = error.reason ?? 'upstream_tokens_missing'
      throw refuse(tokenEnded(reason, backend, context), claims, context)
    }
  }
}

/** How the person behind a grant signed in; undefined when the grant has ended. */
async function findProvider(
  { gid, sub }: AccessTokenClaims,
  { store, users }: RequestContext,
): Promise<string | undefined> {
  const grant = await grants.find(store, gid)
  return grant && (grant.value.upstream ?? (await users.find(sub))?.record.value.upstream)
}

/** One word of visible characters (RFC 6750 §2.1): anything else could end the header line. */
function verifySendable(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new OAuthError('server_error', 'The identity provider gave a token that cannot be sent', {
    status: 502,
    reason: 'upstream_token_malformed',
  })
}

function noProvider(): OAuthError {
  return new OAuthError(
    'access_denied',
    'This MCP server needs a sign-in at an identity provider; connect again and choose one',
    { reason: 'upstream_not_used' },
  )
}
