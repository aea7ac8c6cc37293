/**
 * The user's access token at their identity provider, for a backend that is to have it: `forward:
 * upstream-token`.
 *
 * Only a new sign-in brings a token that is gone: then the client's own token is refused with 401, and its
 * refresh token is dead too, so that it starts over. Who signed in without a provider gets 403, because
 * starting over would lead them to the same place. A provider that cannot be asked is 503.
 *
 * A backend that refuses the token (401) is asked once more with another one, when the provider has one.
 */
import { LRUCache } from 'lru-cache'
import type { Backend, RequestContext } from '../context.ts'
import { OAuthError } from '../errors.ts'
import { grants } from '../storage/records/grant.ts'
import type { AccessTokenClaims } from '../tokens/access-token.ts'
import { tokenEnded } from './bearer.ts'
import { auditRefusal } from './refusal.ts'

/** The callers' access tokens, for one backend. */
export interface UpstreamTokensForBackend {
  /** The one that the backend gets. */
  find(claims: AccessTokenClaims, context: RequestContext): Promise<string>
  /**
   * Another one in place of that which the backend refused with 401; undefined when the provider has no better
   * one, which the log then says.
   */
  renew(
    refused: string,
    claims: AccessTokenClaims,
    context: RequestContext,
  ): Promise<string | undefined>
}

/** Grants whose provider is remembered; it never changes. */
const grantsRemembered = 50_000

/** Finds the tokens for one backend. */
export function createUpstreamTokens(backend: Backend): UpstreamTokensForBackend {
  const providers = new LRUCache<string, string>({ max: grantsRemembered })
  const refuse = (
    error: OAuthError,
    claims: AccessTokenClaims,
    context: RequestContext,
  ): OAuthError => {
    auditRefusal(context, error, claims)
    return error
  }
  const resolveProvider = async (
    claims: AccessTokenClaims,
    context: RequestContext,
  ): Promise<string> => {
    const upstream = providers.get(claims.gid) ?? (await findProvider(claims, context))
    if (upstream === undefined)
      throw refuse(tokenEnded('grant_ended', backend, context), claims, context)
    providers.set(claims.gid, upstream)
    if (backend.signInWith !== undefined && backend.signInWith !== upstream)
      throw refuse(tokenEnded('sign_in_elsewhere', backend, context), claims, context)
    if (!context.upstreams.has(upstream)) throw refuse(noProvider(), claims, context)
    return upstream
  }
  /** Only what a new sign-in mends costs the client its tokens. */
  const toRefusal = (error: unknown, claims: AccessTokenClaims, context: RequestContext) => {
    if (!(error instanceof OAuthError) || error.code !== 'invalid_grant') return error
    const reason = error.reason ?? 'upstream_tokens_missing'
    return refuse(tokenEnded(reason, backend, context), claims, context)
  }
  return {
    async find(claims, context) {
      const upstream = await resolveProvider(claims, context)
      try {
        return verifySendable(await context.custody.findAccessToken(claims.sub, upstream))
      } catch (error) {
        throw toRefusal(error, claims, context)
      }
    },
    async renew(refused, claims, context) {
      const upstream = await resolveProvider(claims, context)
      try {
        const renewed = await context.custody.renewAccessToken(claims.sub, upstream, refused)
        context.log.warn(
          renewed === undefined
            ? 'A backend refuses the tokens of an identity provider that are good there: look at their scopes and their audience'
            : 'A backend refused a token of an identity provider, and gets another one',
          { backend: backend.id, upstream, request_id: context.exchange.requestId },
        )
        return renewed === undefined ? undefined : verifySendable(renewed)
      } catch (error) {
        throw toRefusal(error, claims, context)
      }
    },
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
