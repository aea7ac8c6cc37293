/** Sign-in with Google, for anyone with an account there or for one Google Workspace. */
import { notAdmitted } from '../admit.ts'
import { oidc } from '../oidc.ts'
import type { OidcProviderOptions } from '../oidc-options.ts'
import type { Identity, Upstream } from '../upstream.ts'

/** An OAuth client of type "Web application" at Google. */
export interface GoogleOptions extends OidcProviderOptions {
  /**
   * Only accounts of this Google Workspace, such as `example.com`: named to Google and verified in the ID
   * token. An address under that domain is not enough: anyone may have signed up with one.
   */
  readonly hostedDomain?: string | undefined
  /** For emulators. Default `https://accounts.google.com`. */
  readonly issuer?: string | undefined
}

/**
 * Google as an identity provider. Without `hostedDomain` and rules, everyone with a Google account may enter.
 *
 * Refresh tokens come with `access_type=offline` and a page of consent each time; Google knows no
 * `offline_access`.
 *
 * @throws TypeError when an option is malformed
 */
export function google(options: GoogleOptions): Upstream {
  const { hostedDomain, ...rest } = options
  const label = options.label ?? 'Google'
  if (hostedDomain === '') throw new TypeError('Google: hostedDomain must not be empty')
  return oidc(
    {
      ...rest,
      id: options.id ?? 'google',
      label,
      issuer: options.issuer ?? 'https://accounts.google.com',
    },
    {
      parameters: hostedDomain === undefined ? {} : { hd: hostedDomain },
      offlineAccess: { prompt: 'consent', parameters: { access_type: 'offline' } },
      freshPrompt: 'select_account',
      userinfoClaims: ['email'],
      tenantClaim: 'hd',
      refine: (identity) => verifyHostedDomain(label, hostedDomain, identity),
    },
  )
}

function verifyHostedDomain(label: string, domain: string | undefined, identity: Identity) {
  if (domain === undefined || identity.memberships?.tenant === domain.toLowerCase()) return identity
  throw notAdmitted(label, identity.login)
}
