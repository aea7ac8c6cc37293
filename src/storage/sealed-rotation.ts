/**
 * Data keys come and go while the server runs.
 *
 * 1. {@link rotateDataKey} publishes a new key, which seals from its `activeAt` on.
 * 2. {@link resealSlice}, called again and again by a job in every process, walks through all sealed
 *    records and brings them under the new key, each by a commit that checks the version it read.
 * 3. A day after the new key took over nobody can seal with an older one any more (`sealed.ts`). One
 *    more walk; when it finds nothing that needs an older key, the older keys are removed.
 *
 * The walk is a record of the store, so processes take turns and go on where another one stopped.
 */
import { OAuthError, unavailable } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import { type Random, systemRandom } from '../platform/crypto.ts'
import type { Log } from '../platform/ports.ts'
import type { Stored } from './records/record.ts'
import {
  findSealingKey,
  type Resealing,
  resealings,
  toActiveAt,
  type Vault,
  vaults,
} from './records/vault.ts'
import { longestTrustSeconds } from './sealed.ts'
import { type SealedRecord, sealedRecords } from './sealed-records.ts'
import { createDataKey, toMasterKeyId } from './sealed-vault.ts'
import type { Sealer } from './sealer.ts'
import { toStartError } from './start-error.ts'
import type { Entry, Store } from './store.ts'

/** What a new data key is made with. */
export interface DataKeyOptions {
  store: Store
  masterKey: Uint8Array
  clock: Clock
  /** Default: the operating system's. */
  random?: Random
}

/** How long a data key is known before it seals, in seconds: several readings of the vault. */
const publishedSeconds = 300

/** Attempts against whoever changes the same record. */
const commitAttempts = 5

/**
 * Adds a data key that takes over in five minutes.
 *
 * @returns its id; that of the key another process has just added, when there is one waiting
 * @throws Error `StartError` when the master key was changed meanwhile
 */
export async function rotateDataKey(options: DataKeyOptions): Promise<string> {
  const { store, masterKey, clock, random = systemRandom } = options
  for (let attempt = 0; attempt < commitAttempts; attempt++) {
    const stored = await vaults.find(store, 'self')
    if (stored?.value.masterKeyId !== toMasterKeyId(masterKey))
      throw toStartError('The master key of this store was changed; start again with the new one')
    const { dataKeys } = stored.value
    const waiting = dataKeys.find((key) => toActiveAt(key) > clock.now())
    if (waiting) return waiting.id
    const made = createDataKey({ masterKey, clock, random }, clock.now() + publishedSeconds)
    const added = await store.commit({
      check: [{ key: stored.key, version: stored.version }],
      set: [vaults.write(stored.key, { ...stored.value, dataKeys: [...dataKeys, made] })],
    })
    if (added) return made.id
  }
  throw unavailable('vault_contended')
}

/** What re-sealing works with. */
export interface ResealingPorts {
  readonly store: Store
  readonly sealer: Sealer
  readonly clock: Clock
  readonly log: Log
}

/** Records in a slice: small, so that no request waits behind one. */
const sliceSize = 100

/** How long to wait for what a walk left, in seconds: a sign-in in progress lives ten minutes. */
const leftoverSeconds = 600

/** Clocks of processes may differ so much, in seconds. */
const skewSeconds = 60

/**
 * Goes on with the walk that is due, by one slice.
 *
 * @returns whether there is more to do right away
 */
export async function resealSlice(ports: ResealingPorts): Promise<boolean> {
  const { store, clock } = ports
  const vault = await vaults.find(store, 'self')
  const current = vault && findSealingKey(vault.value.dataKeys, clock.now())
  if (!vault || !current) return false
  const older = findOlderKeys(vault.value, toActiveAt(current))
  if (older.length === 0) return false
  const walk = await resealings.find(store, 'self')
  const removableFrom = toActiveAt(current) + longestTrustSeconds + skewSeconds
  if (walk?.value.dataKeyId !== current.id) return beginWalk(ports, current.id, walk)
  if (walk.value.finishedAt === undefined) return continueWalk(ports, walk, older)
  const { startedAt, finishedAt, left } = walk.value
  if (left === 0 && startedAt >= removableFrom) return removeKeys(ports, vault, walk, older)
  const isDue = left > 0 ? finishedAt + leftoverSeconds : removableFrom
  return clock.now() >= isDue ? beginWalk(ports, current.id, walk) : false
}

/** The keys that sealed before the current one; a later one that waits is not among them. */
function findOlderKeys({ dataKeys }: Vault, currentActiveAt: number): readonly string[] {
  return dataKeys.filter((key) => toActiveAt(key) < currentActiveAt).map(({ id }) => id)
}

function beginWalk(
  { store, clock }: ResealingPorts,
  dataKeyId: string,
  before: Stored<Resealing> | undefined,
): Promise<boolean> {
  const fresh = { dataKeyId, startedAt: clock.now(), seen: 0, resealed: 0, left: 0 }
  return writeWalk(store, before, fresh)
}

/** Whoever is late lets the other process lead. */
function writeWalk(
  store: Store,
  before: Stored<Resealing> | undefined,
  next: Resealing,
): Promise<boolean> {
  const key = resealings.key('self')
  const check = [{ key, version: before?.version ?? null }]
  return store.commit({ check, set: [resealings.write(key, next)] })
}

async function continueWalk(
  ports: ResealingPorts,
  walk: Stored<Resealing>,
  older: readonly string[],
): Promise<boolean> {
  const { value } = walk
  const { record, entries } = await listNext(ports.store, value.after)
  const last = entries.at(-1)
  if (!record || !last) {
    await writeWalk(ports.store, walk, { ...value, finishedAt: ports.clock.now() })
    return true
  }
  let { resealed, left } = value
  for (const entry of entries.filter((one) => needsOneOf(older, one.value))) {
    if (await resealEntry(ports, record, entry, older)) resealed += 1
    else left += 1
  }
  const seen = value.seen + entries.length
  return writeWalk(ports.store, walk, { ...value, after: last.key, seen, resealed, left })
}

/** The next records with sealed members after a key; none at the end. */
async function listNext(
  store: Store,
  after: string | undefined,
): Promise<{ record?: SealedRecord; entries: readonly Entry[] }> {
  for (const record of sealedRecords) {
    const entries = await store.list(record.prefix, { after, limit: sliceSize })
    if (entries.length > 0) return { record, entries }
  }
  return { entries: [] }
}

function needsOneOf(keyIds: readonly string[], value: string): boolean {
  return keyIds.some((id) => value.includes(`"v1.${id}.`))
}

/** Brings one record under the current key; false when it still needs an older one. */
async function resealEntry(
  { store, sealer, log }: ResealingPorts,
  record: SealedRecord,
  found: Entry,
  older: readonly string[],
): Promise<boolean> {
  let entry: Entry | undefined = found
  try {
    for (let attempt = 0; attempt < commitAttempts && entry; attempt++) {
      const value = resealMembers(sealer, record, entry)
      if (needsOneOf(older, value)) return false
      const check = [{ key: entry.key, version: entry.version }]
      if (await store.commit({ check, set: [{ key: entry.key, value }] })) return true
      entry = (await store.get([entry.key]))[0]
    }
    return entry === undefined
  } catch (error) {
    if (!(error instanceof OAuthError) || error.reason !== 'unsealable') throw error
    log.warn('A stored value cannot be opened; its data key is kept', { key: found.key })
    return false
  }
}

function resealMembers(sealer: Sealer, { members, toRow }: SealedRecord, entry: Entry): string {
  const value: unknown = JSON.parse(entry.value)
  const row = toRow(entry.key)
  const moved = Object.entries(Object(value)).map(([member, sealed]) => {
    const purpose = Object.hasOwn(members, member) ? members[member] : undefined
    if (purpose === undefined || typeof sealed !== 'string') return [member, sealed]
    return [member, sealer.seal(purpose, row, sealer.open(purpose, row, sealed))]
  })
  return JSON.stringify(Object.fromEntries(moved))
}

async function removeKeys(
  { store, log }: ResealingPorts,
  vault: Stored<Vault>,
  walk: Stored<Resealing>,
  older: readonly string[],
): Promise<boolean> {
  const dataKeys = vault.value.dataKeys.filter(({ id }) => !older.includes(id))
  const removed = await store.commit({
    check: [
      { key: vault.key, version: vault.version },
      { key: walk.key, version: walk.version },
    ],
    set: [vaults.write(vault.key, { ...vault.value, dataKeys })],
    delete: [walk.key],
  })
  if (removed) log.info('Data keys that nothing needs any more were removed', { ids: older })
  return false
}
