/** Sign-in with Okta, through the authorization server of an organisation or a custom one. */
import { oidc } from '../oidc.ts'
import type { OidcProviderOptions } from '../oidc-options.ts'
import type { Upstream } from '../upstream.ts'

/** A "Web Application" at Okta. */
export interface OktaOptions extends OidcProviderOptions {
  /**
   * As under Security → API: `https://example.okta.com/oauth2/default`, or `https://example.okta.com` for the
   * organisation's own authorization server.
   */
  readonly issuer: string
}

/**
 * Okta as an identity provider. Rules about groups need the scope `groups`, and a claim of that name at the
 * authorization server.
 *
 * @throws TypeError when an option is malformed
 */
export function okta(options: OktaOptions): Upstream {
  return oidc(
    { ...options, id: options.id ?? 'okta', label: options.label ?? 'Okta' },
    { offlineAccess: { scope: 'offline_access' } },
  )
}
