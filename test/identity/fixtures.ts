/** A house of users and sessions on the memory store, under a clock that the test moves. */
import { createSessions } from '../../src/identity/sessions.ts'
import { createUsers } from '../../src/identity/users.ts'
import { systemRandom } from '../../src/platform/crypto.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { families } from '../../src/storage/records/family.ts'
import { clientGrants, grants, userGrants } from '../../src/storage/records/grant.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import type { Store } from '../../src/storage/store.ts'

/** Lifetime of access tokens in these tests, in seconds. */
export const accessTokenSeconds = 3600
/** Lifetime of sessions in these tests, in seconds. */
export const sessionSeconds = 86_400

/** A clock that stands still until it is moved. */
export function createTestClock(start = 1_800_000_000) {
  let seconds = start
  return {
    now: () => seconds,
    advance: (by: number) => {
      seconds += by
    },
  }
}

/** Users and sessions over one store. The sealer's own vault lies elsewhere. */
export async function createHouse(wrap: (store: Store) => Store = (store) => store) {
  const clock = createTestClock()
  const store = wrap(memoryStore({ clock }))
  const masterKey = new Uint8Array(32).fill(7)
  const sealer = await createSealer({ store: memoryStore({ clock }), masterKey, clock })
  const ports = { store, clock, random: systemRandom }
  const users = createUsers({ ...ports, sealer, accessTokenSeconds })
  const sessions = createSessions({ ...ports, users, sessionSeconds })
  return { clock, store, sealer, users, sessions }
}

/** A store whose next commit can be overtaken: what is in `first` happens right before it. */
export function createOvertaking() {
  const line: { first: (() => Promise<unknown>) | undefined } = { first: undefined }
  const wrap = (store: Store): Store => ({
    ...store,
    commit: async (change) => {
      const { first } = line
      line.first = undefined
      await first?.()
      return store.commit(change)
    },
  })
  return { line, wrap }
}

/** Stores a grant with its family and both index entries, as a redemption does. */
export async function addGrant(store: Store, userId: string, id: string, clientId = 'mcp_client') {
  const grant = {
    id,
    userId,
    clientId,
    resource: 'https://example.com/mcp',
    scope: 'mcp',
    requestedScope: 'mcp',
    createdAt: 0,
    expiresAt: 2_000_000_000,
    storedUntil: 2_000_000_000,
  }
  const family = { currentHash: 'h', rotatedAt: 0, idleExpiresAt: 2_000_000_000, generation: 0 }
  await store.commit({
    set: [
      grants.write(grants.key(id), grant),
      families.write(families.key(id), family),
      userGrants.write(userGrants.key(userId, id), { clientId }),
      clientGrants.write(clientGrants.key(clientId, id), { userId }),
    ],
  })
}

/** Every key of a store. */
export async function listKeys(store: Store): Promise<string[]> {
  return (await store.list('', { limit: 10_000 })).map((entry) => entry.key)
}
