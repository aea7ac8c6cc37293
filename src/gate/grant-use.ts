/**
 * Remembers that an access token was used, so that the refresh grant knows that its holder got it
 * (design §1: a lost response can be repeated only while nothing it carried was used).
 *
 * No request waits for this or fails by it. A token that is seen again costs one look in memory.
 */
import { LRUCache } from 'lru-cache'
import type { RequestContext } from '../context.ts'
import { grantUses } from '../storage/records/grant.ts'
import type { Store } from '../storage/store.ts'
import type { AccessTokenClaims } from '../tokens/access-token.ts'

/** Grants whose newest token this process remembers. A forgotten one is looked up in the store again. */
const grantsRemembered = 50_000

/** Attempts against gates that write the same record; whoever loses them all saw a newer token win. */
const attemptsAllowed = 3

const newestByStore = new WeakMap<Store, LRUCache<string, number>>()

/** Notes the use of a token, in the background and only when it is newer than what is known. */
export function noteGrantUse(claims: AccessTokenClaims, context: RequestContext): void {
  const newest = findNewest(context.store)
  if ((newest.get(claims.gid) ?? -1) >= claims.iat) return
  newest.set(claims.gid, claims.iat)
  writeUse(claims, context).catch((cause: unknown) => {
    newest.delete(claims.gid)
    context.log.warn('The use of an access token could not be recorded', {
      requestId: context.exchange.requestId,
      cause,
    })
  })
}

async function writeUse(claims: AccessTokenClaims, context: RequestContext): Promise<void> {
  const { store, config, clock } = context
  for (let attempt = 0; attempt < attemptsAllowed; attempt += 1) {
    const known = await grantUses.find(store, claims.gid)
    if (known && known.value.issuedAt >= claims.iat) return
    const key = grantUses.key(claims.gid)
    const expiresAt = clock.now() + config.refresh.lostResponseSeconds
    const written = await store.commit({
      check: [{ key, version: known?.version ?? null }],
      set: [grantUses.write(key, { issuedAt: claims.iat }, expiresAt)],
    })
    if (written) return
  }
}

function findNewest(store: Store): LRUCache<string, number> {
  const known = newestByStore.get(store)
  if (known) return known
  const created = new LRUCache<string, number>({ max: grantsRemembered })
  newestByStore.set(store, created)
  return created
}
