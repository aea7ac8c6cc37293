/**
 * `gatehouse store copy`: moves all data to another store, of whatever driver.
 *
 * The source may be in use meanwhile, but a copy is only finished when a whole pass over both found
 * nothing to change, and no server starts on a target before. So a server moves in two steps: copy
 * while it runs, stop it, and copy once more, which brings only what changed.
 */
import {
  isShared,
  openStore,
  parseStoreUrl,
  renderStore,
  type StoreSettings,
} from '../operate/config/store.ts'
import { systemClock } from '../platform/clock.ts'
import { copies } from '../storage/records/copy.ts'
import type { Store } from '../storage/store.ts'
import { exitUsage, toFailure } from './failure.ts'
import { print, printAside } from './output.ts'
import { createProgress, renderCount } from './progress.ts'
import { describeSource, loadStoreSettings, type StoreOptions, toReading } from './store.ts'
import { type SyncResult, syncStores } from './store-sync.ts'

/** Options of `store copy`. */
export interface CopyOptions extends StoreOptions {
  /** URL; default: the configured store. */
  from?: string
  to: string
  fromPrefix?: string
  toPrefix?: string
  merge?: boolean
  acceptWeakDurability?: boolean
}

/** Copies, goes on with a copy, or brings one up to date. Exit code 1 unless both are equal in the end. */
export async function copyStore(options: CopyOptions): Promise<void> {
  const settings = loadStoreSettings(options)
  const source = toReading(
    options.from === undefined
      ? settings.store
      : parseSide('--from', options.from, options.fromPrefix),
  )
  const target = withDurability(parseSide('--to', options.to, options.toPrefix), options)
  if (renderStore(source) === renderStore(target)) {
    throw toFailure('--from and --to are the same store', exitUsage)
  }
  const { rows } = await describeSource(source)
  const from = await openStore(source, { clock: systemClock })
  try {
    await verifyWhole(from)
    const to = await openStore(target, { clock: systemClock })
    try {
      const result = await run({ from, to, place: renderStore(source), rows }, options)
      report(result, { source, target, data: settings.data }, options)
    } finally {
      await to.close()
    }
  } finally {
    await from.close()
  }
}

function parseSide(flag: string, url: string, prefix: string | undefined): StoreSettings {
  const parsed = parseStoreUrl({ url, prefix })
  if ('problem' in parsed) throw toFailure(`${flag} ${parsed.problem}`, exitUsage)
  if (parsed.store.driver !== 'memory') return parsed.store
  throw toFailure(`${flag} cannot be memory: no other process sees it`, exitUsage)
}

function withDurability(store: StoreSettings, { acceptWeakDurability }: CopyOptions) {
  return acceptWeakDurability ? toReading(store) : store
}

async function verifyWhole(source: Store): Promise<void> {
  const copy = await copies.find(source, 'self')
  if (!copy || copy.value.finishedAt !== undefined) return
  throw toFailure(
    `The source is only part of a copy from ${copy.value.from}; finish that one first`,
  )
}

interface Sides {
  readonly from: Store
  readonly to: Store
  readonly place: string
  readonly rows: number
}

async function run({ from, to, place, rows }: Sides, options: CopyOptions): Promise<SyncResult> {
  const isSilent = options.json === true
  let progress = createProgress('Copying', isSilent)
  let shownPass = 1
  let hasBegun = false
  try {
    return await syncStores({
      source: from,
      target: to,
      clock: systemClock,
      from: place,
      isMerge: options.merge === true,
      onResume({ pass, finishedAt }) {
        shownPass = pass
        const word = finishedAt === undefined ? 'Going on with' : 'Bringing up to date'
        if (!isSilent) printAside(`${word} the copy from ${place}`)
      },
      onSlice(pass, seen) {
        if (pass !== shownPass) {
          progress.end()
          progress = createProgress('Comparing', isSilent)
        }
        shownPass = pass
        hasBegun = true
        progress.show(seen, rows)
      },
    })
  } catch (error) {
    if (hasBegun && !isSilent)
      printAside('The copy was cut short; the same command goes on where it stopped')
    throw error
  } finally {
    progress.end()
  }
}

interface Places {
  readonly source: StoreSettings
  readonly target: StoreSettings
  readonly data: string
}

function report(result: SyncResult, places: Places, options: CopyOptions): void {
  const { entries, changed, isEqual } = result
  const [from, to] = [renderStore(places.source), renderStore(places.target)]
  if (options.json)
    print(JSON.stringify({ from, to, entries, changed, equal: isEqual }, undefined, 2))
  if (!isEqual) {
    throw toFailure(
      'The source is being written to, so the newest changes are missing in the target. Stop every server on the source and run the same command again: it brings only what changed',
    )
  }
  if (options.json) return
  print(
    `Copied: ${renderCount(entries)} entries from ${from} to ${to}, ${renderCount(changed)} written in this run.`,
    'Both were equal a moment ago. If a server still runs on the source, stop it and run the same command again before you start one on the target.',
    `Start the servers on the target with the same master key: ${toKeyAdvice(places)}`,
  )
}

function toKeyAdvice({ target, data }: Places): string {
  const given = `TOKEN_ENCRYPTION_KEY as it was, or the content of ${data}/master.key`
  return isShared(target) ? given : `${given}, which goes into the data folder`
}
