/** The authorization request to an OpenID provider. */
import type { OidcExchange } from './oidc-exchange.ts'
import type { OidcProvider } from './oidc-options.ts'
import type { SignInWishes, UpstreamFlow } from './upstream.ts'

/** Where to send the browser (OpenID Connect Core §3.1.2.1). */
export async function toAuthorizationUrl(
  provider: OidcProvider,
  exchange: OidcExchange,
  flow: UpstreamFlow,
  wishes: SignInWishes,
): Promise<URL> {
  const { client, configuration } = exchange
  const offline = toOfflineRequest(provider, exchange)
  const prompts = [...(wishes.fresh ? [provider.freshPrompt] : []), ...offline.prompts]
  return client.buildAuthorizationUrl(configuration, {
    ...provider.parameters,
    ...offline.parameters,
    redirect_uri: flow.redirectUri,
    scope: [...new Set([...provider.scopes, ...offline.scopes])].join(' '),
    state: flow.state,
    nonce: flow.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(flow.codeVerifier),
    code_challenge_method: 'S256',
    ...(prompts.length > 0 && { prompt: prompts.join(' ') }),
  })
}

/** A scope that the provider does not announce is not sent: some refuse the whole request (UP-19). */
function toOfflineRequest({ offlineAccess, scopes }: OidcProvider, { metadata }: OidcExchange) {
  const { scope, prompt, parameters = {} } = offlineAccess ?? {}
  const announced = metadata.scopes_supported ?? []
  const isPossible = scope === undefined || announced.includes(scope) || scopes.includes(scope)
  if (offlineAccess === undefined || !isPossible) return { scopes: [], prompts: [], parameters: {} }
  return {
    scopes: scope === undefined ? [] : [scope],
    prompts: prompt === undefined ? [] : [prompt],
    parameters,
  }
}
