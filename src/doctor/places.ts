/**
 * Where clients look for a document, and where each of them ends.
 *
 * They look in one place after another and pass over a place that says 4xx; anything else ends the search.
 * So one bad answer stops those clients alone that come to it before a good one.
 */
import type { ClientProfile } from '../profiles/profile.ts'
import {
  findResourceObservation,
  findServerObservation,
  type JsonObject,
  listNamedServers,
  resourceMetadataOrder,
  serverMetadataOrder,
} from './documents.ts'
import type { Observation } from './observation.ts'
import { type Kind, parseMembers, readKind } from './reading.ts'
import type { SharedVisit, Visit } from './visit.ts'

/** The two documents that every client looks for. */
export type Sought = 'resourceMetadata' | 'serverMetadata'

/** A document and the answer that it came in. */
export interface Found {
  readonly members: JsonObject
  readonly observation: Observation
}

/** Where one client's search ends. `absent`: every place said no, one of them `protected` perhaps. */
interface End {
  readonly kind: Kind
  readonly observations: readonly Observation[]
}

const everyPlace = {
  resourceMetadata: resourceMetadataOrder,
  serverMetadata: serverMetadataOrder,
}

/** The answers from each place, in the order of the specification. */
export function findObservations({ shared }: Visit, sought: Sought): readonly Observation[] {
  return listSearched(shared, sought, everyPlace)
}

/** The document that most clients read: the first in the order of the specification. */
export function findDocument(visit: Visit, sought: Sought): Found | undefined {
  for (const observation of findObservations(visit, sought)) {
    const members = parseMembers(observation.response?.json)
    if (readKind(observation) === 'document' && members) return { members, observation }
  }
  return undefined
}

/** Every document that was found, each once. */
export function findDocuments(visit: Visit, sought: Sought): readonly Found[] {
  return findObservations(visit, sought).flatMap((observation) => {
    const members = parseMembers(observation.response?.json)
    return readKind(observation) === 'document' && members ? [{ members, observation }] : []
  })
}

/** The clients whose search ends with such an answer, and the answers; undefined when none does. */
export function findStopped(
  visit: Visit,
  sought: Sought,
  kind: Kind,
): { readonly evidence: readonly Observation[]; readonly only?: readonly string[] } | undefined {
  const stopped = visit.clients
    .map(({ profile }) => ({ profile, end: followSearch(visit.shared, sought, profile) }))
    .filter(({ end }) => end.kind === kind)
    .filter(({ profile }) => sought !== 'serverMetadata' || !goesOn(visit.shared, profile))
  const evidence = [...new Set(stopped.flatMap(({ end }) => end.observations))]
  if (evidence.length === 0) return undefined
  return { evidence, ...narrow(visit, stopped) }
}

/** `only`, unless it would name every client that was played. */
export function narrow(
  visit: Visit,
  concerned: readonly { readonly profile: ClientProfile }[],
): { readonly only?: readonly string[] } {
  if (concerned.length === visit.clients.length) return {}
  return { only: concerned.map(({ profile }) => profile.id) }
}

/** Whether a client looks everywhere and is told everywhere that the document is not there, or not for it. */
export function isNowhere(shared: SharedVisit, sought: Sought, profile: ClientProfile): boolean {
  if (sought === 'serverMetadata' && goesOn(shared, profile)) return false
  return isAbsent(listSearched(shared, sought, profile.discovery))
}

/** Whether every place said that the document is not there, or not for whoever has no token. */
export function isAbsent(observations: readonly Observation[]): boolean {
  const kinds = observations.map(readKind)
  return kinds.length > 0 && kinds.every((kind) => kind === 'absent' || kind === 'protected')
}

/** Whether a client takes a further one of several authorization servers that are named, where the doctor has not looked. */
export function goesOn(
  { issuer, ...shared }: Pick<SharedVisit, 'issuer' | 'post' | 'resourceMetadata'>,
  { discovery }: ClientProfile,
): boolean {
  const named = listNamedServers(shared)
  return discovery.triesEachServer && named.indexOf(issuer) < named.length - 1
}

function followSearch(shared: SharedVisit, sought: Sought, { discovery }: ClientProfile): End {
  const observations = listSearched(shared, sought, discovery)
  const kinds = observations.map(readKind)
  const at = kinds.findIndex((kind) => kind !== 'absent' && kind !== 'protected')
  const [ending] = observations.slice(at)
  if (at >= 0 && ending) return { kind: kinds[at] ?? 'absent', observations: [ending] }
  return { kind: kinds.includes('protected') ? 'protected' : 'absent', observations }
}

/** The answers in the order in which a client looks; what the challenge names may be one of the others. */
function listSearched(
  shared: SharedVisit,
  sought: Sought,
  order: Pick<ClientProfile['discovery'], Sought>,
): readonly Observation[] {
  const observations =
    sought === 'resourceMetadata'
      ? order.resourceMetadata.map((place) => findResourceObservation(shared, place))
      : order.serverMetadata.map((place) => findServerObservation(shared, place))
  return [...new Set(observations)].filter((each) => each !== undefined)
}
