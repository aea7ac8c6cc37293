/** What an owner configures of an OpenID provider, what its preset knows of it, and the two combined. */
import { type Clock, systemClock } from '../platform/clock.ts'
import { type Admission, type AdmissionRules, createAdmission } from './admission.ts'
import { createDefaultDeadline, verifyEndpoint } from './provider-fetch.ts'
import { type ProviderOptions, verifyProviderOptions } from './provider-options.ts'
import type { Identity } from './upstream.ts'

/** What every OpenID provider is configured with. */
export interface OidcProviderOptions extends Omit<ProviderOptions, 'clientSecret' | 'admission'> {
  /** Absent: a public client, which has PKCE only. */
  readonly clientSecret?: string | undefined
  /** Whether refresh tokens are asked for. Default: yes, where the provider has them. */
  readonly offlineAccess?: boolean | undefined
  /** Who may enter. Default: everyone for whom the provider vouches. */
  readonly admission?: AdmissionRules | Admission | undefined
  /** How far the provider's clock may be from ours. Default: 60. */
  readonly clockToleranceSeconds?: number | undefined
  /**
   * Whom to ask later whether a person may still enter: userinfo with the access token (the default), or the
   * token endpoint with the refresh token, for rules about claims that only the ID token carries. The
   * latter spends the refresh token where the provider rotates it.
   */
  readonly reverifyWith?: 'userinfo' | 'refresh-token' | undefined
}

/** Any OpenID provider. */
export interface OidcOptions extends OidcProviderOptions {
  /** Exactly as the provider writes it in its discovery document and its ID tokens, byte for byte. */
  readonly issuer: string
  /** Sent as `audience`, for providers that bind access tokens to an API by it. */
  readonly audience?: string | undefined
  /** How the secret is sent. Default: in the body where discovery announces that, else as Basic. */
  readonly clientAuthentication?: ClientAuthentication | undefined
  /**
   * Signature algorithms of ID tokens. Default: RS256, PS256, ES256, EdDSA, Ed25519. HS256 (keyed with the
   * client secret) counts only when it is named here; `none` never does.
   */
  readonly idTokenAlgorithms?: readonly string[] | undefined
}

/** RFC 7591 §2 `token_endpoint_auth_method`, as far as secrets go. */
export type ClientAuthentication = 'client_secret_post' | 'client_secret_basic'

/** The claims of an ID token, of userinfo, or of both. */
export type Claims = Readonly<Record<string, unknown>>

/** How one provider differs from the next. For presets: an owner has nothing to say about it. */
export interface OidcQuirks {
  /** What else the authorization request carries. */
  readonly parameters?: Readonly<Record<string, string>>
  /** What asks for refresh tokens. Default: {@link standardOfflineAccess}. */
  readonly offlineAccess?: OfflineAccess
  /** The `prompt` that makes the provider ask the person anew. Default `login`. */
  readonly freshPrompt?: string
  /** The claims for which userinfo is asked when the ID token lacks them. Default: `email`, `groups`. */
  readonly userinfoClaims?: readonly string[]
  /** The claim that says which tenant a person is of. */
  readonly tenantClaim?: string
  /** What discovery calls its issuer where many tenants share one document: `…/{tenantid}/v2.0`. */
  readonly sharedIssuer?: string
  /** Mends what was read of a person, or throws an OAuthError. */
  readonly refine?: (identity: Identity, claims: Claims) => Identity
}

/** How refresh tokens are asked for. */
export interface OfflineAccess {
  /** Sent when discovery announces it. */
  readonly scope?: string
  /** `prompt` without which the provider gives none. */
  readonly prompt?: string
  readonly parameters?: Readonly<Record<string, string>>
}

/** A strict provider ignores the scope unless the person is asked for consent (OpenID Connect Core §11). */
export const standardOfflineAccess: OfflineAccess = { scope: 'offline_access', prompt: 'consent' }

/** Options and quirks with every default filled in. */
export interface OidcProvider {
  readonly id: string
  readonly label: string
  readonly issuer: string
  readonly sharedIssuer: string | undefined
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly clientAuthentication: ClientAuthentication | undefined
  readonly scopes: readonly string[]
  readonly parameters: Readonly<Record<string, string>>
  /** Undefined: no refresh tokens are asked for. */
  readonly offlineAccess: OfflineAccess | undefined
  readonly freshPrompt: string
  readonly idTokenAlgorithms: readonly string[]
  readonly clockToleranceSeconds: number
  readonly userinfoClaims: readonly string[]
  readonly tenantClaim: string | undefined
  readonly reverifyWith: 'userinfo' | 'refresh-token'
  readonly admission: Admission | undefined
  readonly refine: (identity: Identity, claims: Claims) => Identity
  readonly fetch: typeof fetch
  readonly clock: Clock
  readonly createDeadline: () => AbortSignal
}

const asymmetric = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']
const algorithms = new Set([...asymmetric, 'HS256'])

/**
 * The provider that options and quirks describe.
 *
 * @throws TypeError when an id, a credential, the issuer, an algorithm or a rule is malformed
 */
export function toOidcProvider(options: OidcOptions, quirks: OidcQuirks): OidcProvider {
  verifyOptions(options)
  const { audience, offlineAccess = true } = options
  return {
    id: options.id ?? 'oidc',
    label: options.label ?? new URL(options.issuer).host,
    issuer: options.issuer,
    sharedIssuer: quirks.sharedIssuer,
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    clientAuthentication: options.clientAuthentication,
    scopes: ['openid', 'profile', 'email', ...(options.scopes ?? [])],
    parameters: { ...(audience !== undefined && { audience }), ...quirks.parameters },
    offlineAccess: offlineAccess ? (quirks.offlineAccess ?? standardOfflineAccess) : undefined,
    freshPrompt: quirks.freshPrompt ?? 'login',
    idTokenAlgorithms: options.idTokenAlgorithms ?? asymmetric,
    clockToleranceSeconds: options.clockToleranceSeconds ?? 60,
    userinfoClaims: quirks.userinfoClaims ?? ['email', 'groups'],
    tenantClaim: quirks.tenantClaim,
    reverifyWith: options.reverifyWith ?? 'userinfo',
    admission: toAdmission(options.admission, quirks),
    refine: quirks.refine ?? ((identity) => identity),
    fetch: options.fetch ?? fetch,
    clock: options.clock ?? systemClock,
    createDeadline: options.createDeadline ?? createDefaultDeadline,
  }
}

function toAdmission(admission: OidcOptions['admission'], quirks: OidcQuirks) {
  if (admission === undefined || typeof admission === 'function') return admission
  return createAdmission(admission, quirks.tenantClaim ? ['tenants', 'claims'] : ['claims'])
}

function verifyOptions(options: OidcOptions): void {
  const { id = 'oidc', clientSecret, clockToleranceSeconds = 60 } = options
  verifyProviderOptions({ ...options, id })
  verifyIssuer(id, options.issuer)
  if (!(clockToleranceSeconds >= 0 && clockToleranceSeconds <= 600)) {
    throw new TypeError(`Upstream ${id}: clockToleranceSeconds must be between 0 and 600`)
  }
  for (const algorithm of options.idTokenAlgorithms ?? []) {
    if (!algorithms.has(algorithm)) {
      throw new TypeError(`Upstream ${id}: ID tokens signed with ${algorithm} are not taken`)
    }
  }
  if (options.idTokenAlgorithms?.includes('HS256') && clientSecret === undefined) {
    throw new TypeError(`Upstream ${id}: HS256 needs a clientSecret`)
  }
}

function verifyIssuer(id: string, issuer: string): void {
  verifyEndpoint(issuer)
  const { search, hash, username } = new URL(issuer)
  if (search || hash || username || issuer.includes('/.well-known/')) {
    throw new TypeError(
      `Upstream ${id}: the issuer ${JSON.stringify(issuer)} must be the address alone, without /.well-known/…`,
    )
  }
}
