/** The vault as it is written: data keys and index key, each sealed by the master key in its own place. */
import type { Clock } from '../platform/clock.ts'
import type { Random } from '../platform/crypto.ts'
import { decryptText, deriveKey, encryptText } from './envelope.ts'
import type { SealedDataKey, Vault } from './records/vault.ts'
import { toStartError } from './start-error.ts'

/** What new keys are made of. */
export interface VaultPorts {
  readonly masterKey: Uint8Array
  readonly clock: Clock
  readonly random: Random
}

const keyBytes = 32
const idBytes = 6
const indexKeyRow = 'index-key'

/** A vault with one data key, in use from now on. */
export function createVault(ports: VaultPorts): Vault {
  const { masterKey, random, clock } = ports
  return {
    masterKeyId: toMasterKeyId(masterKey),
    dataKeys: [createDataKey(ports, clock.now())],
    sealedIndexKey: seal(masterKey, indexKeyRow, random(keyBytes), random),
  }
}

/** A new data key that seals values from `activeAt` on. */
export function createDataKey(
  { masterKey, clock, random }: VaultPorts,
  activeAt: number,
): SealedDataKey {
  const id = random(idBytes)
  const sealedKey = seal(masterKey, toDataKeyRow(id), random(keyBytes), random)
  return { id, sealedKey, createdAt: clock.now(), activeAt }
}

/**
 * The bytes of a data key.
 *
 * @throws Error `StartError` when it was altered
 */
export function openDataKey({ id, sealedKey }: SealedDataKey, masterKey: Uint8Array): Uint8Array {
  return Buffer.from(open(masterKey, toDataKeyRow(id), sealedKey), 'base64url')
}

/**
 * The bytes of the index key.
 *
 * @throws Error `StartError` when it was altered
 */
export function openIndexKey({ sealedIndexKey }: Vault, masterKey: Uint8Array): Uint8Array {
  return Buffer.from(open(masterKey, indexKeyRow, sealedIndexKey), 'base64url')
}

/**
 * The same keys under another master key. What they sealed stays as it is.
 *
 * @throws Error `StartError` when one of them was altered
 */
export function changeMasterKey(
  vault: Vault,
  { from, to, random }: { from: Uint8Array; to: Uint8Array; random: Random },
): Vault {
  const move = (row: string, sealed: string): string =>
    seal(to, row, open(from, row, sealed), random)
  return {
    ...vault,
    masterKeyId: toMasterKeyId(to),
    dataKeys: vault.dataKeys.map((key) => ({
      ...key,
      sealedKey: move(toDataKeyRow(key.id), key.sealedKey),
    })),
    sealedIndexKey: move(indexKeyRow, vault.sealedIndexKey),
  }
}

/** The name of a master key, which tells nothing about it. */
export function toMasterKeyId(masterKey: Uint8Array): string {
  return deriveKey(masterKey, 'master key id').export().toString('base64url').slice(0, 11)
}

function toDataKeyRow(id: string): string {
  return `data-key/${id}`
}

function seal(masterKey: Uint8Array, row: string, text: string, random: Random): string {
  return encryptText(deriveKey(masterKey, 'vault'), row, text, random)
}

function open(masterKey: Uint8Array, row: string, sealed: string): string {
  const text = decryptText(deriveKey(masterKey, 'vault'), row, sealed)
  if (text !== undefined) return text
  throw toStartError('The sealing keys in the store were altered; restore the store from a backup')
}
