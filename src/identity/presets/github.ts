/**
 * Sign-in with GitHub: an OAuth App or a GitHub App; GitHub Enterprise Server by its own addresses.
 *
 * GitHub is no OpenID provider: who someone is comes from its API. It answers errors as 200 and has
 * names of its own for them. Tokens of an OAuth App live until they are revoked; those of a GitHub App
 * live eight hours and come with a refresh token for six months, unless its owner opted out.
 */
import { z } from 'zod'
import { type AdmissionFact, type AdmissionRules, createAdmission } from '../admission.ts'
import { type GrantTools, oauth2 } from '../oauth2.ts'
import { toCustodyError } from '../provider-errors.ts'
import { type ProviderFetch, verifyEndpoint } from '../provider-fetch.ts'
import type { ProviderOptions } from '../provider-options.ts'
import type { ProviderRead } from '../provider-read.ts'
import type { Identity, Memberships, Upstream, UpstreamTokens } from '../upstream.ts'

/** An app at GitHub. */
export interface GitHubOptions extends ProviderOptions {
  /** Logins that may enter, whatever their case: the same as `admission.logins`. */
  readonly allowedLogins?: readonly string[] | undefined
  /** Primary, verified e-mail addresses that may enter: the same as `admission.emails`. */
  readonly allowedEmails?: readonly string[] | undefined
  /** Domains of such addresses: the same as `admission.domains`. */
  readonly allowedDomains?: readonly string[] | undefined
  /** For GitHub Enterprise Server and emulators. */
  readonly endpoints?:
    | {
        /** Origin of the sign-in pages. Default `https://github.com`. */
        readonly web?: string | undefined
        /** Base of the REST API. Default `https://api.github.com`; on a server of one's own `…/api/v3`. */
        readonly api?: string | undefined
      }
    | undefined
}

/** An app, and where its GitHub is. */
interface App {
  readonly label: string
  readonly api: string
  readonly clientId: string
  readonly clientSecret: string
}

const userSchema = z.object({
  id: z.int().positive(),
  login: z.string().min(1).max(100),
  name: z.string().max(300).nullish(),
})

const emailsSchema = z
  .array(z.object({ email: z.string().max(320), primary: z.boolean(), verified: z.boolean() }))
  .optional()

const ownerSchema = z.object({ login: z.string().min(1) })
const organizationsSchema = z
  .array(z.object({ state: z.string(), organization: ownerSchema }))
  .optional()
const teamsSchema = z
  .array(z.object({ slug: z.string().min(1), organization: ownerSchema }))
  .optional()

/** A page of a hundred teams with all that GitHub says of each. */
const profileLimitBytes = 1024 * 1024

/** GitHub's names, and what they stand for. `Not Found`: a client ID that does not exist. */
const errorNames = {
  bad_verification_code: 'invalid_grant',
  bad_refresh_token: 'invalid_grant',
  incorrect_client_credentials: 'invalid_client',
  'Not Found': 'invalid_client',
  redirect_uri_mismatch: 'unauthorized_client',
  application_suspended: 'unauthorized_client',
  unverified_user_email: 'access_denied',
}

/**
 * GitHub as an identity provider. Without rules of admission, everyone with a GitHub account may enter.
 *
 * The scope `read:org` is asked for only when a rule is about organisations or teams.
 *
 * @throws TypeError when a credential is empty, or an endpoint or a rule is malformed
 */
export function github(options: GitHubOptions): Upstream {
  const { id = 'github', label = 'GitHub', endpoints = {}, scopes = [], ...rest } = options
  const { web = 'https://github.com', api = 'https://api.github.com' } = endpoints
  verifyEndpoint(api)
  const admission = toRules(options)
  const facts = findFacts(admission)
  const needed = ['read:user', 'user:email', ...(facts.length > 0 ? ['read:org'] : [])]
  return oauth2({
    ...rest,
    id,
    label,
    issuer: `${web}/login/oauth`,
    profileIssuer: api,
    authorizationEndpoint: `${web}/login/oauth/authorize`,
    tokenEndpoint: `${web}/login/oauth/access_token`,
    freshParameters: { prompt: 'select_account' },
    scopes: [...new Set([...needed, ...scopes])],
    identify: (read) => identify(read, api, { facts, denied: findDenied(admission) }),
    ...(facts.length > 0 && { profileLimitBytes }),
    endGrant: (tokens, tools) => endGrant({ ...options, label, api }, tokens, tools),
    errorNames,
    admission: createAdmission(admission, ['organizations', 'teams']),
  })
}

/** The rules, the lists that have options of their own among them. */
function toRules(options: GitHubOptions): AdmissionRules {
  const { admission = {}, allowedLogins, allowedEmails, allowedDomains } = options
  const join = (given: readonly string[] | undefined, more: readonly string[] | undefined) =>
    given && more ? [...given, ...more] : (given ?? more)
  return {
    ...admission,
    logins: join(admission.logins, allowedLogins),
    emails: join(admission.emails, allowedEmails),
    domains: join(admission.domains, allowedDomains),
  }
}

/** What has to be asked because of the rules. */
function findFacts({ deny, ...allow }: AdmissionRules): AdmissionFact[] {
  const facts: AdmissionFact[] = ['organizations', 'teams']
  return facts.filter((fact) => allow[fact] !== undefined || deny?.[fact] !== undefined)
}

/** What has to be known in full: whoever keeps GitHub from telling some of it would walk around the rule. */
function findDenied({ deny = {} }: AdmissionRules): AdmissionFact[] {
  return findFacts({ deny })
}

/** What is asked because of the rules, and what of it in full. */
interface Wanted {
  readonly facts: readonly AdmissionFact[]
  readonly denied: readonly AdmissionFact[]
}

/** The numeric id is the subject: logins can be renamed and taken over by others (catalogue UP-08). */
async function identify(read: ProviderRead, api: string, wanted: Wanted): Promise<Identity> {
  const user = userSchema.parse(await read(`${api}/user`))
  const emails = emailsSchema.parse(await read(`${api}/user/emails`, { optional: true }))
  const primary = emails?.find((entry) => entry.primary && entry.verified)
  return {
    subject: String(user.id),
    login: user.login,
    ...(primary && { email: primary.email, emailVerified: true }),
    ...(user.name && { name: user.name }),
    ...(wanted.facts.length > 0 && { memberships: await readMemberships(read, api, wanted) }),
  }
}

/** Where the person belongs. What the app may not see is left out, which no rule takes for a no. */
async function readMemberships(
  read: ProviderRead,
  api: string,
  { facts, denied }: Wanted,
): Promise<Memberships> {
  const list = async (fact: AdmissionFact, path: string) => {
    const options = { optional: true, pages: true, whole: denied.includes(fact) }
    return facts.includes(fact) ? read(`${api}${path}`, options) : undefined
  }
  const [joined, inTeams] = await Promise.all([
    list('organizations', '/user/memberships/orgs?state=active&per_page=100'),
    list('teams', '/user/teams?per_page=100'),
  ])
  const organizations = organizationsSchema
    .parse(joined)
    ?.filter(({ state }) => state === 'active')
    .map(({ organization }) => organization.login.toLowerCase())
  const teams = teamsSchema
    .parse(inTeams)
    ?.map(({ slug, organization }) => `${organization.login}/${slug}`.toLowerCase())
  return { ...(organizations && { organizations }), ...(teams && { teams }) }
}

/**
 * Takes the app out of the person's list of authorized apps, with every token it has for them.
 *
 * GitHub finds the authorization by an access token that works. That of a GitHub App may have ended
 * before its refresh token, which then gets another one to end it with.
 */
async function endGrant(
  app: App,
  tokens: UpstreamTokens,
  { request, refresh }: GrantTools,
): Promise<void> {
  const { accessToken, refreshToken } = tokens
  if ((await removeGrant(app, accessToken, request)) || refreshToken === undefined) return
  const fresh = await refresh({ ...tokens, refreshToken }).catch((error: unknown) => {
    if (toCustodyError(app.label, error).code === 'invalid_grant') return undefined
    throw error
  })
  if (fresh) await removeGrant(app, fresh.accessToken, request)
}

/** False when GitHub knows no authorization by this token: it was removed already, or the token has ended. */
async function removeGrant(
  { api, clientId, clientSecret }: App,
  accessToken: string,
  request: ProviderFetch,
): Promise<boolean> {
  const response = await request(`${api}/applications/${encodeURIComponent(clientId)}/grant`, {
    method: 'DELETE',
    headers: {
      authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}`,
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'gatehouse',
    },
    body: JSON.stringify({ access_token: accessToken }),
  })
  if (response.ok) return true
  if (response.status === 404 || response.status === 422) return false
  throw new Error(`The end of a grant was answered with ${response.status}`)
}
