/** The requests of one client, written as it would write them. */
import type { AuthMethod, ClientProfile } from '../profiles/profile.ts'
import { readServerMetadata } from './default-endpoints.ts'
import {
  findResourceMetadata,
  type JsonObject,
  parseWebUrl,
  readChallengeOf,
  readResource,
  readText,
  readTexts,
} from './documents.ts'
import type { SharedVisit } from './visit.ts'

/** Where a client comes to a client id, or why it does not. */
export type Way =
  | { readonly kind: 'document'; readonly id: string }
  | { readonly kind: 'registration'; readonly endpoint: string }
  | { readonly kind: 'typed-in' | 'none' }

/** The first way to a client id, in the client's order, that the server offers. */
export function findWay(profile: ClientProfile, shared: SharedVisit): Way {
  const metadata = readServerMetadata(profile, shared)
  const { order, document, registration } = profile.identification
  const endpoint = parseWebUrl(readText(metadata, 'registration_endpoint'))?.href
  const [id] = document?.ids ?? []
  for (const kind of order) {
    if (kind === 'document' && id !== undefined && takesDocument(metadata, document?.needsNone)) {
      return { kind, id }
    }
    if (kind === 'registration' && registration !== undefined && endpoint !== undefined) {
      return { kind, endpoint }
    }
  }
  const mayType = order.includes('typed-in') && metadata !== undefined
  return { kind: mayType ? 'typed-in' : 'none' }
}

function takesDocument(metadata: JsonObject | undefined, needsNone = false): boolean {
  if (metadata?.['client_id_metadata_document_supported'] !== true) return false
  return !needsNone || readTexts(metadata, 'token_endpoint_auth_methods_supported').includes('none')
}

/** The body of a client's registration, fitted to what the server lists. */
export function createRegistration(profile: ClientProfile, shared: SharedVisit): JsonObject {
  const { registration, prefersMethods = [], registersScope = false } = profile.identification
  const metadata = readServerMetadata(profile, shared)
  const listed = readTexts(metadata, 'token_endpoint_auth_methods_supported')
  const method = prefersMethods.find((one: AuthMethod) => listed.includes(one))
  const scope = registersScope ? chooseScope(profile, shared) : undefined
  return {
    ...registration,
    ...fitGrants(registration, readTexts(metadata, 'grant_types_supported')),
    ...(method === undefined ? {} : { token_endpoint_auth_method: method }),
    ...(scope === undefined ? {} : { scope }),
  }
}

/** Grants besides the two that every client needs are asked for where the server lists them (VS Code). */
function fitGrants(
  registration: JsonObject | undefined,
  listed: readonly string[],
): { readonly grant_types?: readonly string[] } {
  if (registration?.['grant_types'] === undefined || listed.length === 0) return {}
  const usual = ['authorization_code', 'refresh_token']
  const wanted = readTexts(registration, 'grant_types')
  return { grant_types: wanted.filter((one) => usual.includes(one) || listed.includes(one)) }
}

/** The scopes a client asks for, from the first of its places that has some, else its own; undefined for none. */
export function chooseScope(profile: ClientProfile, shared: SharedVisit): string | undefined {
  const { scope, scopeOtherwise = [], addsOfflineAccess } = profile.authorization
  const server = readServerMetadata(profile, shared)
  const first = { POST: shared.post, GET: shared.get, HEAD: shared.head }[
    profile.discovery.firstRequest
  ]
  const places = {
    challenge: (readChallengeOf(first)['scope'] ?? '').split(' ').filter(Boolean),
    'resource-metadata': readTexts(
      findResourceMetadata(shared, profile.discovery.resourceMetadata),
      'scopes_supported',
    ),
    'server-metadata': readTexts(server, 'scopes_supported'),
  }
  const listed = scope.map((place) => places[place]).find((scopes) => scopes.length > 0)
  const chosen = listed ?? scopeOtherwise
  const addsOffline =
    addsOfflineAccess && readTexts(server, 'scopes_supported').includes('offline_access')
  const all = new Set(addsOffline ? [...chosen, 'offline_access'] : chosen)
  return all.size === 0 ? undefined : [...all].join(' ')
}

/**
 * The redirect URI a client asks for the first time, which is one that it registered: of several the one
 * that it uses, whatever the port. With a metadata document it is the one in use.
 */
export function findRedirectUri(
  { redirects, identification }: ClientProfile,
  way: 'document' | 'registration',
): string | undefined {
  const { used } = redirects
  const own = way === 'document' ? identification.document?.redirectUri : undefined
  if (own !== undefined) return own
  const registered = identification.registration?.redirect_uris ?? redirects.uris ?? []
  if (way === 'document' && used !== undefined) return used
  const sameButPort = registered.filter((uri) => used && dropPort(uri) === dropPort(used))
  return sameButPort.at(-1) ?? registered[0]
}

function dropPort(uri: string): string {
  return uri.replace(/^(http:\/\/[^/]*?):\d+(?=\/|$)/, '$1')
}

/** The resource a client names (RFC 8707); undefined when it names none. */
export function chooseResource(profile: ClientProfile, shared: SharedVisit): string | undefined {
  const { resource, resourceEndsInSlash = false } = profile.authorization
  if (resource === 'url') return shared.url.href
  if (resource === 'none') return undefined
  const named = parseWebUrl(readResource(shared, profile.discovery.resourceMetadata))?.href
  return resourceEndsInSlash ? named?.replace(/\/?$/, '/') : named
}

/** What an authorization request needs besides what the client chooses. */
export interface AuthorizationInput {
  readonly profile: ClientProfile
  readonly shared: SharedVisit
  readonly clientId: string
  readonly redirectUri: string
  readonly state: string
  readonly codeChallenge: string
}

/** The URL to which a client sends the browser; undefined when the metadata names no endpoint. */
export function toAuthorizationUrl(input: AuthorizationInput): URL | undefined {
  const { profile, shared, clientId, redirectUri, state, codeChallenge } = input
  const metadata = readServerMetadata(profile, shared)
  const url = parseWebUrl(readText(metadata, 'authorization_endpoint'))
  if (url === undefined) return undefined
  const scope = chooseScope(profile, shared)
  const prompts =
    profile.authorization.promptsForOffline === true &&
    scope?.split(' ').includes('offline_access') === true
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    scope,
    resource: chooseResource(profile, shared),
    prompt: prompts ? 'consent' : undefined,
    ...profile.authorization.extra,
  }
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return url
}
