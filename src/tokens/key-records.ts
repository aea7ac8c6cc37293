/**
 * Signing keys in the store: reading, adding, removing.
 *
 * What is trusted is the sealed part alone: name, algorithm and public key are taken from it, so that
 * nobody who can write to the database can slip in a key. Every change of the set is one commit that
 * checks the state of the ring, so that processes change it one after the other (catalogue HA-07).
 */
import type { JWK } from 'jose'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { exportJWK } from 'jose/key/export'
import { generateKeyPair } from 'jose/key/generate/keypair'
import { OAuthError } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import { type SigningAlgorithm, type SigningKey, signingKeys } from '../storage/records/key.ts'
import { keyRings } from '../storage/records/key-ring.ts'
import type { Stored } from '../storage/records/record.ts'
import type { Sealer } from '../storage/sealer.ts'
import { toStartError } from '../storage/start-error.ts'
import type { Store } from '../storage/store.ts'

/** What signing keys are read and made with. */
export interface KeyPorts {
  readonly store: Store
  readonly sealer: Sealer
  readonly clock: Clock
}

/** A signing key as its sealed part tells it, and its time. */
export interface OpenKey extends KeyTime {
  /** The private key. */
  readonly jwk: JWK
}

/** A signing key's name, algorithm and time; nothing secret. */
export interface KeyTime {
  readonly kid: string
  readonly alg: SigningAlgorithm
  /** Unix seconds. */
  readonly createdAt: number
  /** Unix seconds from which it signs. */
  readonly activeAt: number
}

/** The version of the set of keys; null before there is one. */
export async function findRingVersion(store: Store): Promise<number | null> {
  return (await keyRings.find(store, 'self'))?.version ?? null
}

/** Every signing key of the store, sealed, in the order of their names. */
export function listKeys(store: Store): Promise<Stored<SigningKey>[]> {
  return signingKeys.all(store)
}

/**
 * Opens a key.
 *
 * @throws Error `StartError` when it was altered; OAuthError when the vault must be read first
 */
export function openKey({ key, value }: Stored<SigningKey>, sealer: Sealer): OpenKey {
  try {
    const jwk = JSON.parse(sealer.open('signing-key', key, value.sealedPrivateJwk)) as JWK
    return { ...toTime(value), ...parseNames(jwk), jwk }
  } catch (cause) {
    if (cause instanceof OAuthError && cause.code === 'temporarily_unavailable') throw cause
    throw toStartError(
      `The signing key ${value.kid} in the store was altered; restore the store from a backup`,
      cause,
    )
  }
}

/** What the record says of itself, unsealed. */
export function toTime({ kid, alg, createdAt, activeAt = createdAt }: SigningKey): KeyTime {
  return { kid, alg, createdAt, activeAt }
}

const algorithms: readonly SigningAlgorithm[] = ['ES256', 'EdDSA', 'RS256']

/** Name and algorithm as sealed, whatever the record around them shows. */
function parseNames({ kid, alg: name }: JWK): { kid: string; alg: SigningAlgorithm } {
  const alg = algorithms.find((known) => known === name)
  if (!kid || !alg) throw new TypeError(`No key has the name ${kid} and the algorithm ${name}`)
  return { kid, alg }
}

/**
 * Makes a key and adds it to the set.
 *
 * @param ringVersion the version of the set that was looked at
 * @returns the key's name and time; undefined when another process changed the set meanwhile
 */
export async function addKey(
  { store, sealer, clock }: KeyPorts,
  { alg, activeAt }: Pick<KeyTime, 'alg' | 'activeAt'>,
  ringVersion: number | null,
): Promise<KeyTime | undefined> {
  const createdAt = clock.now()
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 })
  const jwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(jwk)
  const key = signingKeys.key(kid)
  const time = { kid, alg, createdAt, activeAt }
  const sealedPrivateJwk = sealer.seal('signing-key', key, JSON.stringify({ ...jwk, alg, kid }))
  const record: SigningKey = { ...time, publicJwk: toPublicJwk(jwk), sealedPrivateJwk }
  const added = await store.commit({
    check: [toRingCheck(ringVersion)],
    set: [toRingWrite(time.createdAt), signingKeys.write(key, record)],
  })
  return added ? time : undefined
}

/** Removes keys from the set; false when another process changed it meanwhile. */
export function removeKeys(
  { store, clock }: Pick<KeyPorts, 'store' | 'clock'>,
  kids: readonly string[],
  ringVersion: number | null,
): Promise<boolean> {
  return store.commit({
    check: [toRingCheck(ringVersion)],
    set: [toRingWrite(clock.now())],
    delete: kids.map((kid) => signingKeys.key(kid)),
  })
}

function toRingCheck(version: number | null) {
  return { key: keyRings.key('self'), version }
}

function toRingWrite(changedAt: number) {
  return keyRings.write(keyRings.key('self'), { changedAt })
}

/** The members that may be published, named one by one so that no private one slips through. */
export function toPublicJwk({ kty, crv, x, y, n, e }: JWK): JWK {
  if (kty === 'EC') return { kty, crv, x, y }
  if (kty === 'OKP') return { kty, crv, x }
  return { kty, n, e }
}
