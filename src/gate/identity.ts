/**
 * What a backend is told about the caller, by its configuration: nothing, header fields that only we
 * can set, or a short-lived signed assertion that it can verify against our keys; and besides, if it is to
 * have it, the user's own access token at their identity provider.
 */
import { LRUCache } from 'lru-cache'
import type { Backend, RequestContext } from '../context.ts'
import { OAuthError } from '../errors.ts'
import type { KnownUser } from '../identity/profiles.ts'
import { localUpstream } from '../identity/users.ts'
import type { HeaderField } from '../platform/exchange.ts'
import type { Profile } from '../storage/records/user.ts'
import type { AccessTokenClaims } from '../tokens/access-token.ts'
import { backendUnauthorized } from './headers.ts'
import { createUpstreamTokens } from './upstream-token.ts'

/** The fields that say who is calling. */
export type DescribeCaller = (
  claims: AccessTokenClaims,
  context: RequestContext,
) => Promise<readonly HeaderField[]>

/** What a backend is told of its callers. */
export interface CallerDescription {
  readonly describe: DescribeCaller
  /**
   * The fields of a request that the backend refused, with another token of the caller's provider; undefined
   * when there is none. Absent where the backend gets no such token.
   */
  readonly recover?: (
    refusal: unknown,
    sent: readonly HeaderField[],
    caller: { readonly claims: AccessTokenClaims; readonly context: RequestContext },
  ) => Promise<readonly HeaderField[] | undefined>
}

/** How long a profile is believed, and an assertion used again, in seconds. */
const profileSeconds = 60
const assertionReuseSeconds = 30

/** Lifetime of an assertion, in seconds. */
const assertionSeconds = 60

/** Users, and tokens, remembered per backend. */
const remembered = 10_000

/** What the backend of this configuration is told. */
export function createCallerDescription(
  backend: Backend & { readonly to: URL },
): CallerDescription {
  const describeIdentity = createIdentityDescription(backend)
  if (backend.forward === undefined) return { describe: describeIdentity }
  const tokens = createUpstreamTokens(backend)
  return {
    async describe(claims, context) {
      const token = await tokens.find(claims, context)
      const fields = await describeIdentity(claims, context)
      return [...fields, toAuthorization(token)]
    },
    async recover(refusal, sent, { claims, context }) {
      if (!(refusal instanceof OAuthError) || refusal.reason !== backendUnauthorized) {
        return undefined
      }
      const [, authorization = ''] = sent.find(([name]) => name === 'authorization') ?? []
      const refused = authorization.slice('Bearer '.length)
      const token = await tokens.renew(refused, claims, context)
      if (token === undefined) return undefined
      return [...sent.filter(([name]) => name !== 'authorization'), toAuthorization(token)]
    },
  }
}

function toAuthorization(token: string): HeaderField {
  return ['authorization', `Bearer ${token}`]
}

function createIdentityDescription(backend: Backend & { readonly to: URL }): DescribeCaller {
  if (backend.identity === 'headers') return createIdentityFields()
  if (backend.identity === 'assertion') return createAssertion(backend.to.origin)
  return async () => []
}

/** Names follow oauth2-proxy where it has them, so that existing backends understand. */
function createIdentityFields(): DescribeCaller {
  const findPerson = createPersonLookup()
  return async (claims, context) => {
    // Another issuer's users are none of ours, whatever their ids.
    const isOurs = claims.iss === context.config.issuer
    const person = isOurs ? await findPerson(claims.sub, context) : undefined
    const known: [string, string | undefined][] = [
      ['x-forwarded-user', claims.sub],
      ['x-forwarded-email', person?.email],
      ['x-forwarded-preferred-username', person?.login],
      ['x-gatehouse-client-id', claims.client_id],
      ['x-gatehouse-scope', claims.scope],
    ]
    return known.flatMap(([name, value]): HeaderField[] =>
      value === undefined || value === '' ? [] : [[name, toFieldValue(value)]],
    )
  }
}

/**
 * Which server is meant is in `aud`; who calls, for whom and how far is in the rest (RFC 7519 §4.1).
 *
 * One is used again for whoever it would be signed for alike, and for nobody else: the `jti` of a token is
 * as unique as its issuer makes it, which in verify mode is not us.
 */
function createAssertion(audience: string): DescribeCaller {
  const signed = new LRUCache<string, { assertion: string; at: number }>({ max: remembered })
  return async (claims, context) => {
    const now = context.clock.now()
    const { sub, client_id, scope } = claims
    const key = JSON.stringify([sub, client_id, scope])
    const known = signed.get(key)
    if (known && now >= known.at && now < known.at + assertionReuseSeconds)
      return [['x-gatehouse-assertion', known.assertion]]
    const times = { iat: now, exp: now + assertionSeconds }
    const assertion = await context.keys.sign(
      { iss: context.config.issuer, sub, aud: audience, client_id, scope, ...times },
      'gatehouse-assertion+jwt',
    )
    signed.set(key, { assertion, at: now })
    return [['x-gatehouse-assertion', assertion]]
  }
}

/** What a backend may know of somebody. */
type Person = Pick<Profile, 'login' | 'email'>

/** Finds what a backend may know of a user of ours; remembers it for a minute. */
export function createPersonLookup() {
  const people = new LRUCache<string, { person: Person | undefined; at: number }>({
    max: remembered,
  })
  return async (userId: string, context: RequestContext): Promise<Person | undefined> => {
    const now = context.clock.now()
    const known = people.get(userId)
    if (known && now >= known.at && now < known.at + profileSeconds) return known.person
    const user = await context.users.find(userId)
    const person = user && toPerson(user)
    people.set(userId, { person, at: now })
    return person
  }
}

/**
 * A backend takes an address for the person behind it, so one that nobody vouches for is left out
 * (catalogue UP-08). That of a local account is the owner's word.
 */
function toPerson({ record, profile }: KnownUser): Person {
  const { login, email, emailVerified } = profile
  const isVouchedFor = emailVerified === true || record.value.upstream === localUpstream
  return { login, ...(isVouchedFor && email !== undefined && { email }) }
}

/**
 * The value itself when it is plain ASCII, otherwise `UTF-8''` and the percent-encoded value (RFC 8187
 * §3.2): nothing a person calls themselves can end the line or mean another person (RS-20).
 */
function toFieldValue(value: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith("UTF-8''"))
    return value
  return `UTF-8''${encodeURIComponent(value.replace(/\p{Surrogate}/gu, '\ufffd'))}`
}
