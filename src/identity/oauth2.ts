/**
 * Sign-in through any OAuth 2.0 provider, over openid-client.
 *
 * PKCE S256 goes upstream although we are a confidential client (catalogue UP-05), and the identity
 * comes only from the token this very exchange yielded (UP-07). How one provider differs from the
 * next is told by options and hooks; nothing here knows a provider's name.
 */
import type * as OpenIdClient from 'openid-client'
import { OAuthError } from '../errors.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import type { Admission } from './admission.ts'
import { nonsense, toProviderError, toRefusal } from './provider-errors.ts'
import { createProviderFetch, type ProviderFetch, verifyEndpoint } from './provider-fetch.ts'
import { toExpiresAt, toStandardErrorName, toStandardTokenResponse } from './token-response.ts'
import type { Identity, Upstream, UpstreamFlow, UpstreamTokens } from './upstream.ts'

/** Reads JSON at the provider with the person's access token. */
export type ProviderRead = (url: string, options?: ReadOptions) => Promise<unknown>

/** How a {@link ProviderRead} treats refusals. */
export interface ReadOptions {
  /** 403 and 404 yield undefined: the person or the app may lack the right to it. */
  readonly optional?: boolean
}

/** A provider as its preset describes it. */
export interface OAuth2Options {
  /** Part of the callback path: `[a-z0-9-]+`, never changed later. */
  readonly id: string
  /** What people call it: `GitHub`. */
  readonly label: string
  /** What the provider puts into `iss`, when it does (RFC 9207). */
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scopes: readonly string[]
  /** Asks the provider who this is. What it throws that is not an OAuthError counts as nonsense. */
  readonly identify: (read: ProviderRead) => Promise<Identity>
  /** The provider's own names for errors, and the RFC 6749 names they stand for. */
  readonly errorNames?: Readonly<Record<string, string>> | undefined
  /** Who may enter. Default: everyone the provider vouches for. */
  readonly admission?: Admission | undefined
  readonly fetch?: typeof fetch | undefined
  readonly clock?: Clock | undefined
  /** Ends the round trip of one callback. Default: after 10 seconds (catalogue UP-13). */
  readonly createDeadline?: (() => AbortSignal) | undefined
}

const deadlineSeconds = 10

/**
 * The provider that these options describe.
 *
 * @throws TypeError when an id, a credential or an endpoint is malformed; `http:` endpoints are for
 *   emulators on loopback only
 */
export function oauth2(options: OAuth2Options): Upstream {
  verifyOptions(options)
  return {
    id: options.id,
    label: options.label,
    start: (flow) => start(options, flow),
    finish: (callback, flow) => finish(options, callback, flow),
  }
}

async function start(options: OAuth2Options, flow: UpstreamFlow): Promise<URL> {
  const client = await import('openid-client')
  return client.buildAuthorizationUrl(toConfiguration(client, options), {
    redirect_uri: flow.redirectUri,
    scope: options.scopes.join(' '),
    state: flow.state,
    code_challenge: await client.calculatePKCECodeChallenge(flow.codeVerifier),
    code_challenge_method: 'S256',
  })
}

async function finish(options: OAuth2Options, callback: URL, flow: UpstreamFlow) {
  const { label, createDeadline = () => AbortSignal.timeout(deadlineSeconds * 1000) } = options
  verifyCallback(options, callback, flow)
  const request = createProviderFetch({
    label,
    fetch: options.fetch ?? fetch,
    deadline: createDeadline(),
  })
  try {
    const tokens = await redeem(options, request, callback, flow)
    const identity = await options.identify(createRead(label, request, tokens.accessToken))
    return verifyAdmission(options, { ...identity, tokens })
  } catch (error) {
    throw toProviderError(label, error)
  }
}

async function redeem(
  options: OAuth2Options,
  request: ProviderFetch,
  callback: URL,
  flow: UpstreamFlow,
): Promise<UpstreamTokens> {
  const client = await import('openid-client')
  const configuration = toConfiguration(client, options)
  configuration[client.customFetch] = async (url, init) =>
    toStandardTokenResponse(await request(url, init as RequestInit), options.errorNames)
  const url = new URL(flow.redirectUri)
  url.search = callback.search
  const answer = await client.authorizationCodeGrant(configuration, url, {
    expectedState: flow.state,
    pkceCodeVerifier: flow.codeVerifier,
  })
  const expiresAt = toExpiresAt(answer.expires_in, options.clock ?? systemClock)
  return {
    accessToken: answer.access_token,
    ...(answer.refresh_token !== undefined && { refreshToken: answer.refresh_token }),
    ...(expiresAt !== undefined && { expiresAt }),
  }
}

function toConfiguration(client: typeof OpenIdClient, options: OAuth2Options) {
  const server = {
    issuer: options.issuer,
    authorization_endpoint: options.authorizationEndpoint,
    token_endpoint: options.tokenEndpoint,
  }
  const configuration = new client.Configuration(server, options.clientId, options.clientSecret)
  if (URL.parse(options.tokenEndpoint)?.protocol === 'http:') {
    client.allowInsecureRequests(configuration)
  }
  return configuration
}

/** State first, then who is speaking, and only then what they say (catalogue UP-03, UP-04). */
function verifyCallback(options: OAuth2Options, callback: URL, flow: UpstreamFlow): void {
  const one = (name: string): string | undefined => {
    const [value, ...more] = callback.searchParams.getAll(name)
    if (more.length > 0) throw strayCallback(options.label, 'upstream_callback_malformed')
    return value
  }
  if (one('state') !== flow.state) throw strayCallback(options.label, 'upstream_state_mismatch')
  const issuer = one('iss')
  if (issuer !== undefined && issuer !== options.issuer) {
    throw strayCallback(options.label, 'upstream_issuer_mismatch')
  }
  const error = one('error')
  if (error !== undefined) {
    throw toRefusal(options.label, toStandardErrorName(options.errorNames, error))
  }
  if (!one('code')) throw strayCallback(options.label, 'upstream_code_missing')
}

function strayCallback(label: string, reason: string): OAuthError {
  return new OAuthError(
    'invalid_request',
    `This is not the end of a sign-in at ${label} that began here; start again`,
    { reason },
  )
}

function createRead(label: string, request: ProviderFetch, accessToken: string): ProviderRead {
  const headers = {
    authorization: `Bearer ${accessToken}`,
    accept: 'application/json',
    'user-agent': 'gatehouse',
  }
  return async (url, { optional = false } = {}) => {
    const response = await request(url, { headers })
    if (optional && (response.status === 403 || response.status === 404)) return undefined
    if (!response.ok) throw nonsense(label, 'upstream_profile_refused')
    return response.json()
  }
}

function verifyAdmission({ admission, label }: OAuth2Options, identity: Identity): Identity {
  const verdict = admission?.(identity) ?? { allowed: true }
  if (verdict.allowed) return identity
  throw new OAuthError(
    'access_denied',
    `${verdict.account} at ${label} may not sign in here; ask the owner of this server for access`,
    { reason: 'not_admitted' },
  )
}

function verifyOptions(options: OAuth2Options): void {
  if (!/^[a-z0-9-]+$/.test(options.id)) {
    throw new TypeError(`Upstream id ${JSON.stringify(options.id)}: use a-z, 0-9 and hyphens`)
  }
  if (options.clientId === '' || options.clientSecret === '') {
    throw new TypeError(`Upstream ${options.id}: clientId and clientSecret must not be empty`)
  }
  verifyEndpoint(options.authorizationEndpoint)
  verifyEndpoint(options.tokenEndpoint)
}
