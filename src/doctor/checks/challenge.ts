/** The challenge: whether a 401 says where to begin. */
import { parseBearerChallenge } from '../challenge.ts'
import type { Check, Sighting } from '../finding.ts'
import { isInternalHost, parseUrl } from '../reading.ts'
import type { Visit } from '../visit.ts'

/** The header as it should be, for the metadata of one MCP path. */
function toHeader(origin: string, path: string): string {
  const metadata = `${origin}/.well-known/oauth-protected-resource${path}`
  return `WWW-Authenticate: Bearer resource_metadata="${metadata}"`
}

const example = toHeader('https://HOST', '/PATH')

interface Challenged {
  readonly header: string
  /** The value of `resource_metadata`; undefined without a Bearer challenge or without the parameter. */
  readonly metadata: string | undefined
  readonly isBearer: boolean
}

function readChallenged({ shared }: Visit): Challenged | undefined {
  const { response } = shared.post
  if (response?.status !== 401) return undefined
  const header = response.headers['www-authenticate'] ?? ''
  const challenge = parseBearerChallenge(header)
  return {
    header,
    metadata: challenge?.parameters['resource_metadata'],
    isBearer: challenge !== undefined,
  }
}

function findChallenge(
  visit: Visit,
  isSo: (challenged: Challenged) => boolean,
): Sighting | undefined {
  const challenged = readChallenged(visit)
  if (challenged === undefined || !isSo(challenged)) return undefined
  const { post, url } = visit.shared
  const said = challenged.header === '' ? 'without WWW-Authenticate' : challenged.header
  const seen = { seen: `POST ${url.href} answered 401, ${said}`, evidence: [post] }
  if (isAbsoluteUrl(challenged.metadata ?? '')) return seen
  const header = toHeader(url.origin, url.pathname.replace(/\/$/, ''))
  return { ...seen, fix: `Send this with every 401: ${header}` }
}

function isAbsoluteUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && parseUrl(text) !== undefined
}

const missing: Check = {
  id: 'challenge-missing',
  severity: 'risk',
  title: 'The 401 has no WWW-Authenticate header',
  why: 'The header starts the sign-in and says where the metadata is. Without it clients guess where to look, and some only say that connecting failed. A proxy in between may have taken it away.',
  fix: `Send it with every 401: ${example}.`,
  breaks: ['challenge-names-metadata'],
  find: (visit) => findChallenge(visit, ({ header }) => header === ''),
}

const notBearer: Check = {
  id: 'challenge-not-bearer',
  severity: 'risk',
  title: 'The 401 asks for something other than a Bearer token',
  why: 'Basic and other schemes come from a proxy with a password, or from a framework’s default; MCP clients speak Bearer only.',
  fix: `Take the password off this path and send ${example}.`,
  breaks: ['challenge-names-metadata'],
  find: (visit) => findChallenge(visit, ({ header, isBearer }) => header !== '' && !isBearer),
}

const withoutMetadata: Check = {
  id: 'challenge-without-metadata',
  severity: 'risk',
  title: 'The challenge does not name the protected-resource metadata',
  why: 'Clients then guess the address; some do not, and only say that connecting failed.',
  fix: `Add the parameter: ${example}.`,
  breaks: ['challenge-names-metadata'],
  find: (visit) => findChallenge(visit, ({ isBearer, metadata }) => isBearer && !metadata),
}

const notAbsolute: Check = {
  id: 'challenge-metadata-relative',
  severity: 'risk',
  title: 'The challenge names the metadata by an address that is not absolute',
  why: 'RFC 9728 wants a URL; clients parse it as one and fail.',
  fix: `Write the whole URL, with scheme and host: ${example}.`,
  breaks: ['challenge-names-metadata'],
  find: (visit) =>
    findChallenge(visit, ({ metadata }) => Boolean(metadata) && !isAbsoluteUrl(metadata ?? '')),
}

const overHttp: Check = {
  id: 'challenge-metadata-http',
  severity: 'risk',
  title: 'The challenge names the metadata by http',
  why: 'Clients refuse metadata that anybody on the way could have changed. The server behind the proxy takes itself for http.',
  fix: 'Build the URL from the configured public https address, not from the request; uvicorn, for one, needs --proxy-headers and a trusted proxy.',
  gatehouse: 'publicUrl',
  breaks: ['challenge-names-metadata'],
  after: ['wrong-public-url'],
  find: (visit) =>
    findChallenge(visit, ({ metadata }) => {
      const named = parseUrl(metadata)
      return visit.shared.url.protocol === 'https:' && named?.protocol === 'http:'
    }),
}

const elsewhere: Check = {
  id: 'challenge-metadata-elsewhere',
  severity: 'risk',
  title: 'The challenge names metadata on another origin',
  why: 'Clients on the Rust SDK (Codex, Goose) and Zed accept the metadata from the MCP server’s own origin only.',
  fix: 'Serve the document at /.well-known/oauth-protected-resource on the MCP server’s own origin and name that.',
  gatehouse: 'publicUrl',
  breaks: [],
  after: ['challenge-metadata-http', 'plain-http'],
  find: (visit) =>
    findChallenge(visit, ({ metadata }) => {
      const named = isAbsoluteUrl(metadata ?? '') ? parseUrl(metadata) : undefined
      const isForeign = named !== undefined && named.origin !== visit.shared.url.origin
      return isForeign && !isInternalHost(named.hostname)
    }),
}

/** `WWW-Authenticate` and what it names. */
export const challengeChecks = [
  missing,
  notBearer,
  withoutMetadata,
  notAbsolute,
  overHttp,
  elsewhere,
]
