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
  name: text(300),
})

/**
 * Who these claims are about.
 *
 * An e-mail address serves as the login only when it is verified, also where the provider calls it a
 * username: a rule about logins must not be a way around that (catalogue UP-08). A nickname never does: it
 * is what people like to be called, and two may share it (OpenID Connect Core §5.1).
 */
export function toIdentity(provider: OidcProvider, claims: Claims): Identity {
  const { sub, preferred_username, email, email_verified, name } = claimsSchema.parse(claims)
  const emailVerified = email_verified === true || email_verified === 'true'
  const isDoubtful = email_verified === false || email_verified === 'false'
  const isDoubtfulAddress = preferred_username?.toLowerCase() === email?.toLowerCase() && isDoubtful
  const username = isDoubtfulAddress ? undefined : preferred_username
  const tenant = provider.tenantClaim === undefined ? undefined : claims[provider.tenantClaim]
  const identity: Identity = {
    subject: sub,
    login: username ?? (emailVerified ? email : undefined) ?? sub,
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
  const both = { ...userinfo, ...idToken }
  if (idToken.email === userinfo.email) return both
  const { email_verified } = idToken.email === undefined ? userinfo : idToken
  return { ...both, email_verified }
}
