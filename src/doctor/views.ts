/**
 * One server as different clients see it: some come to the second authorization server that is named, some
 * look for metadata where others do not. Those who see the same are judged together.
 */
import type { ClientProfile, ServerMetadataPlace } from '../profiles/profile.ts'
import { findServerObservation, hasPath, parseWebUrl, toServerMetadataUrls } from './documents.ts'
import { isAbsent } from './places.ts'
import type { ClientVisit, ServerSeen, SharedVisit, Visit } from './visit.ts'

/** The shared part with the authorization server that a client came to. */
export function seeAs(shared: SharedVisit, { server }: Pick<ClientVisit, 'server'>): SharedVisit {
  return server === undefined ? shared : { ...shared, ...server }
}

/** The visit in parts of clients that see the same, those first who see what all see. */
export function listViews(visit: Visit): readonly Visit[] {
  const { shared, clients } = visit
  const most = clients.filter(({ server }) => server === undefined)
  const servers = new Set(clients.flatMap(({ server }) => server ?? []))
  if (servers.size === 0) return [visit]
  const others = [...servers].map((server) => ({
    shared: seeAs(shared, { server }),
    clients: clients.filter((client) => client.server === server),
  }))
  return most.length === 0 ? others : [{ shared, clients: most }, ...others]
}

/** The second server that is named, for a client that goes on to it; undefined for one that stays. */
export function findNext(
  { discovery }: ClientProfile,
  shared: SharedVisit,
): ServerSeen | undefined {
  return discovery.triesEachServer ? shared.next : undefined
}

/** A place in which few clients look, and this one next; undefined when its search has ended before. */
export function findOwnPlace(
  { discovery }: ClientProfile,
  server: ServerSeen,
): { readonly place: ServerMetadataPlace; readonly url: string } | undefined {
  const issuer = parseWebUrl(server.issuer)
  if (issuer === undefined || !hasPath(server.issuer)) return undefined
  for (const place of discovery.serverMetadata) {
    const seen = findServerObservation(server, place)
    if (seen === undefined) return { place, url: toServerMetadataUrls(issuer)[place] }
    if (!isAbsent([seen])) return undefined
  }
  return undefined
}
