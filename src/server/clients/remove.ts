/** Removing a client: it is unknown from then on, and every grant it has ends with it. */
import { type EndingPorts, endGrants, type GrantName } from '../../identity/grant-ending.ts'
import { clients } from '../../storage/records/client.ts'
import { clientGrants } from '../../storage/records/grant.ts'
import type { Store } from '../../storage/store.ts'

/** What a removal needs. */
export interface RemovalPorts extends EndingPorts {
  /** Told of each grant right after the commit that ended it. */
  readonly onEnded?: (grant: GrantName) => void
}

/** Grants ended in one commit; more go into the next. */
const grantsPerCommit = 100

/**
 * Removes a client with its grants and returns how many grants ended.
 *
 * Its grants end first, so that a removal that was cut short can be repeated by the client itself. Once
 * it is gone no code becomes a grant, because a redemption checks that its client is as it was; the grants
 * of those that were faster are looked for once more. Repeating it changes nothing.
 */
export async function removeClient(id: string, ports: RemovalPorts): Promise<number> {
  let count = 0
  let isGone = false
  for (;;) {
    const page = await listGrants(id, ports.store)
    if (isGone && page.length === 0) return count
    await endGrants(ports, page, 'client_removed')
    for (const grant of page) ports.onEnded?.(grant)
    count += page.length
    if (isGone || page.length === grantsPerCommit) continue
    await ports.store.commit({ delete: [clients.key(id)] })
    isGone = true
  }
}

async function listGrants(clientId: string, store: Store): Promise<GrantName[]> {
  const page = await clientGrants.list(store, [clientId], { limit: grantsPerCommit })
  const prefix = clientGrants.key(clientId, '')
  return page.map(({ key, value }) => ({
    id: key.slice(prefix.length),
    userId: value.userId,
    clientId,
  }))
}
