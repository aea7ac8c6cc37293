/** Sign-in with Auth0. */
import { oidc } from '../oidc.ts'
import type { OidcProviderOptions } from '../oidc-options.ts'
import type { Upstream } from '../upstream.ts'

/** A "Regular Web Application" at Auth0. */
export interface Auth0Options extends OidcProviderOptions {
  /** The tenant's domain, such as `example.eu.auth0.com`, or a custom one. This or `issuer`. */
  readonly domain?: string | undefined
  /** The same as an address; the slash at the end is added when it is missing. */
  readonly issuer?: string | undefined
  /** Identifier of an API at Auth0, for access tokens that are meant for it. */
  readonly audience?: string | undefined
}

/**
 * Auth0 as an identity provider. Refresh tokens need "Allow Offline Access" at the API of `audience`.
 *
 * @throws TypeError when an option is malformed, or domain and issuer are both given or both missing
 */
export function auth0(options: Auth0Options): Upstream {
  const { domain, issuer, ...rest } = options
  return oidc(
    {
      ...rest,
      id: options.id ?? 'auth0',
      label: options.label ?? 'Auth0',
      issuer: toIssuer(domain, issuer),
    },
    { offlineAccess: { scope: 'offline_access' }, tenantClaim: 'org_id' },
  )
}

/** Auth0's issuers end with a slash, its console shows them without. */
function toIssuer(domain: string | undefined, issuer: string | undefined): string {
  if ((domain === undefined) === (issuer === undefined)) {
    throw new TypeError('Auth0: give either domain or issuer')
  }
  if (domain !== undefined && !/^[a-z0-9.-]+$/i.test(domain)) {
    throw new TypeError(`Auth0: the domain ${JSON.stringify(domain)} must be a host name alone`)
  }
  return `${issuer ?? `https://${domain}`}`.replace(/\/?$/, '/')
}
