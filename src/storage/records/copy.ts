/**
 * `copy/self`: that this store is, or was, the target of a copy from another one.
 *
 * Written with every slice of the copy in the same commit, so that a copy that was cut short goes on
 * where it stopped. Until the copy is finished no server starts on the store; the first one that
 * starts on it afterwards removes the mark, because from then on the two stores lead different lives.
 */
import { defineRecord } from './record.ts'

/** How far a copy has come. */
export interface Copy {
  /** Where the entries come from, in words and without a password. */
  readonly from: string
  /** Whether entries that only the target has are left alone. */
  readonly isMerge: boolean
  /** Unix seconds. */
  readonly startedAt: number
  /** The walk through all entries that is under way, from 1. */
  readonly pass: number
  /** The last storage key that the first pass has dealt with; later ones begin again when cut short. */
  readonly after?: string
  /** Entries that this pass wrote or removed so far. */
  readonly changed: number
  /** Unix seconds at which a whole pass found nothing to change; absent until then. */
  readonly finishedAt?: number
}

export const copies = defineRecord<Copy>('copy')
