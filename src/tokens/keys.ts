/**
 * The key ring: which keys sign and verify tokens (RFC 7517, RFC 9068).
 *
 * Keys are made at the first start and kept in the store, the private part sealed. What is trusted is
 * the sealed part alone: the public key is taken from it, so that nobody who can write to the database
 * can slip in a key. Every key has one algorithm, which no token header can change (catalogue JW-02).
 */
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  SignJWT,
} from 'jose'
import type { Clock } from '../platform/clock.ts'
import { type SigningAlgorithm, type SigningKey, signingKeys } from '../storage/records/key.ts'
import { keyRings } from '../storage/records/key-ring.ts'
import type { Stored } from '../storage/records/record.ts'
import type { Sealer } from '../storage/sealer.ts'
import { toStartError } from '../storage/start-error.ts'
import type { Store } from '../storage/store.ts'

/** Signs with the current key; knows every key whose tokens may be alive. */
export interface KeyRing {
  /** The public keys, for `GET /jwks`. Never a private or symmetric member. */
  jwks(): { keys: JWK[] }
  /** A compact JWS of the claims, with `kid` and the given `typ`. */
  sign(claims: JWTPayload, typ: string): Promise<string>
  /** The verification key of a `kid` and the one algorithm it is used with. */
  find(kid: string): { key: CryptoKey; alg: string } | undefined
}

/** What a key ring is made of. */
export interface KeyRingOptions {
  store: Store
  sealer: Sealer
  clock: Clock
  /** Default ES256. */
  algorithm?: SigningAlgorithm
}

/**
 * Loads the keys of the store and makes the first one where there is none for the algorithm. Processes
 * that start at the same time agree on one (catalogue HA-07).
 *
 * @throws Error `StartError` when a key was altered or the processes cannot agree
 */
export async function createKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const algorithm = options.algorithm ?? 'ES256'
  const keys = await loadKeys(options, algorithm)
  const publicKeys = new Map<string, { key: CryptoKey; alg: string }>()
  for (const { kid, alg, jwk } of keys) {
    publicKeys.set(kid, { key: await importKey(toPublicJwk(jwk), alg), alg })
  }
  const signer = chooseSigner(keys, algorithm)
  if (!signer) throw toStartError(`The store has no ${algorithm} signing key`)
  const { kid, alg } = signer
  const privateKey = await importKey(signer.jwk, alg)
  const published = { keys: keys.map(toPublished) }

  return {
    jwks: () => published,
    sign: (claims, typ) =>
      new SignJWT(claims).setProtectedHeader({ alg, kid, typ }).sign(privateKey),
    find: (id) => publicKeys.get(id),
  }
}

/** A signing key as its sealed part tells it. */
interface OpenKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly jwk: JWK
  readonly createdAt: number
}

/** The key that signs: the newest of the algorithm. A function of the stored keys, the same everywhere. */
function chooseSigner(keys: readonly OpenKey[], algorithm: SigningAlgorithm): OpenKey | undefined {
  const candidates = keys.filter((key) => key.alg === algorithm)
  return candidates.sort((a, b) => b.createdAt - a.createdAt || (a.kid < b.kid ? -1 : 1))[0]
}

const startAttempts = 5

async function loadKeys(options: KeyRingOptions, algorithm: SigningAlgorithm): Promise<OpenKey[]> {
  for (let attempt = 0; attempt < startAttempts; attempt++) {
    // The state before the keys: a change in between makes the commit below fail.
    const state = await keyRings.find(options.store, 'self')
    const keys = (await listKeys(options.store)).map((record) => openKey(record, options.sealer))
    if (chooseSigner(keys, algorithm)) return keys
    await addKey(options, algorithm, state?.version ?? null)
  }
  throw toStartError(
    'The processes starting on this store cannot agree on a signing key; start again',
  )
}

async function addKey(
  { store, sealer, clock }: KeyRingOptions,
  alg: SigningAlgorithm,
  stateVersion: number | null,
): Promise<void> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 })
  const jwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(jwk)
  const key = signingKeys.key(kid)
  const createdAt = clock.now()
  const record: SigningKey = {
    kid,
    alg,
    publicJwk: toPublicJwk(jwk),
    sealedPrivateJwk: sealer.seal('signing-key', key, JSON.stringify({ ...jwk, alg, kid })),
    createdAt,
  }
  const stateKey = keyRings.key('self')
  await store.commit({
    check: [{ key: stateKey, version: stateVersion }],
    set: [keyRings.write(stateKey, { changedAt: createdAt }), signingKeys.write(key, record)],
  })
}

async function listKeys(store: Store): Promise<Stored<SigningKey>[]> {
  const found: Stored<SigningKey>[] = []
  for (;;) {
    const page = await signingKeys.list(store, [], { after: found.at(-1)?.key })
    found.push(...page)
    if (page.length === 0) return found
  }
}

function openKey({ key, value }: Stored<SigningKey>, sealer: Sealer): OpenKey {
  try {
    const jwk = JSON.parse(sealer.open('signing-key', key, value.sealedPrivateJwk)) as JWK
    return { jwk, ...parseNames(jwk), createdAt: value.createdAt }
  } catch (cause) {
    throw toStartError(
      `The signing key ${value.kid} in the store was altered; restore the store from a backup`,
      cause,
    )
  }
}

const algorithms: readonly SigningAlgorithm[] = ['ES256', 'EdDSA', 'RS256']

/** Name and algorithm as sealed, whatever the record around them shows. */
function parseNames({ kid, alg: name }: JWK): { kid: string; alg: SigningAlgorithm } {
  const alg = algorithms.find((known) => known === name)
  if (!kid || !alg) throw new TypeError(`No key has the name ${kid} and the algorithm ${name}`)
  return { kid, alg }
}

async function importKey(jwk: JWK, alg: SigningAlgorithm): Promise<CryptoKey> {
  const key = await importJWK(jwk, alg)
  if (key instanceof Uint8Array) throw new TypeError('A symmetric key cannot sign tokens')
  return key
}

/** The members that may be published, named one by one so that no private one slips through. */
function toPublicJwk({ kty, crv, x, y, n, e }: JWK): JWK {
  if (kty === 'EC') return { kty, crv, x, y }
  if (kty === 'OKP') return { kty, crv, x }
  return { kty, n, e }
}

function toPublished({ jwk, kid, alg }: OpenKey): JWK {
  return { ...toPublicJwk(jwk), kid, alg, use: 'sig' }
}
