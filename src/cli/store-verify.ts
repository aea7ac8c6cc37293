/**
 * `gatehouse store verify`: reads every entry and tells what is wrong with it. Changes nothing, and may
 * run beside a server: what seems wrong is read once more, together with what it leads to, at one moment.
 */
import { OAuthError } from '../errors.ts'
import { type OpenedData, openData } from '../operate/config/to-options.ts'
import { systemClock } from '../platform/clock.ts'
import { vaults } from '../storage/records/vault.ts'
import { createSealer } from '../storage/sealed.ts'
import { toMasterKeyId } from '../storage/sealed-vault.ts'
import type { Sealer } from '../storage/sealer.ts'
import type { Entry, Store } from '../storage/store.ts'
import { toFailure } from './failure.ts'
import { verifyReachable } from './installation.ts'
import { print, renderTable } from './output.ts'
import { createProgress, renderCount } from './progress.ts'
import { loadSettings } from './settings.ts'
import { describeSource, listPages, type StoreOptions, toKind, toReading } from './store.ts'
import { type Fields, findSeals, isFields, type Lead, recordRules } from './store-rules.ts'

/** One kind of trouble. */
interface Trouble {
  readonly problem: string
  count: number
  /** The first keys that have it. No key holds personal data. */
  readonly examples: string[]
}

/** What was found. */
interface Findings {
  /** Entries read. */
  entries: number
  /** Entries of kinds that this program does not know. */
  unknown: number
  readonly troubles: Map<string, Trouble>
}

const examplesShown = 5

/** Verifies and reports. Exit code 1 when something is wrong. */
export async function verifyStore(options: StoreOptions): Promise<void> {
  const settings = loadSettings(options)
  verifyReachable(settings, true)
  const store = toReading(settings.store)
  const { rows } = await describeSource(store)
  const data = await openData({ ...settings, store })
  const progress = createProgress('Verifying', options.json === true)
  try {
    const findings = await findTroubles(data, (done) => progress.show(done, rows))
    progress.end()
    report(findings, options.json === true)
  } finally {
    progress.end()
    await data.store.close()
  }
}

async function findTroubles(data: OpenedData, onPage: (done: number) => void): Promise<Findings> {
  const { store } = data
  const findings: Findings = { entries: 0, unknown: 0, troubles: new Map() }
  const sealer = await openSealer(data, findings)
  for await (const page of listPages(store)) {
    const records = page.flatMap((entry) => verifyShape(entry, findings))
    for (const record of records) {
      if (sealer) await verifySeals(record, sealer, findings)
    }
    await verifyLeads(records, store, findings)
    findings.entries += page.length
    onPage(findings.entries)
  }
  return findings
}

/** The sealer, without writing to the store; undefined when the vault is missing. */
async function openSealer(data: OpenedData, findings: Findings): Promise<Sealer | undefined> {
  const { store, masterKey, previousMasterKey } = data
  const vault = await vaults.find(store, 'self')
  if (!vault) {
    add(findings, 'is missing, so nothing that is sealed can be opened', vaults.key('self'))
    return undefined
  }
  const keys = [masterKey, ...(previousMasterKey ? [previousMasterKey] : [])]
  const fitting = keys.find((key) => toMasterKeyId(key) === vault.value.masterKeyId)
  return createSealer({ store, masterKey: fitting ?? masterKey, clock: systemClock })
}

/** An entry whose value has the members that its kind must have. */
interface KnownRecord {
  readonly entry: Entry
  readonly value: Fields
  readonly leads: Lead[]
}

function verifyShape(entry: Entry, findings: Findings): KnownRecord[] {
  const kind = toKind(entry.key)
  const rule = recordRules.get(kind)
  if (!rule) {
    findings.unknown += 1
    return []
  }
  const value = parseFields(entry.value)
  if (!value) {
    add(findings, 'is no JSON object', entry.key)
    return []
  }
  const wrong = Object.entries(rule.members).filter(([name, type]) => typeof value[name] !== type)
  for (const [name] of wrong) add(findings, `lacks ${name}, or has it in another type`, entry.key)
  if (wrong.length > 0) return []
  const leads = rule.leads?.(value, entry.key.slice(kind.length + 1), entry.key) ?? []
  return [{ entry, value, leads }]
}

function parseFields(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}

async function verifySeals(
  { entry, value }: KnownRecord,
  sealer: Sealer,
  findings: Findings,
): Promise<void> {
  for (const { member, purpose, row, sealed } of findSeals(entry.key, value)) {
    const opens = (): boolean => {
      sealer.open(purpose, row, sealed)
      return true
    }
    if (!(await attempt(opens, sealer)))
      add(findings, `has a ${member} that does not open`, entry.key)
  }
}

/** A data key that is not known may have been made a moment ago: then it is known after reading again. */
async function attempt(opens: () => boolean, sealer: Sealer, isLast = false): Promise<boolean> {
  try {
    return opens()
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    if (isLast || error.code !== 'temporarily_unavailable') return false
  }
  await sealer.reread()
  return attempt(opens, sealer, true)
}

async function verifyLeads(
  records: readonly KnownRecord[],
  store: Store,
  findings: Findings,
): Promise<void> {
  const keys = [...new Set(records.flatMap(({ leads }) => leads.map(({ key }) => key)))]
  const found = new Map((await store.get(keys)).map((entry, at) => [keys[at], entry]))
  for (const record of records) {
    for (const lead of record.leads) {
      if (fits(lead, found.get(lead.key))) continue
      if (await isStillBroken(record, lead, store)) {
        add(findings, `leads to no fitting ${toKind(lead.key)} record`, record.entry.key)
      }
    }
  }
}

/** Both read at one moment: whoever writes one of the two beside us writes the other in the same commit. */
async function isStillBroken({ entry }: KnownRecord, lead: Lead, store: Store): Promise<boolean> {
  const [now, there] = await store.get([entry.key, lead.key])
  return now?.version === entry.version && !fits(lead, there)
}

function fits(lead: Lead, there: Entry | undefined): boolean {
  const value = there && parseFields(there.value)
  return value !== undefined && lead.fits(value)
}

function add({ troubles }: Findings, problem: string, key: string): void {
  const kind = toKind(key)
  const known = troubles.get(`${kind} ${problem}`)
  const trouble = known ?? { problem: `${kind} record ${problem}`, count: 0, examples: [] }
  trouble.count += 1
  if (trouble.examples.length < examplesShown) trouble.examples.push(key)
  troubles.set(`${kind} ${problem}`, trouble)
}

function report({ entries, unknown, troubles }: Findings, json: boolean): void {
  const all = [...troubles.values()]
  const count = all.reduce((sum, trouble) => sum + trouble.count, 0)
  if (json) {
    print(JSON.stringify({ entries, unknown_entries: unknown, problems: all }, undefined, 2))
  } else {
    const strange =
      unknown > 0 ? `, ${renderCount(unknown)} of kinds this version does not know` : ''
    print(`Read ${renderCount(entries)} entries${strange}`)
    if (count === 0) print('Everything is in order')
    else print('', renderTable(toRows(all), process.stdout.columns))
  }
  if (count === 0) return
  throw toFailure(`${renderCount(count)} ${count === 1 ? 'problem' : 'problems'} in the store`)
}

function toRows(troubles: readonly Trouble[]): string[][] {
  const rows = troubles.map(({ problem, count, examples }) => [
    renderCount(count),
    problem,
    examples.join(' '),
  ])
  return [['COUNT', 'PROBLEM', 'FOR EXAMPLE'], ...rows]
}
