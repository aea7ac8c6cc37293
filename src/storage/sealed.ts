/**
 * Envelope encryption around any store.
 *
 * A random data key seals values, a random index key makes keyed hashes, and both stand in the store
 * sealed by the master key. A dump of the store without the master key opens nothing (catalogue SG-14).
 *
 * Sealed text is `v1.<data key id>.<nonce>.<ciphertext and tag>`; purpose and row are authenticated
 * with it, and each purpose has a subkey of its own, so a sealed value opens only where it was put
 * (catalogue SG-11, CD-16).
 */
import type { KeyObject } from 'node:crypto'
import { OAuthError } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import { hmacSha256, type Random, systemRandom } from '../platform/crypto.ts'
import { decryptText, deriveKey, encryptText } from './envelope.ts'
import { type Vault, vaults } from './records/vault.ts'
import type { Sealer } from './sealer.ts'
import { toStartError } from './start-error.ts'
import type { Store } from './store.ts'

/** What a sealer is made of. */
export interface SealerOptions {
  store: Store
  /** At least 32 bytes of real randomness. */
  masterKey: Uint8Array
  clock: Clock
  /** Default: the operating system's. */
  random?: Random
}

const minimumMasterKeyBytes = 32

/**
 * Opens the vault of a store, or creates it at the first start; processes that start at the same time
 * agree on one (catalogue HA-07).
 *
 * @throws TypeError when the master key is shorter than 32 bytes
 * @throws Error `StartError` when the master key is not the one that the store was created with, or
 *   the vault was altered
 */
export async function createSealer(options: SealerOptions): Promise<Sealer> {
  const { store, masterKey, clock, random = systemRandom } = options
  if (masterKey.length < minimumMasterKeyBytes) {
    throw new TypeError(`The master key must have at least 32 bytes, not ${masterKey.length}`)
  }
  const known = (await vaults.find(store, 'self'))?.value
  const vault = known ?? (await claimVault(store, createVault(masterKey, clock, random)))
  return toSealer(openVault(vault, masterKey), random)
}

/** Writes the vault unless another process was faster; returns the one that counts. */
async function claimVault(store: Store, vault: Vault): Promise<Vault> {
  const key = vaults.key('self')
  const check = [{ key, version: null }]
  if (await store.commit({ check, set: [vaults.write(key, vault)] })) return vault
  return (await vaults.find(store, 'self'))?.value ?? vault
}

function createVault(masterKey: Uint8Array, clock: Clock, random: Random): Vault {
  const sealKey = (row: string): string =>
    encryptText(deriveKey(masterKey, 'vault'), row, random(32), random)
  const id = random(6)
  return {
    masterKeyId: toMasterKeyId(masterKey),
    currentDataKeyId: id,
    dataKeys: [{ id, sealedKey: sealKey(`data-key/${id}`), createdAt: clock.now() }],
    sealedIndexKey: sealKey('index-key'),
  }
}

/** The keys of a vault, opened. */
interface OpenVault {
  readonly currentDataKeyId: string
  readonly dataKeys: ReadonlyMap<string, Uint8Array>
  readonly indexKey: Uint8Array
}

function openVault(vault: Vault, masterKey: Uint8Array): OpenVault {
  const masterKeyId = toMasterKeyId(masterKey)
  if (vault.masterKeyId !== masterKeyId) {
    throw toStartError(
      `The master key is not the one this store was created with (given ${masterKeyId}, needed ${vault.masterKeyId}); ` +
        'start with that key, or with an empty store',
    )
  }
  const openKey = (row: string, sealed: string): Uint8Array => {
    const text = decryptText(deriveKey(masterKey, 'vault'), row, sealed)
    if (text !== undefined) return Buffer.from(text, 'base64url')
    throw toStartError(
      'The sealing keys in the store were altered; restore the store from a backup',
    )
  }
  return {
    currentDataKeyId: vault.currentDataKeyId,
    dataKeys: new Map(vault.dataKeys.map((k) => [k.id, openKey(`data-key/${k.id}`, k.sealedKey)])),
    indexKey: openKey('index-key', vault.sealedIndexKey),
  }
}

function toMasterKeyId(masterKey: Uint8Array): string {
  return deriveKey(masterKey, 'master key id').export().toString('base64url').slice(0, 11)
}

function toSealer(vault: OpenVault, random: Random): Sealer {
  const sealKeys = new Map<string, KeyObject>()
  const indexKeys = new Map<string, KeyObject>()

  const findSealKey = (keyId: string, purpose: string): KeyObject | undefined => {
    const dataKey = vault.dataKeys.get(keyId)
    return (
      dataKey &&
      remember(sealKeys, `${keyId} ${purpose}`, () => deriveKey(dataKey, `seal ${purpose}`))
    )
  }

  return {
    seal(purpose, row, plaintext) {
      const keyId = vault.currentDataKeyId
      const key = findSealKey(keyId, purpose)
      if (!key) throw new TypeError(`The vault has no data key ${keyId}`)
      return `v1.${keyId}.${encryptText(key, toContext(purpose, row), plaintext, random)}`
    },
    open(purpose, row, sealed) {
      const [, keyId = '', body = ''] = /^v1\.([\w-]{1,64})\.(.*)$/s.exec(sealed) ?? []
      const key = findSealKey(keyId, purpose)
      const plaintext = key && decryptText(key, toContext(purpose, row), body)
      if (plaintext === undefined) throw unsealable()
      return plaintext
    },
    index(purpose, value) {
      const key = remember(indexKeys, purpose, () => deriveKey(vault.indexKey, `index ${purpose}`))
      return hmacSha256(key, value)
    },
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
