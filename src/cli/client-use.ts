/** What clients were used for, from the grants they hold. */
import { parseClientPart } from '../storage/records/client.ts'
import { families } from '../storage/records/family.ts'
import { clientGrants, grantUses } from '../storage/records/grant.ts'
import type { Store } from '../storage/store.ts'

/** How a client stands with its users. */
export interface ClientUse {
  /** Grants that stand. */
  grants: number
  /** Unix seconds of the newest tokens of any of them: issued, refreshed or seen in use. */
  lastUsedAt: number | undefined
}

const pageSize = 100

/** The use of every client that has a grant, or of one client alone; by client id. */
export async function readClientUses(
  store: Store,
  clientId?: string,
): Promise<ReadonlyMap<string, ClientUse>> {
  const uses = new Map<string, ClientUse>()
  const parts = clientId === undefined ? [] : [clientId]
  for await (const page of clientGrants.pages(store, parts, pageSize)) {
    const names = page.map(({ key }) => parseKey(key))
    const times = await readTimes(
      names.map(({ grantId }) => grantId),
      store,
    )
    for (const [at, { clientId: id }] of names.entries()) {
      const use = uses.get(id) ?? { grants: 0, lastUsedAt: undefined }
      const newest = Math.max(times[at] ?? 0, use.lastUsedAt ?? 0)
      uses.set(id, { grants: use.grants + 1, lastUsedAt: newest === 0 ? undefined : newest })
    }
  }
  return uses
}

function parseKey(key: string): { clientId: string; grantId: string } {
  const [clientId = '', grantId = ''] = key.slice(clientGrants.key('').length).split('/')
  return { clientId: parseClientPart(clientId), grantId }
}

/** The newest time known of each grant; 0 when there is none. */
async function readTimes(grantIds: readonly string[], store: Store): Promise<number[]> {
  const entries = await store.get([
    ...grantIds.map((id) => families.key(id)),
    ...grantIds.map((id) => grantUses.key(id)),
  ])
  return grantIds.map((_, at) => {
    const family = families.decode(entries[at])
    const use = grantUses.decode(entries[at + grantIds.length])
    return Math.max(family?.value.rotatedAt ?? 0, use?.value.issuedAt ?? 0)
  })
}
