/**
 * GET /oauth/health: that the server is well; for the owner, how it is set up (S9).
 * GET /oauth/providers: which identity providers people can sign in with (S3).
 *
 * Both are the real configuration and hold nothing secret. Whether the store answers is `GET /readyz`.
 */
import type { Config, Context, Endpoint } from '../../context.ts'
import { localUpstream } from '../../identity/users.ts'
import { isOwner } from '../admin.ts'
import { toCallbackPath } from '../paths.ts'
import { toJson } from '../respond.ts'

/** Answers `{"status":"ok"}`, and the owner with the status document. */
export const health: Endpoint = async (request, context) =>
  toJson((await isOwner(request, context)) ? toStatusDocument(context) : { status: 'ok' })

/** Answers with the providers. */
export const providers: Endpoint = async (_request, context) =>
  toJson({ providers: toProviders(context) })

type Described = Pick<Context, 'config' | 'upstreams' | 'localSignIn'>

/** The status document of that deployment, member for member. */
function toStatusDocument(context: Described): Record<string, unknown> {
  const { config } = context
  const { lifetimes } = config
  return {
    providers: toProviders(context),
    tokens: {
      accessTokenExpiry: lifetimes.accessTokenSeconds,
      refreshTokenExpiry: lifetimes.refreshIdleSeconds,
      algorithm: config.signingAlgorithm,
    },
    sessions: {
      timeout: lifetimes.sessionSeconds,
      maxPerUser: config.sessionsPerUser,
      autoCreateUsers: config.invitedOnly !== true,
    },
    http: { basePath: config.paths.base || '/', ...toCookieFlags(config) },
  }
}

/**
 * `available`: every way to sign in. `trusted`: those of them that are somebody else's, whose word is taken for
 * who a person is. `redirectUri`: where they send the browser, for the first where there are several.
 */
function toProviders({ config, upstreams, localSignIn }: Described): Record<string, unknown> {
  const trusted = [...upstreams.keys()]
  const [first] = upstreams.values()
  return {
    available: localSignIn ? [...trusted, localUpstream] : trusted,
    trusted,
    ...(first && { redirectUri: config.issuer + toCallbackPath(first, config.paths) }),
  }
}

function toCookieFlags({ issuer, developmentCookies = {} }: Config): Record<string, unknown> {
  if (issuer.startsWith('https:')) return { secureCookies: true, sameSitePolicy: 'lax' }
  const { secure = false, sameSite = 'lax' } = developmentCookies
  return { secureCookies: secure, sameSitePolicy: sameSite }
}
