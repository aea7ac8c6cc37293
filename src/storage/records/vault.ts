/**
 * `vault/self`: the keys that seal everything else in the store, themselves sealed by the master key.
 * `resealing/self`: how far older values have been brought under the newest data key.
 *
 * The vault is written at the first start, by a commit that checks its absence, and again when a data
 * key is added or removed or the master key changes, each time by a commit that checks its version.
 * The master key is never in the store.
 */
import { defineRecord } from './record.ts'

/** The sealed keys of one store. */
export interface Vault {
  /** Names the master key without telling anything about it. */
  readonly masterKeyId: string
  /** Every data key whose values may still be about, in the order they were made. */
  readonly dataKeys: readonly SealedDataKey[]
  /** The key of {@link Sealer.index}; never changes, because stored keys are made with it. */
  readonly sealedIndexKey: string
}

/** A key that seals values. */
export interface SealedDataKey {
  readonly id: string
  readonly sealedKey: string
  /** Unix seconds. */
  readonly createdAt: number
  /** Unix seconds from which it seals new values, until a later one does. Absent: since it was made. */
  readonly activeAt?: number
}

/** One walk through all that is sealed. It goes on where it stopped, in whatever process. */
export interface Resealing {
  /** The data key that values are brought under. */
  readonly dataKeyId: string
  /** Unix seconds. */
  readonly startedAt: number
  /** Unix seconds at which the walk was through; absent while it is under way. */
  readonly finishedAt?: number
  /** The last storage key that was looked at; absent at the beginning. */
  readonly after?: string
  /** Records looked at. */
  readonly seen: number
  /** Records brought under the newest data key. */
  readonly resealed: number
  /** Records that still need an older one: a sign-in in progress, or a value that does not open. */
  readonly left: number
}

export const vaults = defineRecord<Vault>('vault')
export const resealings = defineRecord<Resealing>('resealing')

/** When a data key begins to seal, in unix seconds. */
export function toActiveAt(key: Pick<SealedDataKey, 'activeAt' | 'createdAt'>): number {
  return key.activeAt ?? key.createdAt
}

/** The key that seals new values now: the newest that may; the first one while none may yet. */
export function findSealingKey<T extends Pick<SealedDataKey, 'activeAt' | 'createdAt'>>(
  keys: readonly T[],
  now: number,
): T | undefined {
  const active = keys.filter((key) => toActiveAt(key) <= now)
  return active.reduce(
    (newest: T | undefined, key) => (newest && toActiveAt(newest) > toActiveAt(key) ? newest : key),
    keys[0],
  )
}
