/**
 * Sign-in with GitHub (an OAuth App; GitHub Enterprise Server by its own addresses).
 *
 * GitHub is no OpenID provider: who someone is comes from its API. It answers errors as 200 and has
 * names of its own for them.
 */
import { z } from 'zod'
import type { Clock } from '../../platform/clock.ts'
import { createAdmission } from '../admission.ts'
import { oauth2, type ProviderRead } from '../oauth2.ts'
import { verifyEndpoint } from '../provider-fetch.ts'
import type { Identity, Upstream } from '../upstream.ts'

/** An OAuth App at GitHub. */
export interface GitHubOptions {
  readonly clientId: string
  readonly clientSecret: string
  /** Logins that may enter, whatever their case. Together with the other lists: any match admits. */
  readonly allowedLogins?: readonly string[]
  /** Primary, verified e-mail addresses that may enter. */
  readonly allowedEmails?: readonly string[]
  /** Domains of such addresses. */
  readonly allowedDomains?: readonly string[]
  /** For GitHub Enterprise Server and emulators. */
  readonly endpoints?: {
    /** Origin of the sign-in pages. Default `https://github.com`. */
    readonly web?: string
    /** Base of the REST API. Default `https://api.github.com`. */
    readonly api?: string
  }
  readonly fetch?: typeof fetch
  readonly clock?: Clock
  /** Ends the round trip of one callback. Default: after 10 seconds. */
  readonly createDeadline?: () => AbortSignal
}

const userSchema = z.object({
  id: z.int().positive(),
  login: z.string().min(1).max(100),
  name: z.string().max(300).nullish(),
})

const emailsSchema = z
  .array(z.object({ email: z.string().max(320), primary: z.boolean(), verified: z.boolean() }))
  .optional()

/**
 * GitHub as an identity provider. Without an allow-list, everyone with a GitHub account may enter.
 *
 * @throws TypeError when a credential is empty, or an endpoint or a rule is malformed
 */
export function github(options: GitHubOptions): Upstream {
  const web = options.endpoints?.web ?? 'https://github.com'
  const api = options.endpoints?.api ?? 'https://api.github.com'
  verifyEndpoint(api)
  return oauth2({
    id: 'github',
    label: 'GitHub',
    issuer: `${web}/login/oauth`,
    authorizationEndpoint: `${web}/login/oauth/authorize`,
    tokenEndpoint: `${web}/login/oauth/access_token`,
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    scopes: ['read:user', 'user:email'],
    identify: (read) => identify(read, api),
    errorNames: {
      bad_verification_code: 'invalid_grant',
      incorrect_client_credentials: 'invalid_client',
      redirect_uri_mismatch: 'unauthorized_client',
      application_suspended: 'unauthorized_client',
      unverified_user_email: 'access_denied',
    },
    admission: createAdmission({
      logins: options.allowedLogins,
      emails: options.allowedEmails,
      domains: options.allowedDomains,
    }),
    fetch: options.fetch,
    clock: options.clock,
    createDeadline: options.createDeadline,
  })
}

/** The numeric id is the subject: logins can be renamed and taken over by others (catalogue UP-08). */
async function identify(read: ProviderRead, api: string): Promise<Identity> {
  const user = userSchema.parse(await read(`${api}/user`))
  const emails = emailsSchema.parse(await read(`${api}/user/emails`, { optional: true }))
  const primary = emails?.find((entry) => entry.primary && entry.verified)
  return {
    subject: String(user.id),
    login: user.login,
    ...(primary && { email: primary.email, emailVerified: true }),
    ...(user.name && { name: user.name }),
  }
}
