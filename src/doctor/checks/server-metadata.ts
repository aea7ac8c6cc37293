/** What the authorization-server metadata says (RFC 8414 §2), and who cannot do with it. */
import type { ClientProfile } from '../../profiles/profile.ts'
import type { JsonObject } from '../documents.ts'
import type { Check, Sighting } from '../finding.ts'
import { type Found, findDocument, narrow } from '../places.ts'
import { isInternalHost, parseText, parseTexts, parseUrl } from '../reading.ts'
import type { Visit } from '../visit.ts'
import { findReadDocuments } from './metadata-members.ts'

/** Finds the metadata when something about it is so. */
function findMetadata(
  visit: Visit,
  isSo: (members: JsonObject, found: Found) => boolean,
  ...names: readonly string[]
): Sighting | undefined {
  const found = findDocument(visit, 'serverMetadata')
  if (found === undefined || !isSo(found.members, found)) return undefined
  const said = names.map((name) => `"${name}": ${JSON.stringify(found.members[name]) ?? 'nothing'}`)
  return {
    seen: `${found.observation.request.url} says ${said.join(', ')}`,
    evidence: [found.observation],
  }
}

/** Whether responses name the issuer (RFC 9207). */
export function namesIssuer(members: JsonObject | undefined): boolean {
  return members?.['authorization_response_iss_parameter_supported'] === true
}

const sameIgnoringSlash = (one: string, other: string) =>
  one.replace(/\/$/, '') === other.replace(/\/$/, '')

const issuerMissing: Check = {
  id: 'issuer-missing',
  severity: 'fault',
  title: 'The metadata has no issuer',
  why: 'Clients compare it with the address that they started from, and refuse the document or cannot register without it.',
  fix: 'Add "issuer", the same text as in authorization_servers.',
  gatehouse: 'publicUrl',
  breaks: ['issuer-present', 'issuer-equals-link'],
  find: (visit) => findMetadata(visit, ({ issuer }) => !parseText(issuer), 'issuer'),
}

function findIssuer(visit: Visit, isSo: (issuer: string, link: string) => boolean) {
  const link = visit.shared.issuer
  const sighting = findMetadata(
    visit,
    ({ issuer }) => {
      const said = parseText(issuer)
      const isInternal = isInternalHost(parseUrl(said)?.hostname ?? '')
      if (said === undefined || said === link) return false
      return !(isInternal && !isInternalHost(visit.shared.url.hostname)) && isSo(said, link)
    },
    'issuer',
  )
  return (
    sighting && {
      ...sighting,
      seen: `${sighting.seen}, and clients came from ${JSON.stringify(link)}`,
    }
  )
}

const issuerSlash: Check = {
  id: 'issuer-trailing-slash',
  severity: 'fault',
  title: 'The issuer differs by a slash at the end',
  why: 'Strict clients compare the issuer with the entry of authorization_servers character by character.',
  fix: 'Write the same text in both places, best without the slash.',
  gatehouse: 'publicUrl, without a slash',
  breaks: ['issuer-equals-link'],
  find: (visit) => {
    if (!visit.shared.isIssuerNamed) return undefined
    const sighting = findIssuer(visit, sameIgnoringSlash)
    const strict = visit.clients.filter(({ profile }) => !allowsSlash(profile, visit.shared.issuer))
    return sighting && strict.length > 0 ? { ...sighting, ...narrow(visit, strict) } : undefined
  },
}

/** Whether a client takes an issuer that differs from this link to it by a slash. */
function allowsSlash({ discovery }: ClientProfile, link: string): boolean {
  const { allowsIssuerSlash: allowed } = discovery
  if (parseUrl(link)?.pathname !== '/') return false
  return allowed === 'in-either' || (allowed === 'in-link' && link.endsWith('/'))
}

const issuerMismatch: Check = {
  id: 'issuer-mismatch',
  severity: 'fault',
  title: 'The issuer is another one than clients came from',
  why: 'RFC 8414 §3.3: a document for another issuer must not be used. A proxy that passes on the metadata of an identity provider unchanged does this.',
  fix: 'Write the issuer that authorization_servers names, or name the issuer that the document is of.',
  gatehouse: 'publicUrl',
  breaks: ['issuer-equals-link'],
  find: (visit) => findIssuer(visit, (said, link) => !sameIgnoringSlash(said, link)),
}

const endpointsMissing: Check = {
  id: 'endpoints-missing',
  severity: 'fault',
  title: 'The metadata lacks the authorization or the token endpoint',
  why: 'There is nowhere to send the person, or nowhere to redeem the code.',
  fix: 'Add "authorization_endpoint" and "token_endpoint" as absolute URLs.',
  breaks: ['server-metadata'],
  stops: 'discover',
  find: (visit) =>
    findMetadata(
      visit,
      (members) =>
        !parseUrl(members['authorization_endpoint']) || !parseUrl(members['token_endpoint']),
      'authorization_endpoint',
      'token_endpoint',
    ),
}

const endpointNames = [
  'authorization_endpoint',
  'token_endpoint',
  'registration_endpoint',
  'revocation_endpoint',
] as const

const endpointsOverHttp: Check = {
  id: 'endpoints-http',
  severity: 'fault',
  title: 'The metadata names endpoints by http',
  why: 'Clients send codes and secrets to https only; hosted clients call the address unsafe. The server behind the proxy takes itself for http.',
  fix: 'Build the endpoints from the configured public https address, not from the request.',
  gatehouse: 'publicUrl',
  breaks: ['server-metadata', 'endpoints-at-issuer'],
  stops: 'discover',
  after: ['plain-http', 'wrong-public-url', 'private-address'],
  find: (visit) =>
    findMetadata(
      visit,
      (members) => endpointNames.some((name) => parseUrl(members[name])?.protocol === 'http:'),
      ...endpointNames,
    ),
}

const endpointsElsewhere: Check = {
  id: 'authorization-endpoint-elsewhere',
  severity: 'fault',
  title: 'The authorization endpoint is on another origin than the issuer',
  why: 'Codex takes that for a mix-up of servers unless responses name the issuer (RFC 9207).',
  fix: 'Serve the endpoint on the issuer’s origin, or send iss with every authorization response and add "authorization_response_iss_parameter_supported": true.',
  gatehouse: 'publicUrl',
  breaks: ['endpoints-at-issuer'],
  after: ['endpoints-http', 'wrong-public-url', 'issuer-mismatch'],
  find: (visit) =>
    findMetadata(
      visit,
      (members) => {
        const [endpoint, issuer] = [members['authorization_endpoint'], members['issuer']].map(
          (each) => parseUrl(each)?.origin,
        )
        const isElsewhere = endpoint !== undefined && issuer !== undefined && endpoint !== issuer
        return isElsewhere && !namesIssuer(members)
      },
      'issuer',
      'authorization_endpoint',
    ),
}

const methods = 'code_challenge_methods_supported'

const pkceUnlisted: Check = {
  id: 's256-unlisted',
  severity: 'fault',
  title: 'The metadata does not say that PKCE with S256 is supported',
  why: 'MCP wants clients to refuse a server that does not say so; ChatGPT and others do, even where PKCE would work.',
  fix: `Add "${methods}": ["S256"].`,
  gatehouse: 'Gatehouse always lists it: clients are not reading its document',
  breaks: ['s256-listed'],
  find: (visit) =>
    findMetadata(visit, (members) => (members[methods] ?? undefined) === undefined, methods),
}

const pkceWithoutS256: Check = {
  id: 's256-left-out',
  severity: 'fault',
  title: 'The metadata lists PKCE methods and S256 is not among them',
  why: 'Every MCP client uses S256, and stops when the list says that it is not supported.',
  fix: `Set "${methods}": ["S256"], and accept it.`,
  breaks: ['s256-listed', 's256-if-listed'],
  find: (visit) =>
    findMetadata(
      visit,
      ({ [methods]: listed }) => parseTexts(listed)?.includes('S256') === false,
      methods,
    ),
}

const responseTypes: Check = {
  id: 'response-types-without-code',
  severity: 'fault',
  title: 'The metadata does not list the response type "code"',
  why: 'response_types_supported is required, and the schema of the TypeScript SDK and Gemini’s refuse a document without it.',
  fix: 'Add "response_types_supported": ["code"].',
  breaks: ['response-type-code'],
  find: (visit) =>
    findMetadata(
      visit,
      (members) => !parseTexts(members['response_types_supported'])?.includes('code'),
      'response_types_supported',
    ),
}

const nullMembers: Check = {
  id: 'metadata-null-members',
  severity: 'fault',
  title: 'Metadata has members that are null',
  why: 'The TypeScript SDK allows a member to be absent, not to be null: “expected string, received null”.',
  fix: 'Leave members without a value out of the JSON (pydantic: exclude_none=True; Jackson: NON_NULL; Go: omitempty).',
  breaks: ['no-null-members'],
  find: (visit) => {
    const withNull = findReadDocuments(visit).flatMap(({ members, observation }) => {
      const names = Object.keys(members).filter((name) => members[name] === null)
      return names.length === 0 ? [] : [{ names, observation }]
    })
    if (withNull.length === 0) return undefined
    const said = withNull.map(
      ({ names, observation }) => `${observation.request.url} has null in ${names.join(', ')}`,
    )
    return { seen: said.join('; '), evidence: withNull.map(({ observation }) => observation) }
  },
}

/** The members that clients read. */
export const serverMetadataChecks = [
  nullMembers,
  issuerMissing,
  issuerSlash,
  issuerMismatch,
  endpointsMissing,
  endpointsOverHttp,
  endpointsElsewhere,
  pkceUnlisted,
  pkceWithoutS256,
  responseTypes,
]
