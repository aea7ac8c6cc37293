/**
 * Envelope encryption around any store.
 *
 * Data keys seal values, a random index key makes keyed hashes, and all of them stand in the store
 * sealed by the master key. A dump of the store without the master key opens nothing (catalogue SG-14).
 *
 * Sealed text is `v1.<data key id>.<nonce>.<ciphertext and tag>`; purpose and row are authenticated
 * with it, and each purpose has a subkey of its own, so a sealed value opens only where it was put
 * (catalogue SG-11, CD-16).
 *
 * Data keys change while many processes run, although opening is synchronous and cannot wait for the
 * store. So a new key is published first and used later: it stands in the vault some minutes before
 * its `activeAt`, and every process reads the vault again on a hint and once a minute. A process that
 * missed even that answers 503 for a key it does not know, reads, and knows it at the next attempt.
 * Whoever could not read for a day stops sealing: by then a key may be gone (`sealed-rotation.ts`).
 */
import type { KeyObject } from 'node:crypto'
import { OAuthError, unavailable } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import { hmacSha256, type Random, systemRandom } from '../platform/crypto.ts'
import { decryptText, deriveKey, encryptText } from './envelope.ts'
import type { Stored } from './records/record.ts'
import { findSealingKey, type SealedDataKey, type Vault, vaults } from './records/vault.ts'
import {
  changeMasterKey,
  createVault,
  openDataKey,
  openIndexKey,
  toMasterKeyId,
} from './sealed-vault.ts'
import type { Sealer } from './sealer.ts'
import { createSharedReading } from './shared-reading.ts'
import { toStartError } from './start-error.ts'
import type { Store } from './store.ts'

/** What a sealer is made of. */
export interface SealerOptions {
  store: Store
  /** At least 32 bytes of real randomness. */
  masterKey: Uint8Array
  /** The master key that the store may still be sealed with; its keys move under `masterKey`. */
  previousMasterKey?: Uint8Array | undefined
  clock: Clock
  /** Default: the operating system's. */
  random?: Random
}

/** How long a process that cannot read the store, or was asleep, may go on with the keys it knows, in seconds. */
export const longestTrustSeconds = 86_400

const minimumMasterKeyBytes = 32
const startAttempts = 5

/**
 * Opens the vault of a store, or creates it at the first start; processes that start at the same time
 * agree on one (catalogue HA-07). With the previous master key at hand, the vault moves under the new
 * one in one commit.
 *
 * @throws TypeError when a master key is shorter than 32 bytes
 * @throws Error `StartError` when the store is sealed with another master key, or the vault was altered
 */
export async function createSealer(options: SealerOptions): Promise<Sealer> {
  const { store, masterKey, previousMasterKey, clock, random = systemRandom } = options
  for (const key of [masterKey, previousMasterKey ?? masterKey]) verifyLength(key)
  for (let attempt = 0; attempt < startAttempts; attempt++) {
    const stored = await vaults.find(store, 'self')
    if (stored?.value.masterKeyId === toMasterKeyId(masterKey))
      return toSealer(createKeyMemory(options, stored), random)
    const next = stored
      ? moveVault(stored.value, options)
      : createVault({ masterKey, clock, random })
    const key = vaults.key('self')
    await store.commit({
      check: [{ key, version: stored?.version ?? null }],
      set: [vaults.write(key, next)],
    })
  }
  throw toStartError('The processes starting on this store cannot agree on its keys; start again')
}

function verifyLength(masterKey: Uint8Array): void {
  if (masterKey.length >= minimumMasterKeyBytes) return
  throw new TypeError(`The master key must have at least 32 bytes, not ${masterKey.length}`)
}

function moveVault(vault: Vault, options: SealerOptions): Vault {
  const { masterKey: to, previousMasterKey: from, random = systemRandom } = options
  if (from && vault.masterKeyId === toMasterKeyId(from))
    return changeMasterKey(vault, { from, to, random })
  const given = [to, ...(from ? [from] : [])].map(toMasterKeyId).join(' and ')
  throw toStartError(
    `The master key is not the one this store is sealed with (given ${given}, needed ${vault.masterKeyId}); ` +
      'start with that key, give it as the previous one beside a new one, or start with an empty store',
  )
}

/** A data key, opened. */
interface DataKey {
  readonly id: string
  readonly bytes: Uint8Array
  readonly createdAt: number
  readonly activeAt?: number
}

/** The keys as they were last read, and how to read them again. */
interface KeyMemory {
  find(id: string): DataKey | undefined
  /** @throws OAuthError `temporarily_unavailable` when the vault was not read for too long */
  findCurrent(): DataKey
  /** Whether the store was asked for this unknown key and does not have it either. */
  isAbsent(id: string): boolean
  reread(): Promise<void>
  readonly indexKey: Uint8Array
}

/** Unknown ids are kept apart from absent ones by whether a look into the store came after them. */
const rememberedUnknowns = 1000

function createKeyMemory(
  { store, masterKey, clock }: SealerOptions,
  first: Stored<Vault>,
): KeyMemory {
  let keys = openDataKeys(first.value, masterKey, [])
  let version = first.version
  let readAt = clock.now()
  let unknown = new Set<string>()
  let absent = new Set<string>()

  const reading = createSharedReading(async () => {
    const asked = unknown
    unknown = new Set()
    const startedAt = clock.now()
    const stored = await vaults.find(store, 'self')
    if (!stored) throw unavailable('vault_missing')
    if (stored.version !== version) keys = openDataKeys(stored.value, masterKey, keys)
    version = stored.version
    readAt = startedAt
    absent = new Set([...absent, ...asked].slice(-rememberedUnknowns))
  })
  const find = (id: string): DataKey | undefined => keys.find((key) => key.id === id)

  return {
    indexKey: openIndexKey(first.value, masterKey),
    reread: reading.afresh,
    find,
    findCurrent() {
      const now = clock.now()
      const current = findSealingKey(keys, now)
      if (current && now - readAt <= longestTrustSeconds) return current
      void reading.join().catch(() => undefined)
      throw unavailable('data_keys_outdated')
    },
    isAbsent(id) {
      if (absent.has(id)) return true
      if (unknown.size < rememberedUnknowns) unknown.add(id)
      void reading.afresh().catch(() => undefined)
      return false
    },
  }
}

/** Opens what is not known yet: a process with the old master key goes on while no key is added. */
function openDataKeys(
  vault: Vault,
  masterKey: Uint8Array,
  known: readonly DataKey[],
): readonly DataKey[] {
  const openNewKey = (key: SealedDataKey): Uint8Array => {
    if (vault.masterKeyId === toMasterKeyId(masterKey)) return openDataKey(key, masterKey)
    throw toStartError('The master key of this store was changed; restart this process with it')
  }
  return vault.dataKeys.map((key) => {
    const { id, createdAt, activeAt } = key
    const bytes = known.find((one) => one.id === id)?.bytes ?? openNewKey(key)
    return { id, bytes, createdAt, ...(activeAt !== undefined && { activeAt }) }
  })
}

function toSealer(memory: KeyMemory, random: Random): Sealer {
  const sealKeys = new Map<string, KeyObject>()
  const indexKeys = new Map<string, KeyObject>()

  const findSealKey = ({ id, bytes }: DataKey, purpose: string): KeyObject =>
    remember(sealKeys, `${id} ${purpose}`, () => deriveKey(bytes, `seal ${purpose}`))

  return {
    seal(purpose, row, plaintext) {
      const current = memory.findCurrent()
      const key = findSealKey(current, purpose)
      return `v1.${current.id}.${encryptText(key, toContext(purpose, row), plaintext, random)}`
    },
    open(purpose, row, sealed) {
      const [, id, body = ''] = /^v1\.([\w-]{1,64})\.(.*)$/s.exec(sealed) ?? []
      if (id === undefined) throw unsealable()
      const dataKey = memory.find(id)
      if (!dataKey) throw memory.isAbsent(id) ? unsealable() : unavailable('data_key_unknown')
      const plaintext = decryptText(findSealKey(dataKey, purpose), toContext(purpose, row), body)
      if (plaintext === undefined) throw unsealable()
      return plaintext
    },
    index(purpose, value) {
      const key = remember(indexKeys, purpose, () => deriveKey(memory.indexKey, `index ${purpose}`))
      return hmacSha256(key, value)
    },
    reread: memory.reread,
  }
}

function toContext(purpose: string, row: string): string {
  return JSON.stringify(['v1', purpose, row])
}

/** Purposes are words in our own code, so the map stays small. */
function remember<K, V>(known: Map<K, V>, key: K, create: () => V): V {
  const value = known.get(key) ?? create()
  known.set(key, value)
  return value
}

function unsealable(): OAuthError {
  return new OAuthError('server_error', 'The server cannot read what it stored; ask its owner', {
    reason: 'unsealable',
  })
}
