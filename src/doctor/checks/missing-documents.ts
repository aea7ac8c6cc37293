/** Documents of discovery that are nowhere, what becomes of clients that guess, and where to put them. */
import { findGuess, wantsToken } from '../default-endpoints.ts'
import {
  parseWebUrl,
  readChallenge,
  toResourceMetadataUrls,
  toServerMetadataUrls,
} from '../documents.ts'
import type { Check, Sighting } from '../finding.ts'
import { findDocument, findObservations, isNowhere, narrow } from '../places.ts'
import { parseUrl, readKind, tell } from '../reading.ts'
import type { ClientVisit, Visit } from '../visit.ts'
import { findEnd, resource, server, wrongAddress } from './two-documents.ts'

/** The clients that a missing document of the authorization server leaves with nothing, or with a wrong guess. */
function findLost({ shared, clients }: Visit): readonly ClientVisit[] {
  return clients.filter((client) => {
    const guess = findGuess(client, shared)
    return (
      isNowhere(shared, 'serverMetadata', client.profile) &&
      guess !== 'right' &&
      guess !== 'untried'
    )
  })
}

/**
 * The same sighting with what clients came to that guess the endpoints. Where a token is wanted, whoever has
 * no endpoints is stopped.
 */
export function addGuesses(visit: Visit, sighting: Sighting): Sighting {
  const { shared, clients } = visit
  const lost = findLost(visit)
  if (lost.length === 0 || !wantsToken(shared)) return sighting
  const guess = clients.find(
    (client) => client.registration && findGuess(client, shared) !== undefined,
  )?.registration
  const { seen, evidence, ...rest } = sighting
  return {
    ...rest,
    seen: guess === undefined ? seen : `${seen}; ${tell(guess)}, where clients guess`,
    evidence: guess === undefined ? evidence : [...evidence, guess],
    stops: 'discover',
    ...narrow(visit, lost),
  }
}

/** Neither document is anywhere. */
export const metadataMissing: Check = {
  id: 'metadata-missing',
  severity: 'fault',
  title: 'There is no metadata that says where to sign in',
  why: 'Clients learn from it which authorization server to go to, and where its endpoints are (RFC 9728, RFC 8414). Some still guess as MCP 2025-03-26 had it: /authorize, /token and /register at the origin. The others say that the server does not implement OAuth.',
  fix: `Put an authorization server in front that serves both documents (gatehouse serve --to URL does). Where yours is elsewhere, serve ${resource.name} at ${resource.place}, and name its issuer there.`,
  gatehouse: resource.gatehouse,
  breaks: ['resource-metadata', 'server-metadata'],
  after: wrongAddress,
  find: (visit) => {
    const observations = (['resourceMetadata', 'serverMetadata'] as const).flatMap((sought) =>
      findObservations(visit, sought),
    )
    if (!wantsToken(visit.shared)) return undefined
    if (!observations.every((each) => readKind(each) === 'absent')) return undefined
    const seen = observations.map(tell).join('; ')
    const fix = adviseOnNone(visit)
    return addGuesses(visit, { seen, evidence: observations, ...(fix && { fix }) })
  },
}

/** The advice where something shows that documents were meant to be, or that there is a server to write of. */
function adviseOnNone(visit: Visit): string | undefined {
  const { shared, clients } = visit
  const { path: place } = toResourceMetadataUrls(shared.url)
  const named = parseUrl(readChallenge(shared)['resource_metadata'])
  if (named !== undefined)
    return `${adviseOnPath(shared.url, named)} Route ${place} to it unchanged.`
  const right = clients.find((client) => findGuess(client, shared) === 'right')
  const issuer = parseUrl(right?.registration?.request.url)?.origin
  if (issuer === undefined) return undefined
  const { oauth } = toServerMetadataUrls(new URL(issuer))
  return `Serve ${oauth} with "issuer": "${issuer}" and the endpoints that clients guess now, serve ${place} with "authorization_servers": ["${issuer}"], and name that address in the challenge.`
}

const wellKnown = '/.well-known/oauth-protected-resource'

/** A server that names the metadata of a shorter path than clients ask for stands behind a proxy that strips. */
function adviseOnPath(url: URL, named: URL): string {
  const nothing = `The challenge names ${named.href}, and nothing is there.`
  const own = named.pathname.startsWith(wellKnown) ? named.pathname.slice(wellKnown.length) : ''
  const isCut = own !== '' && own !== url.pathname && url.pathname.endsWith(own)
  if (!isCut) return `${nothing} Correct the address, or serve the document at it.`
  const cut = url.pathname.slice(0, -own.length)
  return `${nothing} A proxy takes ${cut} away, so that the server takes ${own} for its path: tell it its public URL, ${url.href}.`
}

/** The first one is nowhere. */
export const resourceMissing: Check = {
  id: 'resource-metadata-missing',
  severity: 'fault',
  title: 'There is no protected-resource metadata',
  why: 'It tells clients which authorization server to go to (RFC 9728). Without it they guess, or say that the server does not implement OAuth.',
  fix: `Serve it at ${resource.place}, and name that address in the challenge.`,
  gatehouse: resource.gatehouse,
  breaks: ['resource-metadata'],
  after: [...wrongAddress, 'metadata-missing'],
  find: (visit) => {
    const sighting = findEnd(resource, visit, 'absent')
    const { path: place } = toResourceMetadataUrls(visit.shared.url)
    return (
      sighting && {
        ...sighting,
        fix: `Serve it at ${place}, and name that address in the challenge.`,
      }
    )
  },
}

/** The second one is nowhere, though the first names a server. */
export const serverMissing: Check = {
  id: 'server-metadata-missing',
  severity: 'fault',
  title: 'The authorization server that is named has no metadata',
  why: 'Clients learn the endpoints from it (RFC 8414). Mostly the issuer is written with a path that its documents are not at, or the identity provider has an OpenID document only.',
  fix: `Serve it at ${server.place}, with the path of the issuer after it if there is one; or name the issuer that has the document.`,
  gatehouse: server.gatehouse,
  breaks: ['server-metadata'],
  after: wrongAddress,
  find: (visit) => {
    if (!server.isExpected(visit) || findDocument(visit, 'serverMetadata')) return undefined
    const sighting = findEnd(server, visit, 'absent')
    const issuer = parseWebUrl(visit.shared.issuer)
    const place = issuer && toServerMetadataUrls(issuer).oauth
    const fix = place && `Serve it at ${place}, or name the issuer that has the document.`
    return sighting && addGuesses(visit, { ...sighting, ...(fix && { fix }) })
  },
}

/** The document is in one of its places, and some clients look in others. */
export const serverElsewhere: Check = {
  id: 'server-metadata-elsewhere',
  severity: 'fault',
  title: 'Some clients do not look where the metadata of the authorization server is',
  why: 'An issuer with a path has its document before the path by RFC 8414, and after it by OpenID. Gemini looks after the path alone.',
  fix: 'Serve the same document in both places, or name an issuer without a path.',
  gatehouse: 'Gatehouse serves it at its origin: route all of /.well-known/* to it',
  breaks: ['server-metadata'],
  after: wrongAddress,
  find: (visit) => {
    const found = findDocument(visit, 'serverMetadata')
    const sighting = server.isExpected(visit) ? findEnd(server, visit, 'absent') : undefined
    const place = sighting?.evidence[0]?.request.url
    if (found === undefined || sighting === undefined || place === undefined) return undefined
    return {
      ...sighting,
      seen: `${found.observation.request.url} has the document; ${sighting.seen}`,
      fix: `Serve the same document at ${place}, or name an issuer without a path.`,
      stops: 'discover',
    }
  },
}
