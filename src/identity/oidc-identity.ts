/** Claims of an OpenID provider, read as an identity. */
import { z } from 'zod'
import type { Claims, OidcProvider } from './oidc-options.ts'
import type { Identity } from './upstream.ts'

/** What is no text of a sensible length counts as unsaid: only `sub` has to be there. */
const text = (longest: number) => z.string().min(1).max(longest).optional().catch(undefined)

const claimsSchema = z.looseObject({
  sub: z.string().min(1).max(255),
  preferred_username: text(320),
  email: text(320),
  email_verified: z.unknown().optional(),
  nickname: text(320),
  name: text(300),
})

/**
 * Who these claims are about.
 *
 * An e-mail address serves as the login only when it is verified: a rule about logins must not be a way
 * around that (catalogue UP-08).
 */
export function toIdentity(provider: OidcProvider, claims: Claims): Identity {
  const { sub, preferred_username, email, email_verified, nickname, name } =
    claimsSchema.parse(claims)
  const emailVerified = email_verified === true || email_verified === 'true'
  const tenant = provider.tenantClaim === undefined ? undefined : claims[provider.tenantClaim]
  const identity: Identity = {
    subject: sub,
    login: preferred_username ?? (emailVerified ? email : undefined) ?? nickname ?? sub,
    ...(email !== undefined && { email, emailVerified }),
    ...(name !== undefined && { name }),
    memberships: { ...(typeof tenant === 'string' && { tenant }), claims },
  }
  return provider.refine(identity, claims)
}

/**
 * The claims of both, those of the ID token first. Whether an address is verified is only said by
 * whoever says the address.
 */
export function mergeClaims(idToken: Claims, userinfo: Claims): Claims {
  if (idToken.email === undefined || idToken.email === userinfo.email) {
    return { ...userinfo, ...idToken }
  }
  const { email_verified: _, ...rest } = userinfo
  return { ...rest, ...idToken }
}
