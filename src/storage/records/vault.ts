/**
 * `vault/self`: the keys that seal everything else in the store, themselves sealed by the master key.
 *
 * Written once, at the first start, by a commit that checks its absence; kept for ever. The master key
 * is never in the store.
 */
import { defineRecord } from './record.ts'

/** The sealed keys of one store. */
export interface Vault {
  /** Names the master key without telling anything about it. */
  readonly masterKeyId: string
  /** Seals new values. */
  readonly currentDataKeyId: string
  /** Every data key whose values may still be about. */
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
}

export const vaults = defineRecord<Vault>('vault')
