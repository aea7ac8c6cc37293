/**
 * The part of a visit that is alike for every client: the MCP endpoint without a token, and the documents
 * of discovery. It reads, and sends nothing that a server would keep.
 */
import type { Clock } from '../platform/clock.ts'
import type { InspectHost } from '../platform/inspect-host.ts'
import type { ProbeRequest, Send } from '../platform/probe.ts'
import type { ServerMetadataPlace } from '../profiles/profile.ts'
import {
  findServerMetadata,
  hasPath,
  listNamedServers,
  parseWebUrl,
  readChallenge,
  readObject,
  readText,
  toDocumentRequest,
  toResourceMetadataUrls,
  toServerMetadataUrls,
} from './documents.ts'
import { createMcpRequest, openings } from './mcp-messages.ts'
import type { Observation, Probe } from './observation.ts'
import { createProbe, limitRequests, toUnsent } from './observe.ts'
import { isAbsent } from './places.ts'
import type { ServerSeen, SharedVisit } from './visit.ts'

/** What a visit reaches the world through. */
export interface WalkPorts {
  readonly send: Send
  readonly inspectHost: InspectHost
  readonly clock: Clock
}

/** Most requests of the shared part. */
export const sharedRequestsAllowed = 12

/** Where the Inspector runs, the browser client that most people use. */
const browserOrigin = 'http://localhost:6274'

/** Makes the shared requests, at most {@link sharedRequestsAllowed}. */
export async function walk(url: URL, ports: WalkPorts): Promise<SharedVisit> {
  const host = await ports.inspectHost(url)
  const isUntrusted = 'certificate' in host && host.certificate?.problem !== undefined
  const { send, countLeft } = countRequests(limitRequests(ports.send, sharedRequestsAllowed))
  const probe = createProbe(send, isUntrusted)
  const post = await probe(createMcpRequest(url.href, openings.initialize))
  const now = ports.clock.now()
  if (post.failure !== undefined) return { ...toUnreached(url, post), host, now }
  const [endpoint, resourceMetadata] = await Promise.all([
    askEndpoint(url, probe),
    askResourceMetadata(url, post, probe),
  ])
  const [first, second] = listNamedServers({ post, resourceMetadata })
  // Without any, clients take the origin of the MCP server as in 2025-03-26.
  const server = await askServer(first ?? url.origin, first !== undefined, probe)
  const isNextAsked = isAbsent(Object.values(server.serverMetadata))
  const next = isNextAsked ? await askNext(second, probe, countLeft()) : undefined
  const last = countLeft() < 2 ? {} : await askLast(next ?? server, probe)
  // A challenge that names a place of its own may have taken the twelfth request.
  const discover =
    countLeft() > 0 ? await probe(createMcpRequest(url.href, openings.discover)) : undefined
  return {
    url,
    host,
    post,
    ...endpoint,
    resourceMetadata,
    ...server,
    ...(next === undefined ? {} : { next }),
    ...last,
    ...(discover === undefined ? {} : { discover }),
    now,
  }
}

/** Sends, and knows how many more may be sent. */
function countRequests(send: Send): { readonly send: Send; readonly countLeft: () => number } {
  let left = sharedRequestsAllowed
  return {
    countLeft: () => left,
    send: (request, options) => {
      left -= 1
      return send(request, options)
    },
  }
}

function toEndpointRequests(url: URL): Record<'get' | 'head' | 'preflight', ProbeRequest> {
  return {
    get: { method: 'GET', url: url.href, headers: { accept: 'text/event-stream' } },
    head: { method: 'HEAD', url: url.href, headers: {} },
    preflight: {
      method: 'OPTIONS',
      url: url.href,
      headers: {
        origin: browserOrigin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,mcp-protocol-version',
      },
    },
  }
}

async function askEndpoint(
  url: URL,
  probe: Probe,
): Promise<Pick<SharedVisit, 'get' | 'head' | 'preflight'>> {
  const requests = toEndpointRequests(url)
  const [get, head, preflight] = await Promise.all([
    probe(requests.get),
    probe(requests.head),
    probe(requests.preflight),
  ])
  return { get, head, preflight }
}

/** For a server at the root of its origin, `path` and `root` are one request. */
async function askResourceMetadata(
  url: URL,
  post: Observation,
  probe: Probe,
): Promise<SharedVisit['resourceMetadata']> {
  const places = toResourceMetadataUrls(url)
  const named = parseWebUrl(readChallenge({ post })['resource_metadata'])?.href
  const isElsewhere = named !== undefined && named !== places.path && named !== places.root
  const [path, root, challenge] = await Promise.all([
    probe(toDocumentRequest(places.path)),
    places.root === places.path ? undefined : probe(toDocumentRequest(places.root)),
    isElsewhere ? probe(toDocumentRequest(named)) : undefined,
  ])
  return { path, root: root ?? path, ...(challenge === undefined ? {} : { challenge }) }
}

/** The places in which clients look that keep to the specification. */
function listPlaces(issuer: string): readonly ServerMetadataPlace[] {
  return hasPath(issuer) ? ['oauth', 'openid', 'openid-appended'] : ['oauth', 'openid']
}

async function askServer(
  issuer: string,
  isIssuerNamed: boolean,
  probe: Probe,
): Promise<ServerSeen> {
  const url = parseWebUrl(issuer)
  if (url === undefined) return { issuer, isIssuerNamed, serverMetadata: {} }
  const addresses = toServerMetadataUrls(url)
  const asked = listPlaces(issuer).map(
    async (place) => [place, await probe(toDocumentRequest(addresses[place]))] as const,
  )
  return { issuer, isIssuerNamed, serverMetadata: Object.fromEntries(await Promise.all(asked)) }
}

/** The second server, where it is named and so many requests reach for all of its places. */
async function askNext(
  issuer: string | undefined,
  probe: Probe,
  left: number,
): Promise<ServerSeen | undefined> {
  if (issuer === undefined || listPlaces(issuer).length > left) return undefined
  return askServer(issuer, true, probe)
}

/** The keys, and a document of discovery once more as a browser asks for it. */
async function askLast(
  server: ServerSeen,
  probe: Probe,
): Promise<Pick<SharedVisit, 'jwks' | 'fromBrowser'>> {
  const keys = parseWebUrl(readText(findServerMetadata(server), 'jwks_uri'))
  const document = Object.values(server.serverMetadata).find((seen) => readObject(seen))
  const [jwks, fromBrowser] = await Promise.all([
    keys === undefined ? undefined : probe(toDocumentRequest(keys.href)),
    document === undefined ? undefined : probe(toBrowserRequest(document.request.url)),
  ])
  return {
    ...(jwks === undefined ? {} : { jwks }),
    ...(fromBrowser === undefined ? {} : { fromBrowser }),
  }
}

function toBrowserRequest(url: string): ProbeRequest {
  return { method: 'GET', url, headers: { accept: 'application/json', origin: browserOrigin } }
}

/** A visit that ended at the door. */
function toUnreached(url: URL, post: Observation): Omit<SharedVisit, 'host' | 'now'> {
  const { get, head, preflight } = toEndpointRequests(url)
  const why = 'the first request got no answer'
  return {
    url,
    post,
    get: toUnsent(get, why),
    head: toUnsent(head, why),
    preflight: toUnsent(preflight, why),
    resourceMetadata: {},
    issuer: url.origin,
    isIssuerNamed: false,
    serverMetadata: {},
  }
}
