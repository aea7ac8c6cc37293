/**
 * Orphans of management mode, on both sides: applications whose client is gone (it expired, or the
 * provider could not be reached when it was removed), and clients whose application is gone.
 */
import type { Application, Applications } from '../../identity/applications.ts'
import type { Clock } from '../../platform/clock.ts'
import { type Client, clients } from '../../storage/records/client.ts'
import type { Store } from '../../storage/store.ts'

/** What is left of a pair. */
export type Orphan =
  | { readonly kind: 'application'; readonly application: Application }
  | { readonly kind: 'client'; readonly client: Client }

/** What finding them takes. */
export interface ReapingPorts {
  readonly store: Store
  readonly clock: Clock
  readonly applications: Applications
  /** Marks our applications. */
  readonly issuer: string
}

/** Younger pairs are left alone, in seconds: one half may be there before the other. */
const youngSeconds = 600

const pageSize = 100

/** Every orphan that is old enough. A client counts as one only after the provider was asked for it alone. */
export async function findOrphans(ports: ReapingPorts): Promise<Orphan[]> {
  const { applications, store, clock, issuer } = ports
  const bornBefore = clock.now() - youngSeconds
  const made = await applications.list(issuer)
  const madeIds = new Set(made.map(({ id }) => id))
  const orphans: Orphan[] = []
  for (let from = 0; from < made.length; from += pageSize) {
    const page = made.slice(from, from + pageSize)
    const found = await store.get(page.map(({ clientId }) => clients.key(clientId)))
    for (const [at, application] of page.entries()) {
      const isOwn = clients.decode(found[at])?.value.applicationId === application.id
      if (!isOwn && application.createdAt < bornBefore) {
        orphans.push({ kind: 'application', application })
      }
    }
  }
  for await (const client of listManaged(store)) {
    const isSuspect = !madeIds.has(client.applicationId) && client.createdAt < bornBefore
    if (isSuspect && !(await applications.has(client.applicationId))) {
      orphans.push({ kind: 'client', client })
    }
  }
  return orphans
}

/** A client that was registered together with an application. */
type ManagedClient = Client & { readonly applicationId: string }

async function* listManaged(store: Store): AsyncGenerator<ManagedClient> {
  for await (const page of clients.pages(store, [], pageSize)) {
    for (const { value } of page) if (hasApplication(value)) yield value
  }
}

function hasApplication(client: Client): client is ManagedClient {
  return client.applicationId !== undefined
}
