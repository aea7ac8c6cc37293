/** Whether a client can come to a client id: by registering, or by its metadata document. */
import type { JsonObject } from '../documents.ts'
import type { Check, Sighting } from '../finding.ts'
import { findDocument, narrow } from '../places.ts'
import { parseText, parseTexts } from '../reading.ts'
import type { Visit } from '../visit.ts'

const flag = 'client_id_metadata_document_supported'

/** Whether the metadata says that client ids may be URLs of documents. */
export function takesDocuments(members: JsonObject): boolean {
  return members[flag] === true
}

function listsNone(members: JsonObject): boolean {
  const methods = parseTexts(members['token_endpoint_auth_methods_supported'])
  return methods?.includes('none') === true
}

function sightMembers(visit: Visit, ...names: readonly string[]): Sighting | undefined {
  const found = findDocument(visit, 'serverMetadata')
  if (found === undefined) return undefined
  const said = names.map((name) => `"${name}": ${JSON.stringify(found.members[name]) ?? 'nothing'}`)
  return {
    seen: `${found.observation.request.url} says ${said.join(', ')}`,
    evidence: [found.observation],
  }
}

function readMetadata(visit: Visit): JsonObject | undefined {
  return findDocument(visit, 'serverMetadata')?.members
}

const noWay: Check = {
  id: 'no-way-to-a-client-id',
  severity: 'fault',
  title: 'Clients can neither register nor use their metadata document',
  why: 'A client that nobody registered by hand has no id then: ChatGPT says “Failed to resolve OAuth client”, the TypeScript SDK “does not support dynamic client registration”.',
  fix: `Add "registration_endpoint" and serve it (RFC 7591), or support metadata documents and add "${flag}": true. Until then a client id has to be typed in by hand.`,
  gatehouse: 'dynamicRegistration: true, registration.mode',
  breaks: ['way-to-a-client-id'],
  find: (visit) => {
    const members = readMetadata(visit)
    if (members === undefined || takesDocuments(members)) return undefined
    if (parseText(members['registration_endpoint'])) return undefined
    return sightMembers(visit, 'registration_endpoint', flag)
  },
}

const documentsWithoutNone: Check = {
  id: 'documents-without-none',
  severity: 'risk',
  title: 'Metadata documents are supported, and the authentication method "none" is not listed',
  why: 'Claude and opencode use their document only where "none" is listed; ChatGPT is left with private_key_jwt. They register in its place, as long as they can.',
  fix: 'Add "none" to token_endpoint_auth_methods_supported and accept public clients with PKCE.',
  breaks: [],
  after: ['documents-without-none-or-registration'],
  find: (visit) => {
    const members = readMetadata(visit)
    return members && takesDocuments(members) && !listsNone(members)
      ? sightMembers(visit, flag, 'token_endpoint_auth_methods_supported')
      : undefined
  },
}

const documentsOnlyWithoutNone: Check = {
  id: 'documents-without-none-or-registration',
  severity: 'fault',
  title: 'Metadata documents are the only way to a client id, and "none" is not listed',
  why: 'Claude and opencode use their document only where the authentication method "none" is listed, and cannot register.',
  fix: 'Add "none" to token_endpoint_auth_methods_supported and accept public clients with PKCE, or offer registration as well.',
  breaks: ['way-to-a-client-id'],
  find: (visit) => {
    const members = readMetadata(visit)
    if (members === undefined || !takesDocuments(members) || listsNone(members)) return undefined
    if (parseText(members['registration_endpoint'])) return undefined
    const concerned = visit.clients.filter(
      ({ profile }) => profile.identification.document?.needsNone !== false,
    )
    const sighting = sightMembers(visit, flag, 'token_endpoint_auth_methods_supported')
    return concerned.length === 0
      ? undefined
      : sighting && { ...sighting, ...narrow(visit, concerned) }
  },
}

const documentsOnly: Check = {
  id: 'documents-only',
  severity: 'fault',
  title: 'Clients without a metadata document cannot register',
  why: 'Metadata documents are supported and registration is not; many clients publish no document yet.',
  fix: 'Offer registration as well: "registration_endpoint" (RFC 7591).',
  gatehouse: 'dynamicRegistration: true',
  breaks: ['way-to-a-client-id'],
  find: (visit) => {
    const members = readMetadata(visit)
    if (members === undefined || !takesDocuments(members)) return undefined
    if (parseText(members['registration_endpoint'])) return undefined
    const concerned = visit.clients.filter(
      ({ profile }) => profile.identification.document === undefined,
    )
    const sighting = sightMembers(visit, 'registration_endpoint', flag)
    return concerned.length === 0
      ? undefined
      : sighting && { ...sighting, ...narrow(visit, concerned) }
  },
}

/** Ways to a client id. */
export const clientIdChecks = [noWay, documentsOnlyWithoutNone, documentsWithoutNone, documentsOnly]
