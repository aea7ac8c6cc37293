/** `gatehouse store`: where the data is, how much of it there is, and bringing it to the newest schema. */
import type { Settings } from '../operate/config/load.ts'
import {
  describeStore,
  openStore,
  renderStore,
  type StoreSettings,
} from '../operate/config/store.ts'
import { systemClock } from '../platform/clock.ts'
import { type Copy, copies } from '../storage/records/copy.ts'
import type { ListedEntry, Store } from '../storage/store.ts'
import type { StoreReport } from '../storage/store-report.ts'
import { exitFailure, toFailure } from './failure.ts'
import { verifyReachable } from './installation.ts'
import { print, renderTable } from './output.ts'
import { createProgress, type Progress, renderCount } from './progress.ts'
import { type DataOptions, loadSettings } from './settings.ts'

/** Options of `store status` and `store verify`. */
export interface StoreOptions extends DataOptions {
  json?: boolean
}

/** What `store status` found. */
interface Status {
  readonly report: StoreReport | undefined
  /** Live entries by kind of record; undefined when they could not be counted. */
  readonly kinds: ReadonlyMap<string, number> | undefined
  readonly copy: Copy | undefined
  readonly problem: string | undefined
}

/** Tells what the store is and holds, and changes nothing. Exit code 1 when it cannot be used. */
export async function showStatus(options: StoreOptions): Promise<void> {
  const { store } = loadStoreSettings(options)
  const status = await findStatus(store, options.json === true)
  if (options.json) print(JSON.stringify(toView(store, status), undefined, 2))
  else print(renderStatus(store, status))
  if (status.problem !== undefined) throw toFailure(status.problem, exitFailure)
}

/**
 * Brings the store to the newest schema, which every start does, too. In a database it may make the store
 * beforehand, for servers that must not; a SQLite store is only ever made together with its master key.
 */
export async function migrateStore(options: StoreOptions): Promise<void> {
  const { store } = loadStoreSettings(options)
  const before = await (store.driver === 'sqlite' ? describeSource : describeStore)(store)
  const opened = await openStore(toReading(store), { clock: systemClock })
  await opened.close()
  const after = await describeStore(store)
  const from = before?.schema
  const to = after?.schema
  if (options.json) return print(JSON.stringify({ from: from ?? null, to: to ?? null }))
  if (from === undefined) return print(`Created the store, schema ${to}: ${renderStore(store)}`)
  if (from === to) return print(`Nothing to do: the store has schema ${to}, the newest one`)
  print(`Migrated the store from schema ${from} to ${to}`)
}

/**
 * The settings of a command that looks at the store as it is, without its keys.
 *
 * @throws Failure for the memory store, which no other process can see
 */
export function loadStoreSettings(options: DataOptions): Settings {
  const settings = loadSettings(options, [], { needsMasterKey: false })
  verifyReachable(settings, false)
  return settings
}

/** The same store for reading only: then it does not matter how durable it is. */
export function toReading(store: StoreSettings): StoreSettings {
  return store.driver === 'redis' ? { ...store, onWeakDurability: 'warn' } : store
}

/** Every live entry, page by page. */
export async function* listPages(store: Store, pageSize = 500): AsyncGenerator<ListedEntry[]> {
  for (let after: string | undefined; ; ) {
    const page = await store.list('', { after, limit: pageSize })
    if (page.length === 0) return
    yield page
    after = page.at(-1)?.key
  }
}

/** The kind of record that a key belongs to. */
export function toKind(key: string): string {
  return key.split('/', 1)[0] ?? ''
}

/**
 * What stands at a place that must have a store.
 *
 * @throws Failure when there is none
 */
export async function describeSource(store: StoreSettings): Promise<StoreReport> {
  const report = await describeStore(store)
  if (report?.schema !== undefined) return report
  throw toFailure(`There is no store yet: ${renderStore(store)}`)
}

async function findStatus(settings: StoreSettings, isSilent: boolean): Promise<Status> {
  const nothing = { report: undefined, kinds: undefined, copy: undefined, problem: undefined }
  const progress = createProgress('Counting', isSilent)
  try {
    const report = await describeStore(settings)
    const problem = findSchemaProblem(report)
    if (report?.schema === undefined || problem !== undefined)
      return { ...nothing, report, problem }
    const store = await openStore(toReading(settings), { clock: systemClock })
    try {
      const kinds = await countKinds(store, progress, report.rows)
      return { report, kinds, copy: (await copies.find(store, 'self'))?.value, problem }
    } finally {
      await store.close()
    }
  } catch (error) {
    return { ...nothing, problem: error instanceof Error ? error.message : String(error) }
  } finally {
    progress.end()
  }
}

/** A newer schema is for the driver to judge: it may be one that this version can work on. */
function findSchemaProblem(report: StoreReport | undefined): string | undefined {
  const { schema, newestSchema = 0 } = report ?? {}
  if (schema === undefined || schema >= newestSchema) return undefined
  return 'The store has an older schema; bring it up to date with: gatehouse store migrate'
}

async function countKinds(store: Store, progress: Progress, rows: number) {
  const kinds = new Map<string, number>()
  let done = 0
  for await (const page of listPages(store)) {
    for (const { key } of page) kinds.set(toKind(key), (kinds.get(toKind(key)) ?? 0) + 1)
    done += page.length
    progress.show(done, rows)
  }
  return kinds
}

function toView(store: StoreSettings, { report, kinds, copy, problem }: Status) {
  return {
    driver: store.driver,
    place: renderStore(store),
    reachable: report !== undefined,
    problem: problem ?? null,
    schema: report?.schema ?? null,
    newest_schema: report?.newestSchema ?? null,
    size_bytes: report?.sizeBytes ?? null,
    durability: report?.durability ?? {},
    live: kinds ? sum(kinds) : null,
    expired: kinds && report ? Math.max(0, report.rows - sum(kinds)) : null,
    kinds: kinds ? Object.fromEntries(kinds) : {},
    copy_from: copy?.from ?? null,
    copy_finished: copy ? copy.finishedAt !== undefined : null,
  }
}

function renderStatus(store: StoreSettings, status: Status): string {
  const { report, kinds, copy } = status
  const rows = [['Store', renderStore(store)]]
  if (report === undefined) return renderTable([...rows, ['Reachable', 'no']])
  rows.push(['Reachable', 'yes'])
  if (report.schema === undefined) {
    return renderTable([
      ...rows,
      ['Schema', 'none: there is no store yet, the first start makes it'],
    ])
  }
  const isNewest = report.schema === report.newestSchema
  rows.push(['Schema', `${report.schema}${isNewest ? ', the newest' : ''}`])
  if (report.sizeBytes !== undefined) rows.push(['Size', renderBytes(report.sizeBytes)])
  for (const [name, value] of Object.entries(report.durability))
    rows.push(['', `${name} = ${value}`])
  if (copy)
    rows.push(['Copy', `${copy.finishedAt ? 'finished' : 'not finished'}, from ${copy.from}`])
  if (!kinds) return renderTable(rows)
  const expired = Math.max(0, report.rows - sum(kinds))
  rows.push([
    'Live',
    `${renderCount(sum(kinds))} entries, and ${renderCount(expired)} expired ones`,
  ])
  const counts = [...kinds].map(([kind, count]) => [kind, renderCount(count)])
  return `${renderTable(rows)}\n\n${renderTable([['KIND', 'LIVE'], ...counts])}`
}

function sum(kinds: ReadonlyMap<string, number>): number {
  return [...kinds.values()].reduce((total, count) => total + count, 0)
}

function renderBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB']
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const amount = bytes / 1024 ** step
  return `${step === 0 ? amount : amount.toFixed(1)} ${units[step]}`
}
