/** What the MCP endpoint answers to somebody without a token: 401, or something that keeps clients out. */
import type { Check, Sighting } from '../finding.ts'
import type { Observation, SeenResponse } from '../observation.ts'
import { isOldTransport, opensOldStream } from '../old-transport.ts'
import { findDocument } from '../places.ts'
import {
  isHtml,
  parseMembers,
  parseText,
  parseUrl,
  readKind,
  readLocation,
  tell,
} from '../reading.ts'
import type { Visit } from '../visit.ts'
import { findSignInRedirect } from './front.ts'
import { otherRequestChecks, sight } from './other-requests.ts'

/** Finds a POST that came through to the server and was answered with one of these statuses. */
function findPost({ shared }: Visit, ...statuses: readonly number[]): Sighting | undefined {
  const { post } = shared
  const isOwn = readKind(post) !== 'wall' && statuses.includes(post.response?.status ?? 0)
  return isOwn ? sight(post) : undefined
}

function hasMetadata(visit: Visit): boolean {
  return findDocument(visit, 'resourceMetadata') !== undefined
}

function isEventStream({ headers }: SeenResponse): boolean {
  return /event-stream/i.test(headers['content-type'] ?? '')
}

/** Whether the endpoint let somebody without a token in, and speaks MCP. */
function isOpen({ shared }: Visit): boolean {
  const { response } = shared.post
  if (response === undefined || response.status < 200 || response.status >= 300) return false
  if (isHtml(response)) return false
  const rpc = parseMembers(response.json)
  return isEventStream(response) || parseText(rpc?.['jsonrpc']) !== undefined
}

/** The answer that lets everybody in, by either transport. */
function findOpen(visit: Visit): Observation | undefined {
  if (isOpen(visit)) return visit.shared.post
  return isOldTransport(visit.shared) && opensOldStream(visit.shared) ? visit.shared.get : undefined
}

const redirectToOtherHost: Check = {
  id: 'redirect-to-other-host',
  severity: 'fault',
  title: 'The MCP URL redirects to another host',
  why: 'Clients drop the token when a redirect leads to another host, so they sign in and are refused ever after.',
  fix: 'Give clients the URL that the redirect leads to, or proxy the request in place of redirecting it.',
  gatehouse: 'publicUrl',
  breaks: ['no-redirect-on-mcp'],
  after: ['redirect-to-https', 'sign-in-redirect'],
  find: (visit) => {
    const { post, url } = visit.shared
    const to = readLocation(post)
    if (to === undefined || to.host === url.host || findSignInRedirect(visit)) return undefined
    return { ...sight(post), fix: `Give clients ${to.href}, or proxy the request to it.` }
  },
}

const redirectOnMcpPath: Check = {
  id: 'redirect-on-mcp-path',
  severity: 'fault',
  title: 'The MCP URL redirects to another path',
  why: 'After 301, 302 and 303 clients repeat a POST as GET without its body; several follow no redirect at all. Mostly it is a framework that adds or takes away a trailing slash.',
  fix: 'Give clients the URL that the redirect leads to, or switch the redirect off (Starlette: redirect_slashes=False; nginx: proxy_pass without the rewriting slash).',
  breaks: ['no-redirect-on-mcp'],
  after: ['redirect-to-https', 'sign-in-redirect', 'redirect-to-other-host'],
  find: ({ shared }) => {
    const to = readLocation(shared.post)
    if (to === undefined) return undefined
    return { ...sight(shared.post), fix: `Give clients ${to.href}, or switch the redirect off.` }
  },
}

const openWithMetadata: Check = {
  id: 'open-with-metadata',
  severity: 'risk',
  title: 'The server offers OAuth and lets everybody in without it',
  why: 'Clients begin to sign in at a 401. Without one they connect as nobody, see what everybody may see, and sign in only where a tool answers 401 later; whether one does shows only in use.',
  fix: 'Answer requests without a token with 401 and WWW-Authenticate: Bearer resource_metadata="…", initialize included; unless some tools are meant to work without an account, and the others answer 401 by themselves.',
  gatehouse: 'to: let clients reach the gate only, never the server behind it',
  breaks: ['unauthorized-401', 'unauthorized-401-on-get'],
  find: (visit) => {
    const open = findOpen(visit)
    return open && hasMetadata(visit) ? sight(open) : undefined
  },
}

const streamWithoutAnswer: Check = {
  id: 'stream-without-answer',
  severity: 'fault',
  title: 'The MCP endpoint opens a stream and does not answer in it',
  why: 'Clients wait in the stream for the answer to initialize, and give up.',
  fix: 'Send the answer as an event of the stream that the POST opens (data: {"jsonrpc":"2.0","id":1,"result":…}), or as application/json; see in the log of the server what it waits for.',
  breaks: [],
  stops: 'use',
  find: (visit) => {
    const { response } = visit.shared.post
    if (response === undefined || !isOpen(visit) || !isEventStream(response)) return undefined
    if (/^data:/m.test(response.body)) return undefined
    const { seen, evidence } = sight(visit.shared.post)
    return { seen: `${seen}, and no event came in time`, evidence }
  },
}

const openToEverybody: Check = {
  id: 'open-to-everybody',
  severity: 'risk',
  title: 'The server asks nobody for a token',
  why: 'Whoever finds the URL uses its tools. Clients connect when a person chooses “no authentication”.',
  fix: 'Put an authorization server in front, unless everybody may use the tools.',
  gatehouse: 'gatehouse serve --to URL',
  breaks: [],
  find: (visit) => {
    const open = findOpen(visit)
    return open && !hasMetadata(visit) ? sight(open) : undefined
  },
}

const notMcp: Check = {
  id: 'not-an-mcp-endpoint',
  severity: 'fault',
  title: 'Something other than an MCP server answers at this path',
  why: 'Clients post JSON-RPC to it and cannot read what comes back: mostly the path is missing from the URL, or a website answers every path.',
  fix: 'Give clients the full URL with its path, usually /mcp, and route that path to the MCP server before the website.',
  gatehouse: 'backends[].path',
  breaks: ['unauthorized-401'],
  stops: 'reach',
  find: (visit) => {
    const { response } = visit.shared.post
    if (readKind(visit.shared.post) === 'wall' || isOpen(visit)) return undefined
    return response && response.status >= 200 && response.status < 300
      ? sight(visit.shared.post)
      : undefined
  },
}

const notFound: Check = {
  id: 'mcp-path-not-found',
  severity: 'fault',
  title: 'There is nothing at this path',
  why: 'The host answers and knows no MCP server there.',
  fix: 'Give clients the URL with the right path (often /mcp, or /sse for old servers), or route this path to the server.',
  gatehouse: 'backends[].path',
  breaks: ['unauthorized-401'],
  stops: 'reach',
  find: (visit) => {
    const sighting = isOldTransport(visit.shared) ? undefined : findPost(visit, 404, 410)
    const resource = parseUrl(findDocument(visit, 'resourceMetadata')?.members['resource'])
    const isHere = resource?.host === visit.shared.url.host
    if (!isHere || resource.href === visit.shared.url.href) return sighting
    return sighting && { ...sighting, fix: `Give clients ${resource.href} as the metadata has it.` }
  },
}

const methodRefused: Check = {
  id: 'post-not-allowed',
  severity: 'fault',
  title: 'The path takes no POST',
  why: 'Streamable HTTP clients post to the URL. A path that only answers GET belongs to a website, or the proxy in front lets no POST through.',
  fix: 'Give clients the Streamable HTTP URL, usually /mcp, and let POST through to it.',
  gatehouse: 'backends[].path',
  breaks: ['unauthorized-401'],
  stops: 'reach',
  find: (visit) => (isOldTransport(visit.shared) ? undefined : findPost(visit, 405)),
}

const oldTransport: Check = {
  id: 'http-sse-only',
  severity: 'fault',
  title: 'The server speaks the old HTTP+SSE transport only',
  why: 'Streamable HTTP has taken its place (MCP 2025-03-26). Some clients still go on by GET when POST finds nothing, a few want to be told (claude mcp add --transport sse); the others do not connect.',
  fix: 'Serve Streamable HTTP, with a newer SDK, or put Gatehouse in front, which speaks HTTP+SSE to the server and Streamable HTTP to clients.',
  gatehouse: 'backends[].transport: sse',
  breaks: ['streamable-http'],
  find: ({ shared, clients }) => {
    const { post, get } = shared
    if (!isOldTransport(shared)) return undefined
    const speaking = clients.filter(({ profile }) => !profile.requires.includes('streamable-http'))
    const names = speaking.map(({ profile }) => profile.name).join(', ')
    const who = names === '' ? '' : `; ${names} still speak${speaking.length === 1 ? 's' : ''} it`
    return { seen: `${tell(post)}; ${tell(get)}${who}`, evidence: [post, get] }
  },
}

const judgedBeforeToken: Check = {
  id: 'refused-before-authorization',
  severity: 'fault',
  title: 'A request without a token is judged by its content before its token',
  why: 'Clients begin to sign in at a 401; 400, 406, 415 and 422 tell them that the server does not understand them.',
  fix: 'Check the token first: Accept, Content-Type, session and body are judged after it.',
  breaks: ['unauthorized-401'],
  find: (visit) => findPost(visit, 400, 406, 415, 422),
}

const forbidden: Check = {
  id: 'forbidden-in-place-of-401',
  severity: 'fault',
  title: 'A request without a token is answered 403',
  why: 'A 403 is final for clients; they sign in at a 401 only. Besides a wrong status it can be a firewall or a check of Origin or Host that refuses everybody.',
  fix: 'Answer 401 with WWW-Authenticate: Bearer resource_metadata="…", and look for a firewall rule or a list of allowed hosts that lacks this one.',
  breaks: ['unauthorized-401'],
  find: (visit) => findPost(visit, 402, 403, 407, 421, 451),
}

const serverError: Check = {
  id: 'mcp-endpoint-fails',
  severity: 'fault',
  title: 'The MCP endpoint fails',
  why: 'The server, or the proxy in front that cannot reach it (502, 503, 504), answers with an error to everybody.',
  fix: 'Read the log of the server at the time of this request; for 502 to 504 check that it runs and that the proxy has the right address for it.',
  gatehouse: 'to',
  breaks: ['unauthorized-401'],
  stops: 'reach',
  find: ({ shared }) => (readKind(shared.post) === 'server-error' ? sight(shared.post) : undefined),
}

/** The first request and what it meets. */
export const endpointChecks = [
  redirectToOtherHost,
  redirectOnMcpPath,
  openWithMetadata,
  streamWithoutAnswer,
  openToEverybody,
  oldTransport,
  notFound,
  methodRefused,
  notMcp,
  judgedBeforeToken,
  forbidden,
  serverError,
  ...otherRequestChecks,
]
