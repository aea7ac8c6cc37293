/** What `doctor --self` finds out about the store, its master key and its disk, without changing anything. */
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DataFacts, KeyFacts } from '../doctor/self/self-facts.ts'
import type { Settings } from '../operate/config/load.ts'
import { masterKeyFile, openMasterKey } from '../operate/config/secrets.ts'
import { describeStore, openStore, renderStore } from '../operate/config/store.ts'
import { systemClock } from '../platform/clock.ts'
import { createRotationRules } from '../signing.ts'
import { copies } from '../storage/records/copy.ts'
import { installations } from '../storage/records/key.ts'
import { type Vault, vaults } from '../storage/records/vault.ts'
import { openDataKey, openIndexKey, toMasterKeyId } from '../storage/sealed-vault.ts'
import type { Store } from '../storage/store.ts'
import { listKeys, toTime } from '../tokens/key-records.ts'
import { findSigner } from '../tokens/key-rotation.ts'
import { toReading } from './store.ts'

/** What is in the store, as far as it can be opened. */
interface Contents {
  readonly issuer: string | undefined
  readonly unfinishedCopy: string | undefined
  readonly vault: Vault | undefined
  readonly keys: KeyFacts
}

/** The facts of the data and of the keys in it. */
export async function gatherData(settings: Settings): Promise<{ data: DataFacts; keys: KeyFacts }> {
  const { driver } = settings.store
  const place = renderStore(settings.store)
  const around = { place, driver, disk: readDisk(settings), files: readModes(settings) }
  const noKeys = toKeyRules(settings)
  const unopened = (problem?: string): DataFacts => ({
    ...around,
    problem,
    masterKey: openKey(settings, undefined),
  })
  try {
    const report = await describeStore(settings.store)
    if (report?.schema === undefined) return { data: unopened(), keys: noKeys }
    if (report.schema < report.newestSchema)
      return { data: { ...unopened(), ...report }, keys: noKeys }
    const aheadSeconds = report.now && Math.round(report.now - systemClock.now())
    const { vault, keys, ...found } = await readContents(settings)
    const masterKey = openKey(settings, vault)
    return { data: { ...around, ...report, ...found, aheadSeconds, masterKey }, keys }
  } catch (error) {
    return { data: unopened(toMessage(error)), keys: noKeys }
  }
}

async function readContents(settings: Settings): Promise<Contents> {
  const store = await openStore(toReading(settings.store), { clock: systemClock })
  try {
    const copy = (await copies.find(store, 'self'))?.value
    return {
      issuer: (await installations.find(store, 'self'))?.value.issuer,
      unfinishedCopy: copy?.finishedAt === undefined ? copy?.from : undefined,
      vault: (await vaults.find(store, 'self'))?.value,
      keys: await readKeys(store, settings),
    }
  } finally {
    await store.close()
  }
}

function toKeyRules(settings: Settings): KeyFacts {
  const { algorithm, rotationSeconds } = createRotationRules(settings)
  return { algorithm, rotationSeconds }
}

async function readKeys(store: Store, settings: Settings): Promise<KeyFacts> {
  const rules = createRotationRules(settings)
  const keys = (await listKeys(store)).map(({ value }) => toTime(value))
  const signer = findSigner(keys, rules.algorithm, systemClock.now())
  return {
    ...toKeyRules(settings),
    kids: keys.map(({ kid }) => kid),
    ...(signer && {
      signer: { kid: signer.kid, algorithm: signer.alg, activeAt: signer.activeAt },
      hasNext: keys.some(({ activeAt }) => activeAt > signer.activeAt),
    }),
  }
}

/** Where the master key is from, and whether it opens the keys of the store. Makes none. */
function openKey(settings: Settings, vault: Vault | undefined): DataFacts['masterKey'] {
  const path = join(settings.data, masterKeyFile)
  const isConfigured = settings.masterKey !== undefined
  if (!isConfigured && !existsSync(path)) return { from: 'nowhere', path }
  const from = isConfigured ? 'configuration' : 'file'
  try {
    const own = settings.masterKey ?? openMasterKey(settings.data, masterKeyFile)
    if (vault)
      verifyOpens(vault, [own, ...(settings.previousMasterKey ? [settings.previousMasterKey] : [])])
    return { from, path }
  } catch (error) {
    return { from, path, problem: toMessage(error) }
  }
}

function verifyOpens(vault: Vault, keys: readonly Uint8Array[]): void {
  const fitting = keys.find((key) => toMasterKeyId(key) === vault.masterKeyId)
  if (fitting === undefined) throw new Error('it is not the one that the store is sealed with')
  openIndexKey(vault, fitting)
  for (const key of vault.dataKeys) openDataKey(key, fitting)
}

function toFolder({ data, store }: Settings): string {
  return store.driver === 'sqlite' ? dirname(store.path) : data
}

function readDisk(settings: Settings): NonNullable<DataFacts['disk']> | undefined {
  const path = toFolder(settings)
  if (settings.store.driver === 'memory' || !existsSync(path)) return undefined
  const { bavail, blocks, bsize } = statfsSync(path)
  const isWritable = isAllowed(() => accessSync(path, constants.W_OK))
  return { path, freeBytes: bavail * bsize, totalBytes: blocks * bsize, isWritable }
}

function isAllowed(attempt: () => void): boolean {
  try {
    attempt()
    return true
  } catch {
    return false
  }
}

/** On Windows the permissions of POSIX say nothing. */
function readModes(settings: Settings): DataFacts['files'] {
  if (process.platform === 'win32') return []
  const { store, data } = settings
  const key = join(data, masterKeyFile)
  const files = store.driver === 'sqlite' ? [toFolder(settings), store.path, key] : [key]
  return files
    .filter((path) => existsSync(path))
    .map((path) => ({ path, mode: statSync(path).mode & 0o777 }))
}

function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
