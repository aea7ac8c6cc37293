/** The documents of discovery, found in a visit as a client would find them. */
import type { ProbeRequest } from '../platform/probe.ts'
import type { ClientProfile, ServerMetadataPlace } from '../profiles/profile.ts'
import { parseBearerChallenge } from './challenge.ts'
import { maskText } from './masking.ts'
import type { Observation } from './observation.ts'
import type { ServerSeen, SharedVisit } from './visit.ts'

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>

/** The JSON object of a successful answer; undefined for anything else. */
export function readObject(observation: Observation | undefined): JsonObject | undefined {
  const { response } = observation ?? {}
  if (response === undefined || response.status < 200 || response.status > 299) return undefined
  return isObject(response.json) ? response.json : undefined
}

/** Whether a value is a JSON object, not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member that is text; undefined when it is missing or something else. */
export function readText(object: JsonObject | undefined, name: string): string | undefined {
  const value = object?.[name]
  return typeof value === 'string' ? value : undefined
}

/** The texts of a member that is a list; empty when it is missing or something else. */
export function readTexts(object: JsonObject | undefined, name: string): readonly string[] {
  const value = object?.[name]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** An absolute http or https URL; undefined for any other text. */
export function parseWebUrl(text: string | undefined): URL | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined
}

/** What the challenge to the first request of most clients says; empty when there is none. */
export function readChallenge(shared: Pick<SharedVisit, 'post'>): Readonly<Record<string, string>> {
  return readChallengeOf(shared.post)
}

/** What the challenge of an answer says; empty when there is none. */
export function readChallengeOf({ response }: Observation): Readonly<Record<string, string>> {
  return parseBearerChallenge(response?.headers['www-authenticate'])?.parameters ?? {}
}

/** Where clients look for protected-resource metadata, in the order of most. */
export const resourceMetadataOrder = ['challenge', 'path', 'root'] as const

/**
 * Where clients look for the authorization server's, in the order of most; first and last the places of few, in
 * which only those look.
 */
export const serverMetadataOrder = [
  'oauth-appended',
  'oauth',
  'openid',
  'openid-appended',
  'oauth-at-origin',
] as const satisfies readonly ServerMetadataPlace[]

/** The protected-resource metadata that a client takes: the first in its order that is any. */
export function findResourceMetadata(
  shared: Pick<SharedVisit, 'post' | 'resourceMetadata'>,
  order: ClientProfile['discovery']['resourceMetadata'] = resourceMetadataOrder,
): JsonObject | undefined {
  return findFirst(order.map((place) => readObject(findResourceObservation(shared, place))))
}

/** The authorization servers that this metadata names, each once. */
export function listNamedServers(
  shared: Pick<SharedVisit, 'post' | 'resourceMetadata'>,
): readonly string[] {
  return [...new Set(readTexts(findResourceMetadata(shared), 'authorization_servers'))]
}

/** The resource that this metadata names; what is hidden of it in what we keep is what the person typed. */
export function readResource(
  shared: Pick<SharedVisit, 'url' | 'post' | 'resourceMetadata'>,
  order?: ClientProfile['discovery']['resourceMetadata'],
): string | undefined {
  const named = readText(findResourceMetadata(shared, order), 'resource')
  return named === maskText(shared.url.href) ? shared.url.href : named
}

/** What came of looking at a place; what the challenge names may be one of the other two. */
export function findResourceObservation(
  shared: Pick<SharedVisit, 'post' | 'resourceMetadata'>,
  place: (typeof resourceMetadataOrder)[number],
): Observation | undefined {
  const { resourceMetadata } = shared
  if (place !== 'challenge' || resourceMetadata.challenge !== undefined) {
    return resourceMetadata[place]
  }
  const named = parseWebUrl(readChallenge(shared)['resource_metadata'])?.href
  return [resourceMetadata.path, resourceMetadata.root].find(
    (seen) => named !== undefined && seen?.request.url === maskText(named),
  )
}

/** The authorization server's metadata that a client takes: the first in its order that is any. */
export function findServerMetadata(
  server: Pick<ServerSeen, 'issuer' | 'serverMetadata'>,
  order: ClientProfile['discovery']['serverMetadata'] = serverMetadataOrder,
): JsonObject | undefined {
  return findFirst(order.map((place) => readObject(findServerObservation(server, place))))
}

/** What came of looking at a place; undefined when nobody looked there. */
export function findServerObservation(
  { issuer, serverMetadata }: Pick<ServerSeen, 'issuer' | 'serverMetadata'>,
  place: ServerMetadataPlace,
): Observation | undefined {
  if (serverMetadata[place] !== undefined || hasPath(issuer)) return serverMetadata[place]
  return serverMetadata[place.startsWith('oauth') ? 'oauth' : 'openid']
}

/** Whether the places of a document differ. */
export function hasPath(issuer: string): boolean {
  const { pathname = '/' } = parseWebUrl(issuer) ?? {}
  return pathname !== '/'
}

function findFirst(documents: readonly (JsonObject | undefined)[]): JsonObject | undefined {
  return documents.find((document) => document !== undefined)
}

/**
 * Where the protected-resource metadata of an MCP URL is looked for (RFC 9728 §3.1). For a server at the
 * root of its origin both are the same.
 */
export function toResourceMetadataUrls(url: URL): { readonly path: string; readonly root: string } {
  const root = `${url.origin}/.well-known/oauth-protected-resource`
  return { path: `${root}${url.pathname.replace(/\/$/, '')}${url.search}`, root }
}

/** Where the metadata of an issuer is looked for (RFC 8414 §3.1, OpenID Connect Discovery §4). */
export function toServerMetadataUrls(issuer: URL): Readonly<Record<ServerMetadataPlace, string>> {
  const { origin } = issuer
  const path = issuer.pathname.replace(/\/$/, '')
  const oauth = '/.well-known/oauth-authorization-server'
  const openid = '/.well-known/openid-configuration'
  return {
    oauth: `${origin}${oauth}${path}`,
    openid: `${origin}${openid}${path}`,
    'openid-appended': `${origin}${path}${openid}`,
    'oauth-appended': `${origin}${path}${oauth}`,
    'oauth-at-origin': `${origin}${oauth}`,
  }
}

/** The request for a document of discovery. */
export function toDocumentRequest(url: string): ProbeRequest {
  return {
    method: 'GET',
    url,
    headers: { accept: 'application/json', 'mcp-protocol-version': '2025-11-25' },
  }
}
