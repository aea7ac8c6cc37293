/** What the protected-resource metadata says (RFC 9728 §2): which resource this is, and who issues tokens for it. */
import type { Requirement } from '../../profiles/profile.ts'
import type { Check, Sighting } from '../finding.ts'
import { type Found, findDocument } from '../places.ts'
import { isInternalHost, parseTexts, parseUrl } from '../reading.ts'
import type { Visit } from '../visit.ts'

function sight({ observation }: Found, seen: string): Sighting {
  return { seen: `${observation.request.url} says ${seen}`, evidence: [observation] }
}

const withoutServers: Check = {
  id: 'authorization-servers-missing',
  severity: 'fault',
  title: 'The protected-resource metadata names no authorization server',
  why: 'It is the one thing that clients read the document for.',
  fix: 'Add "authorization_servers": ["https://ISSUER"], an array with the issuer exactly as its own metadata writes it.',
  breaks: ['resource-metadata', 'server-metadata'],
  find: (visit) => {
    const found = findDocument(visit, 'resourceMetadata')
    if (found === undefined) return undefined
    const named = found.members['authorization_servers']
    if ((parseTexts(named)?.length ?? 0) > 0) return undefined
    return sight(found, `"authorization_servers": ${JSON.stringify(named) ?? 'nothing'}`)
  },
}

const severalServers: Check = {
  id: 'several-authorization-servers',
  severity: 'note',
  title: 'Several authorization servers are named',
  why: 'Most clients only ever try the first.',
  fix: 'Put the one that is meant for MCP clients first.',
  breaks: [],
  find: (visit) => {
    const found = findDocument(visit, 'resourceMetadata')
    const named = parseTexts(found?.members['authorization_servers']) ?? []
    return found && named.length > 1
      ? sight(found, `"authorization_servers": ${named.join(', ')}`)
      : undefined
  },
}

/** How the named resource differs from the URL that the person typed. */
type Difference = 'none' | 'missing' | 'host' | 'http' | 'slash' | 'path'

function compareResource(url: URL, value: unknown): Difference {
  const resource = parseUrl(value)
  if (resource === undefined) return 'missing'
  if (isInternalHost(resource.hostname) && !isInternalHost(url.hostname)) return 'none'
  if (resource.host !== url.host) return isSchemeOnly(url, resource) ? 'http' : 'host'
  if (resource.protocol !== url.protocol) return 'http'
  if (resource.pathname === url.pathname) return 'none'
  return trimSlash(resource) === trimSlash(url) ? 'slash' : 'path'
}

/** Whether the hosts differ by the default port of the scheme alone. */
function isSchemeOnly(url: URL, resource: URL): boolean {
  return url.hostname === resource.hostname && url.protocol !== resource.protocol
}

function trimSlash({ pathname }: URL): string {
  return pathname.replace(/\/$/, '')
}

function findDifference(visit: Visit, difference: Difference): Sighting | undefined {
  const found = findDocument(visit, 'resourceMetadata')
  const { url } = visit.shared
  const value = found?.members['resource']
  if (found === undefined || compareResource(url, value) !== difference) return undefined
  const seen = `"resource": ${JSON.stringify(value) ?? 'nothing'}, and the URL is ${url.href}`
  return {
    ...sight(found, seen),
    fix: `Set "resource" to "${url.href}", or give clients the URL that is written there.`,
  }
}

const advice =
  'Write the full MCP URL as people type it, with its path and without a slash at the end.'
const both: readonly Requirement[] = ['resource-covers-url', 'resource-equals-url']

const withoutResource: Check = {
  id: 'resource-missing',
  severity: 'fault',
  title: 'The protected-resource metadata does not say which resource it is for',
  why: '"resource" is required and has to be a URL; clients compare it with the URL that was typed.',
  fix: advice,
  gatehouse: 'publicUrl',
  breaks: both,
  find: (visit) => findDifference(visit, 'missing'),
}

const otherHost: Check = {
  id: 'resource-other-host',
  severity: 'fault',
  title: 'The metadata is for a resource on another host',
  why: 'Clients refuse it: a server could otherwise have tokens for another one sent to itself.',
  fix: advice,
  gatehouse: 'publicUrl',
  breaks: both,
  find: (visit) => findDifference(visit, 'host'),
}

const overHttp: Check = {
  id: 'resource-http',
  severity: 'fault',
  title: 'The metadata names the resource with another scheme',
  why: 'The server behind the proxy takes itself for http. To clients that is another origin.',
  fix: advice,
  gatehouse: 'publicUrl',
  breaks: both,
  after: ['plain-http'],
  find: (visit) => findDifference(visit, 'http'),
}

const slash: Check = {
  id: 'resource-trailing-slash',
  severity: 'fault',
  title: 'The resource differs from the URL by a slash at the end',
  why: 'Some clients compare character by character, and the audience of tokens may differ by the slash as well.',
  fix: advice,
  gatehouse: 'publicUrl, backends[].path',
  breaks: ['resource-equals-url'],
  after: ['mcp-path-not-found'],
  find: (visit) => findDifference(visit, 'slash'),
}

const otherPath: Check = {
  id: 'resource-other-path',
  severity: 'fault',
  title: 'The metadata is for a resource at another path',
  why: 'Clients want the URL that was typed, or at least one that it lies below.',
  fix: `${advice} Several servers on one host each need their own document, with their path after /.well-known/oauth-protected-resource.`,
  gatehouse: 'backends[].path',
  breaks: both,
  after: ['mcp-path-not-found'],
  find: (visit) => {
    const sighting = findDifference(visit, 'path')
    const resource = parseUrl(findDocument(visit, 'resourceMetadata')?.members['resource'])
    if (sighting === undefined || resource === undefined) return undefined
    const isAbove = visit.shared.url.pathname.startsWith(`${trimSlash(resource)}/`)
    return isAbove ? { ...sighting, breaks: ['resource-equals-url'] } : sighting
  },
}

/** `resource` and `authorization_servers`. */
export const resourceChecks = [
  withoutServers,
  severalServers,
  withoutResource,
  otherHost,
  overHttp,
  slash,
  otherPath,
]
