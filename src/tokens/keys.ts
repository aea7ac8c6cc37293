/**
 * The key ring: which keys sign and verify tokens (RFC 7517, RFC 9068).
 *
 * Keys are made at the first start and kept in the store, the private part sealed. The ring holds them
 * in memory; a job reads them again on a hint and once a minute, so that every process publishes a new
 * key long before any process signs with it (`key-rotation.ts`). Every key has one algorithm, which no
 * token header can change (catalogue JW-02).
 */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { JWK, JWTPayload } from 'jose'
import { OAuthError, unavailable } from '../errors.ts'
import type { Log } from '../platform/ports.ts'
import { type SigningAlgorithm, type SigningKey, signingKeys } from '../storage/records/key.ts'
import type { Stored } from '../storage/records/record.ts'
import { longestTrustSeconds } from '../storage/sealed.ts'
import { createSharedReading } from '../storage/shared-reading.ts'
import { toStartError } from '../storage/start-error.ts'
import {
  addKey,
  findRingVersion,
  type KeyPorts,
  type KeyTime,
  listKeys,
  type OpenKey,
  openKey,
  toPublicJwk,
} from './key-records.ts'
import { findSigner, publishedSeconds } from './key-rotation.ts'
import { type ClaimsSigner, createClaimsSigner, type VerificationKey } from './key-signature.ts'

/** Signs with the current key; knows every key whose tokens may be alive. */
export interface KeyRing {
  /**
   * The public keys, for `GET /jwks`; the same object until they change. Never a private or symmetric
   * member.
   */
  jwks(): { keys: JWK[] }
  /** A compact JWS of the claims, with `kid` and the given `typ`. */
  sign(claims: JWTPayload, typ: string): Promise<string>
  /** The verification key of a `kid` and the one algorithm it is used with. Memory only. */
  find(kid: string): VerificationKey | undefined
  /**
   * Like {@link KeyRing.find}, but an unknown `kid` lets the ring read its keys again, at most once a
   * second however many ask: a process may have missed one, or be asked before it hears of one.
   *
   * @throws OAuthError `temporarily_unavailable` when the store cannot be asked
   */
  resolve(kid: string): Promise<VerificationKey | undefined>
  /** Learns which keys other processes made or removed. A job calls it; requests never wait for it. */
  reread(): Promise<void>
}

/** What a key ring is made of. */
export interface KeyRingOptions extends KeyPorts {
  /** Default ES256. */
  algorithm?: SigningAlgorithm
  /** Told of keys that were altered while the ring was in use. */
  log?: Log
}

/**
 * How old the ring may be when a `kid` is unknown, in seconds: shorter than anybody may take to hear of a
 * key that replaces a revoked one, and so signs at once.
 */
const freshSeconds = 1

/**
 * Loads the keys of the store and makes the first one where there is none for the algorithm. Processes
 * that start at the same time agree on one (catalogue HA-07).
 *
 * @throws Error `StartError` when a key was altered or the processes cannot agree
 */
export async function createKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const { clock, algorithm = 'ES256' } = options
  let ring = await loadRing(options, algorithm)
  let failedAt = Number.NEGATIVE_INFINITY

  const read = async (): Promise<void> => {
    const readAt = clock.now()
    const version = await findRingVersion(options.store)
    if (version === ring.version) ring = { ...ring, readAt }
    else ring = toRing(await readKeys(options, ring.keys), version, readAt)
  }
  const reading = createSharedReading(() =>
    read().catch((error: unknown) => {
      failedAt = clock.now()
      throw error
    }),
  )
  const find = (kid: string): VerificationKey | undefined =>
    ring.keys.find((key) => key.kid === kid)?.verification

  return {
    jwks: () => ring.published,
    find,
    reread: reading.afresh,
    async resolve(kid) {
      const known = find(kid)
      if (known || clock.now() - ring.readAt < freshSeconds) return known
      if (clock.now() - failedAt < freshSeconds) throw unavailable('signing_keys_unknown')
      await reading.join()
      return find(kid)
    },
    async sign(claims, typ) {
      if (clock.now() - ring.readAt > longestTrustSeconds) await reading.afresh()
      const signer = findSigner(ring.keys, algorithm, clock.now())
      if (!signer) throw new TypeError('The key ring is empty')
      return signer.sign(claims, typ)
    },
  }
}

/** A key in use. */
interface RingKey extends KeyTime {
  readonly sign: ClaimsSigner
  readonly verification: VerificationKey
  readonly published: JWK
}

/** The keys as they were last read. */
interface Ring {
  readonly keys: readonly RingKey[]
  readonly published: { keys: JWK[] }
  readonly version: number | null
  /** Unix seconds. */
  readonly readAt: number
}

function toRing(keys: readonly RingKey[], version: number | null, readAt: number): Ring {
  return { keys, published: { keys: keys.map(({ published }) => published) }, version, readAt }
}

const startAttempts = 5

async function loadRing(options: KeyRingOptions, algorithm: SigningAlgorithm): Promise<Ring> {
  const { store, sealer, clock } = options
  for (let attempt = 0; attempt < startAttempts; attempt++) {
    const readAt = clock.now()
    // The state before the keys: a change in between makes the commit below fail.
    const version = await findRingVersion(store)
    const keys = (await listKeys(store)).map((record) => toRingKey(openKey(record, sealer)))
    if (keys.some(({ alg }) => alg === algorithm)) return toRing(keys, version, readAt)
    // The first key of all is in nobody's cache yet; one of another algorithm is published first.
    const activeAt = keys.length === 0 ? readAt : readAt + publishedSeconds
    await addKey(options, { alg: algorithm, activeAt }, version)
  }
  throw toStartError(
    'The processes starting on this store cannot agree on a signing key; start again',
  )
}

/** The keys as they are now. One that was altered is left out, and does not keep us from the others. */
async function readKeys(options: KeyRingOptions, known: readonly RingKey[]): Promise<RingKey[]> {
  const open = (record: Stored<SigningKey>): RingKey[] => {
    const same = known.find(({ kid }) => signingKeys.key(kid) === record.key)
    if (same) return [same]
    try {
      return [toRingKey(openKey(record, options.sealer))]
    } catch (error) {
      if (error instanceof OAuthError) throw error
      options.log?.error('A signing key in the store was altered and is not used', { error })
      return []
    }
  }
  return (await listKeys(options.store)).flatMap(open)
}

function toRingKey({ jwk, ...time }: OpenKey): RingKey {
  const { kid, alg } = time
  const publicJwk = toPublicJwk(jwk)
  return {
    ...time,
    sign: createClaimsSigner(createPrivateKey({ key: jwk, format: 'jwk' }), { alg, kid }),
    verification: { key: createPublicKey({ key: publicJwk, format: 'jwk' }), alg },
    published: { ...publicJwk, kid, alg, use: 'sig' },
  }
}
