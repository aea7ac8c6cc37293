/** One round trip to an OpenID provider: openid-client, set up for it and held in its bounds. */
import type * as OpenIdClient from 'openid-client'
import { systemClock } from '../platform/clock.ts'
import type { Metadata, OidcParty } from './oidc-documents.ts'
import type { ClientAuthentication, OidcProvider } from './oidc-options.ts'
import type { ProviderConnection } from './provider-connection.ts'
import { nonsense } from './provider-errors.ts'
import { createProviderFetch, type ProviderFetch } from './provider-fetch.ts'
import { toStandardTokenResponse } from './token-response.ts'

/** A connection, and what the provider says of itself. */
export interface OidcExchange extends ProviderConnection {
  readonly metadata: Metadata
}

/**
 * Sets up one round trip, under one deadline.
 *
 * openid-client discovers anew each time, from the document at hand: that is how it learns to put the
 * tenant of a token into the issuer that Entra's tenants share (catalogue UP-11).
 *
 * @throws OAuthError when the provider's metadata cannot be had
 */
export async function openExchange(
  { provider, documents }: OidcParty,
  authentication = provider.clientAuthentication,
): Promise<OidcExchange> {
  const client = await import('openid-client')
  const metadata = await documents.metadata.read()
  const published = {
    ...metadata,
    id_token_signing_alg_values_supported: provider.idTokenAlgorithms,
  }
  const configuration = await client.discovery(
    new URL(provider.issuer),
    provider.clientId,
    toClientMetadata(client, provider),
    toClientAuth(client, provider, authentication ?? chooseAuthentication(metadata)),
    {
      [client.customFetch]: async () => Response.json(published),
      execute: provider.issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
    },
  )
  const request = createProviderFetch({
    label: provider.label,
    fetch: provider.fetch,
    deadline: provider.createDeadline(),
  })
  configuration[client.customFetch] = (url, init) =>
    send(provider, metadata, () => request(url, init as RequestInit), url)
  return { client, configuration, metadata }
}

/** 401 from userinfo says that the access token is dead, in whatever words. */
async function send(
  { label }: OidcProvider,
  { userinfo_endpoint: userinfo }: Metadata,
  request: () => ReturnType<ProviderFetch>,
  url: string,
): Promise<Response> {
  const response = await request()
  if (response.status === 401 && userinfo !== undefined && url === new URL(userinfo).href) {
    throw nonsense(label, 'upstream_token_refused')
  }
  return toStandardTokenResponse(response, undefined)
}

/** The skew tells openid-client, which reads the machine's clock, what time it is by ours. */
function toClientMetadata(client: typeof OpenIdClient, provider: OidcProvider) {
  return {
    [client.clockSkew]: provider.clock.now() - systemClock.now(),
    [client.clockTolerance]: provider.clockToleranceSeconds,
  }
}

function toClientAuth(
  client: typeof OpenIdClient,
  { clientSecret }: OidcProvider,
  authentication: ClientAuthentication,
): OpenIdClient.ClientAuth {
  if (clientSecret === undefined) return client.None()
  return authentication === 'client_secret_post'
    ? client.ClientSecretPost(clientSecret)
    : client.ClientSecretBasic(clientSecret)
}

/** Providers disagree about the encoding of Basic credentials, so the body comes first. */
function chooseAuthentication(metadata: Metadata): ClientAuthentication {
  return metadata.token_endpoint_auth_methods_supported?.includes('client_secret_post')
    ? 'client_secret_post'
    : 'client_secret_basic'
}
