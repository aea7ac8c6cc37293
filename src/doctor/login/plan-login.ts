/** Where a login goes: read from what the walk saw, as a client of the current revision reads it. */
import type { ClientProfile } from '../../profiles/profile.ts'
import type { Observation } from '../observation.ts'
import type { SharedVisit } from '../visit.ts'
import type { LoginClient, LoginPlan } from './login-visit.ts'

/** The doctor's own client: it receives on loopback, like a client on a laptop. */
export const ownClient: LoginClient = {
  id: 'doctor',
  name: 'Gatehouse doctor',
  registration: {
    client_name: 'Gatehouse doctor',
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  },
  sendsResource: true,
}

/** A client of a profile as it logs in; undefined when it does not receive on loopback, so that we cannot be it. */
export function toLoginClient(profile: ClientProfile): LoginClient | undefined {
  const { id, name, redirects, identification, authorization } = profile
  if (!redirects.loopback) return undefined
  const { redirect_uris: uris, ...registration } = identification.registration ?? {
    ...ownClient.registration,
    client_name: name,
    redirect_uris: [],
  }
  const loopback = uris
    .map((uri) => URL.parse(uri))
    .find((uri) => uri !== null && /^(localhost|127\.0\.0\.1)$/.test(uri.hostname))
  return {
    id,
    name,
    registration,
    redirect: loopback ? { host: loopback.hostname, path: loopback.pathname } : undefined,
    sendsResource: authorization.resource !== 'none',
  }
}

/** The plan, or why there can be none, in a sentence for the person. */
export function planLogin(
  shared: SharedVisit,
  client: LoginClient,
): { readonly plan: LoginPlan } | { readonly problem: string } {
  const metadata = findObject(shared.serverMetadata, ['oauth', 'openid', 'openid-appended'])
  const { authorization_endpoint: authorization, token_endpoint: token } = metadata ?? {}
  if (metadata === undefined || !isAddress(authorization) || !isAddress(token)) {
    const status = shared.post.response?.status
    if (status !== undefined && status < 300)
      return { problem: 'The MCP endpoint lets everyone in, so there is nothing to log in to' }
    return {
      problem:
        'No metadata names an authorization endpoint and a token endpoint, so nobody can log in',
    }
  }
  const registration = toAddress(metadata['registration_endpoint'])
  if (registration === undefined && client.clientId === undefined)
    return {
      problem:
        'The metadata names no registration endpoint: log in with a client that is known there, --client-id ID',
    }
  const resource = findObject(shared.resourceMetadata, ['challenge', 'path', 'root'])
  const named = resource?.['resource']
  return {
    plan: {
      client,
      url: shared.url.href,
      resource: typeof named === 'string' ? named : shared.url.href,
      issuer: shared.issuer,
      promisesIss: metadata['authorization_response_iss_parameter_supported'] === true,
      scope: findScope(shared.post, resource, metadata),
      endpoints: {
        authorization,
        token,
        registration,
        revocation: toAddress(metadata['revocation_endpoint']),
      },
      authenticationMethods: toTexts(metadata['token_endpoint_auth_methods_supported']),
    },
  }
}

type Fields = Readonly<Record<string, unknown>>

function findObject<Place extends string>(
  seen: Readonly<Partial<Record<Place, Observation>>>,
  places: readonly Place[],
): Fields | undefined {
  for (const place of places) {
    const { status, json } = seen[place]?.response ?? {}
    if (status === 200 && isObject(json)) return json
  }
  return undefined
}

/** The challenge's scopes, else the resource's; `offline_access` besides where it is known (MCP, Scope Selection). */
function findScope(post: Observation, resource: Fields | undefined, metadata: Fields) {
  const challenge = post.response?.headers['www-authenticate'] ?? ''
  const [, asked] = /\bscope="([^"]*)"/i.exec(challenge) ?? []
  const scopes = asked?.split(' ') ?? toTexts(resource?.['scopes_supported'])
  const offline = toTexts(metadata['scopes_supported']).filter(
    (scope) => scope === 'offline_access',
  )
  const all = [...new Set([...scopes, ...(scopes.length > 0 ? offline : [])])].join(' ').trim()
  return all === '' ? undefined : all
}

function toTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

/** Only http and https: nothing else may be handed to the program that opens a page. */
function isAddress(value: unknown): value is string {
  return typeof value === 'string' && /^https?:$/.test(URL.parse(value)?.protocol ?? '')
}

function toAddress(value: unknown): string | undefined {
  return isAddress(value) ? value : undefined
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
