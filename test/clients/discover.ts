/** A profile's discovery, request by request, and what the client then knows. */
import { expect } from 'vitest'
import type { ClientProfile, Discovery } from '../../src/profiles/profile.ts'

/** What a client knows after discovery. */
export interface Discovered {
  readonly resource: string
  readonly metadata: Readonly<Record<string, unknown>>
  /** The scopes it is going to ask for. */
  readonly scopes: readonly string[]
}

/** Where a browser client's page is from. */
const origin = 'http://localhost:6274'

/** Looks for everything where the profile says, and holds it to what the profile asks for. */
export async function discover(profile: ClientProfile, url: string): Promise<Discovered> {
  const { discovery } = profile
  const challenge = await knock(discovery, url)
  const documents: Record<string, unknown>[] = []
  for (const place of toPlaces(discovery, url, challenge)) {
    documents.push(await readJson(place, discovery))
  }
  const [resource] = documents
  if (!resource) throw new Error(`${profile.id} looks for no protected-resource metadata`)
  for (const document of documents) expect(document).toMatchObject({ resource: url })
  const [issuer] = resource['authorization_servers'] as string[]
  const metadata = await readServerMetadata(discovery, issuer ?? '')
  expect(metadata['issuer']).toBe(issuer)
  expect(metadata['code_challenge_methods_supported']).toEqual(['S256'])
  expect(metadata['response_types_supported']).toEqual(['code'])
  expect(JSON.stringify([resource, metadata])).not.toContain('null')
  const listed = {
    challenge: toList(/ scope="([^"]*)"/.exec(challenge)?.[1]?.split(' ')),
    'resource-metadata': toList(resource['scopes_supported']),
    'server-metadata': toList(metadata['scopes_supported']),
  }
  return { resource: url, metadata, scopes: chooseScopes(profile, listed) }
}

/** Comes without a token; what the challenge says. */
async function knock({ firstRequest }: Discovery, url: string): Promise<string> {
  const answer = await fetch(url, {
    method: firstRequest,
    headers: {
      accept: 'application/json, text/event-stream',
      ...(firstRequest === 'POST' && { 'content-type': 'application/json' }),
    },
    ...(firstRequest === 'POST' && {
      body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} }),
    }),
  })
  await answer.arrayBuffer()
  expect(answer.status).toBe(401)
  return answer.headers.get('www-authenticate') ?? ''
}

function toPlaces({ resourceMetadata }: Discovery, url: string, challenge: string): string[] {
  const wellKnown = new URL('/.well-known/oauth-protected-resource', url).href
  const places = {
    challenge: / resource_metadata="([^"]*)"/.exec(challenge)?.[1] ?? 'no-address',
    path: wellKnown + new URL(url).pathname,
    root: wellKnown,
  }
  return resourceMetadata.map((place) => places[place])
}

/** The first document of the authorization server that is there; one that is not there must be a plain 404. */
async function readServerMetadata(discovery: Discovery, issuer: string) {
  const names = { oauth: 'oauth-authorization-server', openid: 'openid-configuration' }
  for (const place of discovery.serverMetadata) {
    const name = place.startsWith('oauth') ? names.oauth : names.openid
    const answer = await fetch(`${issuer}/.well-known/${name}`)
    if (answer.ok) return readJson(`${issuer}/.well-known/${name}`, discovery)
    await answer.arrayBuffer()
    expect(answer.status).toBe(404)
  }
  throw new Error('No metadata of the authorization server')
}

async function readJson(url: string, { fromBrowser }: Discovery): Promise<Record<string, unknown>> {
  const headers = { 'mcp-protocol-version': '2025-11-25' }
  if (fromBrowser) await expectPreflight(url)
  const answer = await fetch(url, { headers: fromBrowser ? { ...headers, origin } : headers })
  expect(answer.status, url).toBe(200)
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  if (fromBrowser) expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  return (await answer.json()) as Record<string, unknown>
}

async function expectPreflight(url: string): Promise<void> {
  const answer = await fetch(url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'mcp-protocol-version',
    },
  })
  expect(answer.status).toBe(204)
  expect(answer.headers.get('access-control-allow-headers')).toContain('mcp-protocol-version')
}

type Listed = Record<ClientProfile['authorization']['scope'][number], string[]>

function chooseScopes({ authorization }: ClientProfile, listed: Listed): string[] {
  const { scope, scopeOtherwise = [], invents = [], addsOfflineAccess } = authorization
  const offered = scope.map((place) => listed[place]).find((scopes) => scopes.length > 0)
  const chosen = offered ?? scopeOtherwise
  const isOffline = addsOfflineAccess && listed['server-metadata'].includes('offline_access')
  return [...new Set([...chosen, ...invents, ...(isOffline ? ['offline_access'] : [])])]
}

function toList(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}
