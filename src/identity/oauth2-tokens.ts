/** The token endpoint of an OAuth 2.0 provider and what goes with it: redeem, refresh, revoke, try out. */
import type * as OpenIdClient from 'openid-client'
import { systemClock } from '../platform/clock.ts'
import { toRegisteredCallback } from './callback.ts'
import type { OAuth2Options } from './oauth2.ts'
import {
  endTokens,
  type ProviderConnection,
  type RefreshableTokens,
  redeemMadeUpCode,
  spendRefreshToken,
} from './provider-connection.ts'
import type { ProviderFetch } from './provider-fetch.ts'
import { toStandardTokenResponse, toUpstreamTokens } from './token-response.ts'
import type { UpstreamFlow, UpstreamTokens } from './upstream.ts'

type Client = typeof OpenIdClient

/** Our client at the provider, as openid-client wants it. */
export function toConfiguration(client: Client, options: OAuth2Options) {
  const { revocationEndpoint, clientId, clientSecret } = options
  const server = {
    issuer: options.issuer,
    authorization_endpoint: options.authorizationEndpoint,
    token_endpoint: options.tokenEndpoint,
    ...(revocationEndpoint !== undefined && { revocation_endpoint: revocationEndpoint }),
  }
  const proof =
    options.clientAuthentication === 'client_secret_basic'
      ? client.ClientSecretBasic(clientSecret)
      : client.ClientSecretPost(clientSecret)
  const configuration = new client.Configuration(server, clientId, undefined, proof)
  if (URL.parse(options.tokenEndpoint)?.protocol === 'http:') {
    client.allowInsecureRequests(configuration)
  }
  return configuration
}

/** The tokens for the code that a callback brought; the callback was verified before. */
export async function redeemCode(
  options: OAuth2Options,
  request: ProviderFetch,
  { callback, flow }: { readonly callback: URL; readonly flow: UpstreamFlow },
): Promise<UpstreamTokens> {
  const { client, configuration } = await connect(options, request)
  const url = toRegisteredCallback(callback, flow)
  const answer = await client.authorizationCodeGrant(configuration, url, {
    expectedState: flow.state,
    pkceCodeVerifier: flow.codeVerifier,
  })
  return toUpstreamTokens(answer, options.clock ?? systemClock)
}

/** New tokens for old ones. */
export async function refreshTokens(
  options: OAuth2Options,
  request: ProviderFetch,
  refreshable: RefreshableTokens,
): Promise<UpstreamTokens> {
  const connection = await connect(options, request)
  const { tokens } = await spendRefreshToken(connection, refreshable, options.clock ?? systemClock)
  return tokens
}

/** Ends both tokens. Nothing where the provider has no endpoint for it. */
export async function revokeTokens(
  options: OAuth2Options,
  request: ProviderFetch,
  tokens: UpstreamTokens,
): Promise<void> {
  if (options.revocationEndpoint === undefined) return
  await endTokens(await connect(options, request), tokens)
}

/** What the provider has against this client. Undefined when nothing is known to be wrong. */
export async function findClientProblem(
  options: OAuth2Options,
  request: ProviderFetch,
  callbackUri: string,
): Promise<string | undefined> {
  const refusal = await redeemMadeUpCode(await connect(options, request), callbackUri)
  if (refusal === 'invalid_client') {
    return `${options.label} refuses the client ID ${options.clientId} or its secret`
  }
  if (refusal === 'unauthorized_client') {
    return `${options.label} does not let the client ID ${options.clientId} sign people in with the callback ${callbackUri}; register exactly this callback there`
  }
  return undefined
}

async function connect(
  options: OAuth2Options,
  request: ProviderFetch,
): Promise<ProviderConnection> {
  const client = await import('openid-client')
  const configuration = toConfiguration(client, options)
  configuration[client.customFetch] = async (url, init) =>
    toStandardTokenResponse(await request(url, init as RequestInit), options.errorNames)
  return { client, configuration }
}
