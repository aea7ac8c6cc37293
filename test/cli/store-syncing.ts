/** A copy from one store to another, with the options that tests leave alone. */
import { type SyncOptions, type SyncResult, syncStores } from '../../src/cli/store-sync.ts'
import { systemClock } from '../../src/platform/clock.ts'
import type { Store } from '../../src/storage/store.ts'

export function sync(
  source: Store,
  target: Store,
  options: Partial<SyncOptions> = {},
): Promise<SyncResult> {
  const rest = { clock: systemClock, from: 'here', isMerge: false, onResume: () => {} }
  return syncStores({ source, target, onSlice: async () => {}, ...rest, ...options })
}
