/** From configured providers to live ones. */
import type { Upstream } from '../../identity/upstream.ts'
import { toStartError } from '../../storage/start-error.ts'
import type { ProviderSettings } from './provider-list.ts'

/**
 * The providers, in their order. Each type is loaded only where it is configured: providers bring libraries
 * that take time to load.
 *
 * @throws Error `StartError` when a rule or an address is one that its provider refuses
 */
export function createUpstreams(providers: readonly ProviderSettings[]): Promise<Upstream[]> {
  return Promise.all(providers.map(tryCreate))
}

async function tryCreate(settings: ProviderSettings): Promise<Upstream> {
  try {
    return await createUpstream(settings)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw toStartError(`The provider ${settings.id} cannot be used: ${error.message}`, error)
  }
}

async function createUpstream(settings: ProviderSettings): Promise<Upstream> {
  switch (settings.type) {
    case 'github':
      return (await import('../../identity/presets/github.ts')).github(settings)
    case 'google':
      return (await import('../../identity/presets/google.ts')).google(settings)
    case 'auth0':
      return (await import('../../identity/presets/auth0.ts')).auth0(settings)
    case 'okta':
      return (await import('../../identity/presets/okta.ts')).okta(settings)
    case 'entra':
      return (await import('../../identity/presets/entra.ts')).entra(settings)
    case 'oidc':
      return (await import('../../identity/oidc.ts')).oidc(settings)
    case 'oauth2':
      return (await import('../../identity/presets/generic-oauth2.ts')).genericOAuth2(settings)
  }
}
