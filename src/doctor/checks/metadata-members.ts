/** Members of the metadata that have another type than the specification gives them, or are missing from an OpenID document. */
import { findServerMetadata, type JsonObject, readObject } from '../documents.ts'
import type { Check } from '../finding.ts'
import { type Found, findDocument, narrow, type Sought } from '../places.ts'
import type { Visit } from '../visit.ts'

/** Members that are addresses, where they are there at all (RFC 8414 §2, RFC 9728 §2). */
const addresses: Readonly<Record<Sought, readonly string[]>> = {
  resourceMetadata: ['jwks_uri', 'resource_policy_uri', 'resource_tos_uri'],
  serverMetadata: ['registration_endpoint', 'revocation_endpoint', 'jwks_uri'],
}

/** The documents that most clients read, one of each kind. */
export function findReadDocuments(visit: Visit): readonly (Found & { readonly sought: Sought })[] {
  return (['resourceMetadata', 'serverMetadata'] as const).flatMap((sought) => {
    const found = findDocument(visit, sought)
    return found ? [{ ...found, sought }] : []
  })
}

/** Null is left to a check of its own. */
function listWrong(members: JsonObject, sought: Sought): readonly string[] {
  return Object.entries(members)
    .filter(([name, value]) => {
      if (addresses[sought].includes(name)) {
        return value !== null && !(typeof value === 'string' && URL.canParse(value))
      }
      return name.endsWith('_supported') && !isList(value)
    })
    .map(([name, value]) => `"${name}": ${JSON.stringify(value)}`)
}

/** Texts in an array. What is yes or no has a name of the same kind, so that only texts are surely wrong. */
function isList(value: unknown): boolean {
  if (!Array.isArray(value)) return typeof value !== 'string'
  return value.every((each) => typeof each === 'string')
}

const memberTypes: Check = {
  id: 'metadata-member-types',
  severity: 'fault',
  title: 'Members of the metadata are not of the type that the specification gives them',
  why: 'The TypeScript SDK checks the whole document before it uses any of it, and takes no text for a list and no empty text for an address: “expected array, received string”, “Invalid URL”.',
  fix: 'Write lists as JSON arrays and addresses as absolute URLs, and leave out what you do not have.',
  breaks: ['member-types'],
  find: (visit) => {
    const wrong = findReadDocuments(visit)
      .map(({ members, observation, sought }) => ({
        observation,
        said: listWrong(members, sought),
      }))
      .filter(({ said }) => said.length > 0)
    if (wrong.length === 0) return undefined
    return {
      seen: wrong
        .map(({ observation, said }) => `${observation.request.url} says ${said.join(', ')}`)
        .join('; '),
      evidence: wrong.map(({ observation }) => observation),
    }
  },
}

/** What OpenID Connect Discovery §3 requires besides what RFC 8414 does. */
const requiredByOpenid = [
  'jwks_uri',
  'subject_types_supported',
  'id_token_signing_alg_values_supported',
]

const openidIncomplete: Check = {
  id: 'openid-document-incomplete',
  severity: 'fault',
  title: 'The OpenID document lacks members that OpenID requires',
  why: 'Clients read it where there is no document below /.well-known/oauth-authorization-server; the TypeScript SDK takes it for broken then, and looks no further.',
  fix: `Serve the metadata at /.well-known/oauth-authorization-server as well, or complete it: ${requiredByOpenid.join(', ')}.`,
  gatehouse: 'Gatehouse serves the OAuth document: route all of /.well-known/* to it',
  breaks: ['openid-complete'],
  after: ['metadata-null-members'],
  find: (visit) => {
    const { openid, 'openid-appended': appended } = visit.shared.serverMetadata
    for (const observation of [openid, appended]) {
      const members = readObject(observation)
      const missing = requiredByOpenid.filter((name) => members?.[name] === undefined)
      if (observation === undefined || members === undefined || missing.length === 0) continue
      const reading = visit.clients.filter(
        ({ profile }) =>
          findServerMetadata(visit.shared, profile.discovery.serverMetadata) === members,
      )
      if (reading.length === 0) continue
      return {
        seen: `${observation.request.url} has no ${missing.join(', no ')}`,
        evidence: [observation],
        ...narrow(visit, reading),
      }
    }
    return undefined
  },
}

/** Types of members, and what an OpenID document must have. */
export const metadataMemberChecks = [memberTypes, openidIncomplete]
