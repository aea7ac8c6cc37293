/**
 * Remembers that an access token was used, so that the refresh grant knows that its holder got it
 * (design §1: a lost response can be repeated only while nothing it carried was used).
 *
 * No request waits for this or fails by it. A token that is seen again costs one look in memory.
 */
import { LRUCache } from 'lru-cache'
import type { RequestContext } from '../context.ts'
import { recordGrantUse } from '../storage/records/grant.ts'
import type { AccessTokenClaims } from '../tokens/access-token.ts'

/** Grants whose newest token a gate remembers. A forgotten one is looked up in the store again. */
const grantsRemembered = 50_000

/** Notes the use of a token, in the background and only when it is newer than what is known. */
export type NoteGrantUse = (claims: AccessTokenClaims, context: RequestContext) => void

/** The memory of one gate. */
export function createGrantUses(): NoteGrantUse {
  const newest = new LRUCache<string, number>({ max: grantsRemembered })
  return (claims, context) => {
    const { gid, iat } = claims
    if ((newest.get(gid) ?? -1) >= iat) return
    newest.set(gid, iat)
    const expiresAt = context.clock.now() + context.config.refresh.lostResponseSeconds
    const tryAgainLater = (cause: unknown): void => {
      newest.delete(gid)
      context.log.warn('The use of an access token could not be recorded', {
        request_id: context.exchange.requestId,
        cause,
      })
    }
    recordGrantUse(context.store, gid, { issuedAt: iat }, expiresAt).then(
      (recorded) => recorded || tryAgainLater('contention'),
      tryAgainLater,
    )
  }
}
