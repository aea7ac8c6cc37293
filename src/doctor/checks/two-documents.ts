/** The two documents of discovery as subjects of checks: what they are called, where they belong, how a search ends. */
import type { Requirement } from '../../profiles/profile.ts'
import type { Sighting } from '../finding.ts'
import { findStopped, type Sought } from '../places.ts'
import { type Kind, tell } from '../reading.ts'
import type { Visit } from '../visit.ts'

/** Redirects of the whole host, which the documents follow as well. */
export const redirects = [
  'redirect-to-https',
  'sign-in-redirect',
  'redirect-to-other-host',
  'redirect-on-mcp-path',
]

/** Why there are no documents: the address is another one, or the server does not want tokens at all. */
export const wrongAddress = [
  ...redirects,
  'open-to-everybody',
  'mcp-path-not-found',
  'post-not-allowed',
  'not-an-mcp-endpoint',
  'mcp-endpoint-fails',
  'wrong-public-url',
]

/** One of the two documents. */
export interface Subject {
  readonly sought: Sought
  /** Begins the ids. */
  readonly id: string
  readonly name: string
  readonly place: string
  readonly lacking: Requirement
  readonly gatehouse: string
  /** Whether it has to be there: not at a place that nobody has named. */
  readonly isExpected: (visit: Visit) => boolean
}

/** Protected-resource metadata (RFC 9728). */
export const resource: Subject = {
  sought: 'resourceMetadata',
  id: 'resource-metadata',
  name: 'protected-resource metadata',
  place: '/.well-known/oauth-protected-resource followed by the path of the MCP URL',
  lacking: 'resource-metadata',
  gatehouse: 'publicUrl: Gatehouse serves it by itself; route /.well-known/* to it',
  isExpected: () => true,
}

/** Authorization-server metadata (RFC 8414). */
export const server: Subject = {
  sought: 'serverMetadata',
  id: 'server-metadata',
  name: 'authorization-server metadata',
  place: '/.well-known/oauth-authorization-server at the issuer',
  lacking: 'server-metadata',
  gatehouse: 'publicUrl: Gatehouse serves it by itself; route /.well-known/* to it',
  isExpected: ({ shared }) => shared.isIssuerNamed,
}

/** Finds the clients whose search for the document ends with such an answer. */
export function findEnd({ sought }: Subject, visit: Visit, kind: Kind): Sighting | undefined {
  const stopped = findStopped(visit, sought, kind)
  return stopped && { seen: stopped.evidence.map(tell).join('; '), ...stopped }
}
