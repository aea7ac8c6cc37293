/** Whether the server knows the address that the world has for it. */
import type { Requirement } from '../../profiles/profile.ts'
import { parseBearerChallenge } from '../challenge.ts'
import type { Check } from '../finding.ts'
import type { Observation } from '../observation.ts'
import { findDocuments } from '../places.ts'
import { isInternalHost, parseTexts, parseUrl } from '../reading.ts'
import type { Visit } from '../visit.ts'

/** An address that the server gave out, and whom it stops when it leads nowhere. */
interface Given {
  readonly what: string
  readonly value: unknown
  readonly observation: Observation
  readonly breaks: readonly Requirement[]
}

const endpoints = ['authorization_endpoint', 'token_endpoint', 'registration_endpoint'] as const

function listGiven(visit: Visit): readonly Given[] {
  const { post } = visit.shared
  const challenge = parseBearerChallenge(post.response?.headers['www-authenticate'])
  const metadata = challenge?.parameters['resource_metadata']
  return [
    {
      what: 'resource_metadata of the challenge',
      value: metadata,
      observation: post,
      breaks: ['challenge-names-metadata', 'resource-metadata'],
    },
    ...findDocuments(visit, 'resourceMetadata').flatMap(({ members, observation }): Given[] => [
      {
        what: 'resource',
        value: members['resource'],
        observation,
        breaks: ['resource-equals-url', 'resource-covers-url'],
      },
      ...(parseTexts(members['authorization_servers']) ?? []).map(
        (value): Given => ({
          what: 'authorization_servers',
          value,
          observation,
          breaks: ['server-metadata', 'issuer-equals-link', 'way-to-a-client-id'],
        }),
      ),
    ]),
    ...findDocuments(visit, 'serverMetadata').flatMap(({ members, observation }): Given[] => [
      {
        what: 'issuer',
        value: members['issuer'],
        observation,
        breaks: ['issuer-equals-link'],
      },
      ...endpoints.map(
        (what): Given => ({
          what,
          value: members[what],
          observation,
          breaks: ['server-metadata', 'registration-succeeds', 'authorization-page'],
        }),
      ),
    ]),
  ]
}

const wrongPublicUrl: Check = {
  id: 'wrong-public-url',
  severity: 'fault',
  title: 'The server gives out an address that only it can reach',
  why: 'Its documents name localhost or an internal host: behind a proxy or tunnel it takes the address it listens on for the one the world uses. Clients follow what the documents say.',
  fix: 'Configure the public URL of the server (often BASE_URL, SERVER_URL or ISSUER) as clients know it, and restart; do not derive it from the Host header.',
  gatehouse: 'publicUrl',
  breaks: ['resource-covers-url', 'resource-equals-url', 'server-metadata'],
  find: (visit) => {
    const { url } = visit.shared
    if (isInternalHost(url.hostname)) return undefined
    const wrong = listGiven(visit).filter(({ value }) => {
      const given = parseUrl(value)
      return given !== undefined && isInternalHost(given.hostname)
    })
    if (wrong.length === 0) return undefined
    const said = wrong.map(({ what, value }) => `${what}: ${String(value)}`)
    return {
      seen: `${url.href} is public, and its answers say ${[...new Set(said)].join('; ')}`,
      evidence: [...new Set(wrong.map(({ observation }) => observation))],
      breaks: [...new Set(wrong.flatMap(({ breaks }) => breaks))],
      fix: `Set the public URL of the server to ${url.origin}, as clients know it, and restart it.`,
    }
  },
}

/** The public address. */
export const publicUrlChecks = [wrongPublicUrl]
