/**
 * `key-ring/self`: changes with every change of the set of signing keys.
 *
 * A commit that adds or removes a key checks and rewrites this record too, so that processes change
 * the set one after the other and always agree on it (catalogue HA-07). It is also what a process
 * reads to see whether it has to read the keys again.
 */
import { defineRecord } from './record.ts'

/** The state of the set of signing keys. */
export interface KeyRingState {
  /** Unix seconds. */
  readonly changedAt: number
}

export const keyRings = defineRecord<KeyRingState>('key-ring')
