/** A whole visit: the shared requests, then each client in turn. */
import type { ClientProfile } from '../profiles/profile.ts'
import { type PlayPorts, play } from './play.ts'
import type { ClientVisit, Visit } from './visit.ts'
import { type WalkPorts, walk } from './walk.ts'

/** What a visit needs. */
export interface VisitOptions extends WalkPorts, PlayPorts {
  /** The clients to play, in this order. */
  readonly profiles: readonly ClientProfile[]
  /** Told before each part: undefined for the shared one. */
  readonly onStep?: (profile: ClientProfile | undefined) => void
  /**
   * Once aborted, the shared requests end at once and no further client is played; the one under way is, so
   * that its registration goes.
   */
  readonly signal?: AbortSignal
}

/**
 * Visits an MCP server. Clients are played one after the other, so that no server's limit is met because
 * of us. Failures are part of what it brings home; it throws none.
 */
export async function visitServer(url: URL, options: VisitOptions): Promise<Visit> {
  options.onStep?.(undefined)
  const { send, signal } = options
  const shared = await walk(url, {
    ...options,
    send: (request, reading) => send(request, { ...reading, signal }),
  })
  const clients: ClientVisit[] = []
  for (const profile of options.profiles) {
    if (options.signal?.aborted === true) break
    options.onStep?.(profile)
    const mayRegister = options.mayRegister && !clients.some(isLimited)
    const client = await play(profile, shared, { ...options, mayRegister })
    clients.push(clients.some(hasRegistered) && isLimited(client) ? postpone(client) : client)
  }
  return { shared, clients }
}

function hasRegistered({ clientId, identification }: ClientVisit): boolean {
  return identification === 'registration' && clientId !== undefined
}

/** A server that wants fewer registrations gets no more. */
function isLimited({ registration, postponed }: ClientVisit): boolean {
  return (postponed ?? registration)?.response?.status === 429
}

function postpone({ profile, registration }: ClientVisit): ClientVisit {
  return { profile, identification: 'skipped', ...(registration && { postponed: registration }) }
}
