/**
 * Sign-in with any OAuth 2.0 provider that tells who someone is at an address of its own.
 *
 * For providers without OpenID Connect: where one has it, `oidc` is the better choice, because there the
 * answer is signed.
 */
import { type AdmissionFact, createAdmission } from '../admission.ts'
import { oauth2 } from '../oauth2.ts'
import { verifyEndpoint } from '../provider-fetch.ts'
import type { ProviderOptions } from '../provider-options.ts'
import type { Identity, Upstream } from '../upstream.ts'

/** A provider, and how to read what it says of people. */
export interface GenericOAuth2Options extends ProviderOptions {
  /** What the provider puts into `iss` of its callbacks (RFC 9207). Default: the origin of its pages. */
  readonly issuer?: string | undefined
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  /** Answers a GET that carries the person's access token with a JSON object about them. */
  readonly profileEndpoint: string
  readonly profile: ProfilePaths
  /** Ends a token (RFC 7009). Default: tokens are not ended there. */
  readonly revocationEndpoint?: string | undefined
  /** Further parameters of the authorization request, such as `access_type` or an audience. */
  readonly authorizationParameters?: Readonly<Record<string, string>> | undefined
  /** How the client proves itself. Default: `client_secret_post`. */
  readonly clientAuthentication?: 'client_secret_post' | 'client_secret_basic' | undefined
}

/** Where things stand in the answer about a person: member names, with dots between nested ones. */
export interface ProfilePaths {
  /** The id that never changes and is never given to another: never a login, never an e-mail address. */
  readonly subject: string
  /** Default: the subject. */
  readonly login?: string | undefined
  readonly email?: string | undefined
  /** What is `true` there. Without it, no address counts as verified. */
  readonly emailVerified?: string | undefined
  readonly name?: string | undefined
  /** A list of groups, which rules of admission see as the claim `groups`. */
  readonly groups?: string | undefined
}

const pathNames: ReadonlySet<string> = new Set([
  'subject',
  'login',
  'email',
  'emailVerified',
  'name',
  'groups',
])
const facts: readonly AdmissionFact[] = ['claims']
const longestText = 500

/**
 * The provider that these options describe. Rules of admission see every member of its answer as a claim.
 *
 * @throws TypeError when an endpoint, a path, a credential or a rule is missing or malformed
 */
export function genericOAuth2(options: GenericOAuth2Options): Upstream {
  const { id = 'oauth2', scopes = [], admission = {}, profile, profileEndpoint, ...rest } = options
  verifyEndpoint(options.authorizationEndpoint)
  verifyEndpoint(profileEndpoint)
  verifyPaths(profile)
  const { origin, host } = new URL(options.authorizationEndpoint)
  return oauth2({
    ...rest,
    id,
    label: options.label ?? host,
    issuer: options.issuer ?? origin,
    profileIssuer: profileEndpoint,
    scopes,
    identify: async (read) => toIdentity(await read(profileEndpoint), profile),
    admission: createAdmission(admission, facts),
  })
}

/** @throws Error when the answer does not name anyone */
function toIdentity(answer: unknown, paths: ProfilePaths): Identity {
  const find = (path: string | undefined) =>
    path === undefined ? undefined : readPath(answer, path)
  const subject = toText(find(paths.subject))
  if (subject === undefined) throw new Error('The answer has no subject')
  const email = toText(find(paths.email))
  const verified = toTruth(find(paths.emailVerified))
  const name = toText(find(paths.name))
  return {
    subject,
    login: toText(find(paths.login)) ?? subject,
    ...(email !== undefined && { email }),
    ...(email !== undefined && verified !== undefined && { emailVerified: verified }),
    ...(name !== undefined && { name }),
    // What the answer itself calls `groups` does not count when the owner named another place.
    memberships: {
      claims: {
        ...(answer as object),
        ...(paths.groups !== undefined && { groups: find(paths.groups) }),
      },
    },
  }
}

/** The value at `data.user.id`; undefined where there is none. */
function readPath(answer: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, name) => {
    if (typeof at !== 'object' || at === null) return undefined
    return (at as Record<string, unknown>)[name]
  }, answer)
}

/** Numbers too large to be exact name nobody: two people could share one. */
function toText(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined
  const fits = typeof value === 'string' && value !== '' && value.length <= longestText
  return fits ? value : undefined
}

function toTruth(value: unknown): boolean | undefined {
  if (value === true || value === 'true') return true
  return value === undefined || value === null ? undefined : false
}

function verifyPaths(profile: unknown): asserts profile is ProfilePaths {
  const paths = typeof profile === 'object' && profile !== null ? Object.entries(profile) : []
  for (const [name, path] of paths) {
    const fits = pathNames.has(name) && (path === undefined || isPath(path))
    if (!fits)
      throw new TypeError(`profile.${name}: ${JSON.stringify(path)} is no path such as data.id`)
  }
  if (!paths.some(([name, path]) => name === 'subject' && path !== undefined)) {
    throw new TypeError('profile.subject must say where the id of a person stands')
  }
}

function isPath(path: unknown): boolean {
  return typeof path === 'string' && /^[^.\s]+(\.[^.\s]+)*$/.test(path)
}
