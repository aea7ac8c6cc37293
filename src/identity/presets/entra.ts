/**
 * Sign-in with Microsoft Entra ID (v2.0), for one tenant or for many.
 *
 * `resource` is never sent: the v2.0 endpoints refuse it. Userinfo is never asked: it lacks groups, roles and
 * tenant, and answers only access tokens for Microsoft Graph.
 */
import { z } from 'zod'
import { notAdmitted } from '../admit.ts'
import { oidc } from '../oidc.ts'
import type { Claims, OidcProviderOptions } from '../oidc-options.ts'
import type { Identity, Upstream } from '../upstream.ts'

/** An app registration at Entra. */
export interface EntraOptions extends Omit<OidcProviderOptions, 'reverifyWith'> {
  /**
   * "Directory (tenant) ID" of the only tenant that may enter, or `organizations` (work and school accounts
   * of every tenant), `consumers` (personal accounts), `common` (both). With `organizations` and `common`,
   * the rule `tenants` says which ones.
   */
  readonly tenant: string
  /** Origin of a national cloud, for one tenant only. Default `https://login.microsoftonline.com`. */
  readonly authority?: string | undefined
}

const globalAuthority = 'https://login.microsoftonline.com'
/** The tenant of all personal accounts. */
const consumers = '9188040d-6c67-4c5b-b112-36a304b66dad'
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const claimsSchema = z.looseObject({
  tid: z.string().regex(guid),
  oid: z.string().min(1).max(100),
  xms_edov: z.unknown().optional(),
})

/**
 * Entra as an identity provider.
 *
 * An e-mail address there is what some administrator typed: it counts as verified only where the optional
 * claim `xms_edov` says that the tenant owns its domain (catalogue UP-08). A person of too many groups comes
 * without any (`_claim_names`): rules about groups then refuse. A login is what its tenant calls the person:
 * where several tenants may enter, combine `logins` with `tenants` and `match: 'all'`.
 *
 * @throws TypeError when an option is malformed
 */
export function entra(options: EntraOptions): Upstream {
  const { tenant, authority = globalAuthority, label = 'Microsoft', ...rest } = options
  const isShared = tenant === 'common' || tenant === 'organizations'
  const tenantId = tenant === 'consumers' ? consumers : tenant
  if (!isShared && !guid.test(tenantId)) {
    throw new TypeError(
      `Entra: tenant ${JSON.stringify(tenant)} must be a tenant id in lower case, or common, organizations or consumers`,
    )
  }
  if (isShared && authority !== globalAuthority) {
    throw new TypeError(`Entra: ${tenant} works at ${globalAuthority} only; name one tenant`)
  }
  const provider = oidc(
    {
      ...rest,
      id: options.id ?? 'entra',
      label,
      issuer: `${authority}/${tenantId}/v2.0`,
      reverifyWith: 'refresh-token',
    },
    {
      ...(isShared && { sharedIssuer: `${authority}/{tenantid}/v2.0` }),
      offlineAccess: { scope: 'offline_access' },
      userinfoClaims: [],
      tenantClaim: 'tid',
      refine: (identity, claims) => {
        const person = refine(identity, claims)
        const isPersonal = person.memberships?.tenant === consumers
        if (tenant === 'organizations' && isPersonal) throw notAdmitted(label, person.login)
        return person
      },
    },
  )
  // A subject names its tenant, whichever tenants may enter.
  return { ...provider, issuer: authority }
}

/**
 * `sub` is another for each app registration, so that a new registration would make strangers of everyone;
 * `oid` stays, and is unique within its tenant.
 */
function refine(identity: Identity, claims: Claims): Identity {
  const { tid, oid, xms_edov: isDomainOwner } = claimsSchema.parse(claims)
  const { emailVerified: _, ...rest } = identity
  const isVerified = [true, 1, '1', 'true'].some((value) => value === isDomainOwner)
  return {
    ...rest,
    subject: `${tid}:${oid}`,
    ...(identity.email !== undefined && { emailVerified: isVerified }),
  }
}
