/** What is around the documents: keys, CORS, the clock, caches, patience. */
import { toFreshSeconds } from '../../platform/freshness.ts'
import type { Check, Sighting } from '../finding.ts'
import type { Observation } from '../observation.ts'
import { findObservations, narrow } from '../places.ts'
import { parseMembers, readKind, tell } from '../reading.ts'
import type { Visit } from '../visit.ts'

/** Seconds by which clocks may differ before tokens are refused as from the future or over. */
const skewAllowedSeconds = 60
/** Seconds for which metadata may be cached before a correction takes too long to arrive. */
const cachingAllowedSeconds = 86_400

const keysMissing: Check = {
  id: 'jwks-unreachable',
  severity: 'risk',
  title: 'The keys that the metadata names cannot be read',
  why: 'Whoever verifies tokens or ID tokens by these keys refuses all of them.',
  fix: 'Serve a JSON Web Key Set at "jwks_uri", or leave the member out when tokens are not signed.',
  gatehouse: 'paths.jwks',
  breaks: [],
  after: ['wrong-public-url'],
  find: ({ shared: { jwks } }) => {
    if (jwks === undefined || readKind(jwks) === 'wall') return undefined
    const keys = parseMembers(jwks.response?.json)?.['keys']
    const isSet = readKind(jwks) === 'document' && Array.isArray(keys)
    return isSet ? undefined : { seen: tell(jwks), evidence: [jwks] }
  },
}

const privateKeys: Check = {
  id: 'jwks-private',
  severity: 'risk',
  title: 'The published keys are private ones',
  why: 'Anybody can sign tokens with them.',
  fix: 'Replace the keys at once, and publish only the public members: never d, p, q, dp, dq, qi or k.',
  breaks: [],
  find: ({ shared: { jwks } }) => {
    const keys: unknown = parseMembers(jwks?.response?.json)?.['keys']
    if (jwks === undefined || !Array.isArray(keys)) return undefined
    const isPrivate = keys.some((key: unknown) => {
      const members = parseMembers(key)
      return members !== undefined && ('d' in members || 'k' in members)
    })
    return isPrivate
      ? { seen: `${jwks.request.url} has private members`, evidence: [jwks] }
      : undefined
  },
}

/** The browser clients that were played. */
function listBrowsers({ clients }: Visit) {
  return clients.filter(({ profile }) => profile.requires.includes('cors-on-metadata'))
}

function narrowToBrowsers(visit: Visit, sighting: Sighting | undefined): Sighting | undefined {
  const browsers = listBrowsers(visit)
  return browsers.length === 0 ? undefined : sighting && { ...sighting, ...narrow(visit, browsers) }
}

const corsOnMetadata: Check = {
  id: 'cors-missing-on-metadata',
  severity: 'fault',
  title: 'A browser may not read the metadata',
  why: 'Clients that run in a browser, such as the MCP Inspector, are kept from every answer without CORS headers.',
  fix: 'Send Access-Control-Allow-Origin: * with the documents below /.well-known/, and answer OPTIONS with Access-Control-Allow-Headers: MCP-Protocol-Version, Authorization, Content-Type.',
  gatehouse: 'Gatehouse sends it: look for a proxy that takes it away',
  breaks: ['cors-on-metadata'],
  find: (visit) => {
    const { fromBrowser } = visit.shared
    if (fromBrowser?.response === undefined || readKind(fromBrowser) === 'wall') return undefined
    if (fromBrowser.response.headers['access-control-allow-origin']) return undefined
    const seen = `${tell(fromBrowser)}, without Access-Control-Allow-Origin`
    return narrowToBrowsers(visit, { seen, evidence: [fromBrowser] })
  },
}

/** What every MCP client sends with a call, and a browser asks about first. */
const headersAsked = ['Authorization', 'Content-Type', 'MCP-Protocol-Version']

function listRefusedHeaders(headers: Readonly<Record<string, string>>): readonly string[] {
  const allowed = (headers['access-control-allow-headers'] ?? '').toLowerCase().split(/\s*,\s*/)
  if (allowed.includes('*')) return []
  return headersAsked.filter((name) => !allowed.includes(name.toLowerCase()))
}

const corsOnEndpoint: Check = {
  id: 'cors-missing-on-mcp',
  severity: 'fault',
  title: 'A browser may not call the MCP endpoint',
  why: 'Before the request a browser asks by OPTIONS, without a token; it must be answered 2xx with CORS headers that allow what a call sends.',
  fix: 'Answer OPTIONS on the MCP path before tokens are checked, with Access-Control-Allow-Origin, -Methods and -Headers (Authorization, Content-Type, MCP-Protocol-Version, Mcp-Session-Id), and expose WWW-Authenticate and Mcp-Session-Id.',
  breaks: ['cors-on-metadata'],
  find: (visit) => {
    const { preflight, post } = visit.shared
    const { response } = preflight
    if (response === undefined || post.response?.status !== 401) return undefined
    if (readKind(preflight) === 'wall') return undefined
    const refused = listRefusedHeaders(response.headers)
    const isAllowed = response.status < 300 && response.headers['access-control-allow-origin']
    if (isAllowed && refused.length === 0) return undefined
    const lacking = isAllowed
      ? `, and Access-Control-Allow-Headers lacks ${refused.join(', ')}`
      : ''
    return narrowToBrowsers(visit, { seen: `${tell(preflight)}${lacking}`, evidence: [preflight] })
  },
}

const clockSkew: Check = {
  id: 'clock-skew',
  severity: 'risk',
  title: 'The clock of the server is wrong, or the one of this machine',
  why: 'Tokens seem to be from the future or over as soon as another machine verifies them.',
  fix: 'Set both clocks by NTP (timedatectl set-ntp true).',
  breaks: [],
  find: ({ shared: { post, now } }) => {
    const date = Date.parse(post.response?.headers['date'] ?? '')
    const aheadSeconds = Math.round(date / 1000 - now)
    if (Number.isNaN(date) || Math.abs(aheadSeconds) <= skewAllowedSeconds) return undefined
    const side = aheadSeconds > 0 ? 'ahead of' : 'behind'
    return {
      seen: `The Date header is ${Math.abs(aheadSeconds)} seconds ${side} this machine`,
      evidence: [post],
    }
  },
}

const cachedLong: Check = {
  id: 'metadata-cached-long',
  severity: 'risk',
  title: 'Metadata may be cached for more than a day',
  why: 'After a correction clients and proxies go on with the old document until then.',
  fix: 'Send Cache-Control: public, max-age=3600 or less with the documents below /.well-known/.',
  breaks: [],
  find: (visit) => {
    const evidence = (['resourceMetadata', 'serverMetadata'] as const)
      .flatMap((sought) => findObservations(visit, sought))
      .filter((observation) => {
        const seconds = toFreshSeconds(observation.response?.headers ?? {}) ?? 0
        return readKind(observation) === 'document' && seconds > cachingAllowedSeconds
      })
    const said = evidence.map(
      ({ request, response: { headers = {} } = {} }) =>
        `${request.url}: ${headers['cache-control'] ?? `Expires: ${headers['expires']}`}`,
    )
    return evidence.length === 0 ? undefined : { seen: said.join('; '), evidence }
  },
}

/** What a client waits for before its user does anything. */
function listAwaited(visit: Visit): readonly Observation[] {
  return [
    visit.shared.post,
    ...findObservations(visit, 'resourceMetadata'),
    ...findObservations(visit, 'serverMetadata'),
    ...visit.clients.flatMap(({ registration }) => registration ?? []),
  ].filter(({ response }) => response !== undefined)
}

const answerSlow: Check = {
  id: 'answer-slow',
  severity: 'risk',
  title: 'An answer takes more than half of the time that clients wait for it',
  why: 'On a slower day, or from farther away, the client gives up, and its user reads that the server is not reachable.',
  fix: 'Find out what the answer waits for: often a machine that is started by the first request, or a database far away.',
  breaks: [],
  find: (visit) => {
    const [slowest] = listAwaited(visit).toSorted(
      (one, other) => other.milliseconds - one.milliseconds,
    )
    if (slowest === undefined) return undefined
    const seconds = slowest.milliseconds / 1000
    const concerned = visit.clients.filter(
      ({ profile }) => seconds > (profile.tokens.timeoutSeconds ?? Number.POSITIVE_INFINITY) / 2,
    )
    if (concerned.length === 0) return undefined
    const waits = concerned.map(
      ({ profile }) => `${profile.name} waits ${profile.tokens.timeoutSeconds}`,
    )
    return {
      seen: `${tell(slowest)} and took ${seconds.toFixed(1)} seconds; ${waits.join(', ')}`,
      evidence: [slowest],
      ...narrow(visit, concerned),
    }
  },
}

/** Keys, CORS, clock, caches, and how long it all takes. */
export const surroundingChecks = [
  corsOnMetadata,
  corsOnEndpoint,
  keysMissing,
  privateKeys,
  clockSkew,
  cachedLong,
  answerSlow,
]
