/** What an official client is given instead of a browser and a disk. */
import type { OAuthClientProvider } from '@modelcontextprotocol/client'
import type { OAuthClientProvider as OAuthClientProviderV1 } from '@modelcontextprotocol/sdk/client/auth.js'

/** What a client remembers, and the address it wants to open. */
export interface Memory {
  opened: URL | undefined
  readonly saved: Map<string, unknown>
}

/** Where the client has its codes sent. */
export const redirectUri = 'http://localhost:33333/callback'

/** A provider for the official clients that keeps everything in memory. */
export function memoryProvider(
  grantTypes = ['authorization_code', 'refresh_token'],
): OAuthClientProvider & OAuthClientProviderV1 & Memory {
  const saved = new Map<string, unknown>()
  return {
    saved,
    opened: undefined,
    redirectUrl: redirectUri,
    clientMetadata: {
      client_name: 'Official client',
      redirect_uris: [redirectUri],
      grant_types: grantTypes,
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    state: () => 'state-of-the-client',
    clientInformation: () => saved.get('client') as never,
    saveClientInformation: (client) => void saved.set('client', client),
    tokens: () => saved.get('tokens') as never,
    saveTokens: (tokens) => void saved.set('tokens', tokens),
    redirectToAuthorization(url) {
      this.opened = url
    },
    saveCodeVerifier: (verifier) => void saved.set('verifier', verifier),
    codeVerifier: () => saved.get('verifier') as string,
  }
}
