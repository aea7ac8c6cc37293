/**
 * Sign-in through any OAuth 2.0 provider, over openid-client.
 *
 * PKCE S256 goes upstream although we are a confidential client (catalogue UP-05), and the identity
 * comes only from the token this very exchange yielded (UP-07). How one provider differs from the
 * next is told by options and hooks; nothing here knows a provider's name.
 */
import type { Clock } from '../platform/clock.ts'
import type { Admission } from './admission.ts'
import { admit } from './admit.ts'
import { verifyCallback } from './callback.ts'
import {
  findClientProblem,
  redeemCode,
  refreshTokens,
  revokeTokens,
  toConfiguration,
} from './oauth2-tokens.ts'
import type { RefreshableTokens } from './provider-connection.ts'
import { toCustodyError, toProviderError } from './provider-errors.ts'
import {
  createDefaultDeadline,
  createProviderFetch,
  type ProviderFetch,
  verifyEndpoint,
} from './provider-fetch.ts'
import { verifyProviderOptions } from './provider-options.ts'
import { createRead, type ProviderRead } from './provider-read.ts'
import type { ErrorNames } from './token-response.ts'
import type { Identity, SignInWishes, Upstream, UpstreamFlow, UpstreamTokens } from './upstream.ts'

/** A provider as its preset describes it. */
export interface OAuth2Options {
  /** Part of the callback path: `[a-z0-9-]+`, never changed later. */
  readonly id: string
  /** What people call it: `GitHub`. */
  readonly label: string
  /** What the provider puts into `iss`, when it does (RFC 9207). */
  readonly issuer: string
  /** Whose subjects they are: the address of the API that says who somebody is. Default: `issuer`. */
  readonly profileIssuer?: string | undefined
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  /** Ends one token (RFC 7009). Absent: {@link OAuth2Options.endGrant}, or nothing, ends them. */
  readonly revocationEndpoint?: string | undefined
  readonly clientId: string
  readonly clientSecret: string
  /** How the client proves itself. Default: `client_secret_post`. */
  readonly clientAuthentication?: 'client_secret_post' | 'client_secret_basic' | undefined
  readonly scopes: readonly string[]
  /** Path of the callback below the issuer. Default: `/callback/<id>`. */
  readonly callbackPath?: string | undefined
  /** Further parameters of the authorization request, such as an audience. */
  readonly authorizationParameters?: Readonly<Record<string, string>> | undefined
  /** What makes the provider ask the person anew. Default: `prompt=login`. */
  readonly freshParameters?: Readonly<Record<string, string>> | undefined
  /** Asks the provider who this is. What it throws that is not an OAuthError counts as nonsense. */
  readonly identify: (read: ProviderRead) => Promise<Identity>
  /** Longest answer about a person, in bytes. Default: 64 KiB. */
  readonly profileLimitBytes?: number | undefined
  /** Ends what the tokens stand for, where that is done in a way of the provider's own. */
  readonly endGrant?: ((tokens: UpstreamTokens, tools: GrantTools) => Promise<void>) | undefined
  /** The provider's own names for errors, and the RFC 6749 names they stand for. */
  readonly errorNames?: ErrorNames
  /** Who may enter. Default: everyone the provider vouches for. */
  readonly admission?: Admission | undefined
  readonly fetch?: typeof fetch | undefined
  readonly clock?: Clock | undefined
  /** Ends the round trip of one callback. Default: after 10 seconds (catalogue UP-13). */
  readonly createDeadline?: (() => AbortSignal) | undefined
}

/** What {@link OAuth2Options.endGrant} works with; one deadline holds for all of it. */
export interface GrantTools {
  readonly request: ProviderFetch
  refresh(tokens: RefreshableTokens): Promise<UpstreamTokens>
}

/**
 * The provider that these options describe.
 *
 * @throws TypeError when an id, a path, a credential or an endpoint is malformed; `http:` endpoints are
 *   for emulators on loopback only
 */
export function oauth2(options: OAuth2Options): Upstream {
  verifyOptions(options)
  const { id, label, callbackPath, profileIssuer = options.issuer } = options
  return {
    id,
    label,
    issuer: profileIssuer,
    ...(callbackPath !== undefined && { callbackPath }),
    start: (flow, wishes) => start(options, flow, wishes),
    finish: (callback, flow) => finish(options, callback, flow),
    refresh: (tokens) => keep(options, ({ request }) => refreshTokens(options, request, tokens)),
    reverify: (tokens) => keep(options, (round) => identify(options, round, tokens)),
    revoke: (tokens) => keep(options, (round) => revoke(options, round.request, tokens)),
    findProblem: (callbackUri) =>
      findClientProblem(options, beginRound(options).request, callbackUri),
  }
}

/** Requests that end together. */
interface Round {
  readonly request: ProviderFetch
  /** For what is told of a person, which may be longer. */
  readonly requestProfile: ProviderFetch
}

function beginRound(options: OAuth2Options): Round {
  const { label, profileLimitBytes, createDeadline = createDefaultDeadline } = options
  const bounds = { label, fetch: options.fetch ?? fetch, deadline: createDeadline() }
  return {
    request: createProviderFetch(bounds),
    requestProfile: createProviderFetch({
      ...bounds,
      ...(profileLimitBytes !== undefined && { limitBytes: profileLimitBytes }),
    }),
  }
}

async function start(options: OAuth2Options, flow: UpstreamFlow, wishes: SignInWishes = {}) {
  const client = await import('openid-client')
  const { freshParameters = { prompt: 'login' } } = options
  return client.buildAuthorizationUrl(toConfiguration(client, options), {
    ...options.authorizationParameters,
    ...(wishes.fresh === true && freshParameters),
    redirect_uri: flow.redirectUri,
    ...(options.scopes.length > 0 && { scope: options.scopes.join(' ') }),
    state: flow.state,
    code_challenge: await client.calculatePKCECodeChallenge(flow.codeVerifier),
    code_challenge_method: 'S256',
  })
}

async function finish(options: OAuth2Options, callback: URL, flow: UpstreamFlow) {
  verifyCallback(options, callback, flow)
  const round = beginRound(options)
  try {
    const tokens = await redeemCode(options, round.request, { callback, flow })
    return { ...(await identify(options, round, tokens)), tokens }
  } catch (error) {
    throw toProviderError(options.label, error)
  }
}

async function identify(
  options: OAuth2Options,
  { requestProfile }: Round,
  { accessToken }: UpstreamTokens,
): Promise<Identity> {
  const { label, admission } = options
  const identity = await options.identify(createRead(label, requestProfile, accessToken))
  return admit(label, admission, identity)
}

async function revoke(options: OAuth2Options, request: ProviderFetch, tokens: UpstreamTokens) {
  if (options.endGrant === undefined) return revokeTokens(options, request, tokens)
  return options.endGrant(tokens, {
    request,
    refresh: (older) => refreshTokens(options, request, older),
  })
}

/** Runs a call with tokens that we keep: only what is definitive ends them. */
async function keep<T>(options: OAuth2Options, call: (round: Round) => Promise<T>): Promise<T> {
  try {
    return await call(beginRound(options))
  } catch (error) {
    throw toCustodyError(options.label, error)
  }
}

function verifyOptions(options: OAuth2Options): void {
  verifyProviderOptions(options)
  if (!options.clientSecret) {
    throw new TypeError(`Upstream ${options.id}: clientSecret must not be empty`)
  }
  verifyEndpoint(options.authorizationEndpoint)
  verifyEndpoint(options.tokenEndpoint)
  if (options.revocationEndpoint !== undefined) verifyEndpoint(options.revocationEndpoint)
}
