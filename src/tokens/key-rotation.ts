/**
 * When signing keys come and go. Times only: who reads, makes and removes them is `key-records.ts`.
 *
 * ```text
 * made ── published: in /jwks ──▶ active: signs ── a later one is active ──▶ verifies ──▶ removed
 *   └── twice the caches' lifetime ──┘              └── until no token of it can be alive ──┘
 * ```
 *
 * Everything is a function of the stored keys and the clock, so that every process says the same
 * without asking another one.
 */
import type { SigningAlgorithm } from '../storage/records/key.ts'
import { longestTrustSeconds } from '../storage/sealed.ts'
import {
  addKey,
  findRingVersion,
  type KeyPorts,
  type KeyTime,
  listKeys,
  removeKeys,
  toTime,
} from './key-records.ts'

/** For how long `GET /jwks` may be cached, in seconds. */
export const keySetCacheSeconds = 300

/** How long another process may take to learn of a key and publish it too, in seconds. */
const learningSeconds = 60

/** How long a key is published before it signs: at least twice what caches keep (catalogue DI-14). */
export const publishedSeconds = 2 * keySetCacheSeconds + learningSeconds

/** The same when it cannot wait: every process has heard of it, but caches may not have. */
const hurriedSeconds = 10

/** Clocks of processes may differ so much, in seconds. */
const skewSeconds = 60

/** How signing keys are kept. */
export interface RotationRules {
  /** New keys are of this algorithm. */
  readonly algorithm: SigningAlgorithm
  /** For how long a key signs, in seconds. */
  readonly rotationSeconds: number
  /** For how long a token lives at most, in seconds. */
  readonly tokenSeconds: number
}

/** What a change of the set came to. */
export interface RingChange {
  readonly added?: KeyTime
  /** Names of keys. */
  readonly removed?: readonly string[]
}

/** The key that signs now: the newest active one of the algorithm, else of any, else the first to come. */
export function findSigner<T extends KeyTime>(
  keys: readonly T[],
  algorithm: SigningAlgorithm,
  now: number,
): T | undefined {
  const active = keys.filter((key) => key.activeAt <= now)
  const own = active.filter((key) => key.alg === algorithm)
  const [newest] = (own.length > 0 ? own : active).toSorted(byNewest)
  return newest ?? keys.toSorted(byNewest).at(-1)
}

function byNewest(a: KeyTime, b: KeyTime): number {
  return b.activeAt - a.activeAt || (a.kid < b.kid ? -1 : 1)
}

/**
 * When a key stops signing, in unix seconds; undefined while nothing takes its place.
 *
 * A key of another algorithm than ours has no successor; a process that still signed with it would
 * have replaced it after the usual time.
 */
export function findEnd(
  key: KeyTime,
  keys: readonly KeyTime[],
  { algorithm, rotationSeconds }: RotationRules,
): number | undefined {
  const later = keys.filter((one) => byNewest(one, key) < 0)
  const successor = later
    .filter(({ alg }) => alg === key.alg)
    .toSorted(byNewest)
    .at(-1)
  if (successor) return successor.activeAt
  return key.alg !== algorithm && later.length > 0 ? key.activeAt + rotationSeconds : undefined
}

/** From when on no token of a key can be alive, in unix seconds; undefined while it may sign. */
export function findRemoval(
  key: KeyTime,
  keys: readonly KeyTime[],
  rules: RotationRules,
): number | undefined {
  const end = findEnd(key, keys, rules)
  return end === undefined
    ? undefined
    : end + longestTrustSeconds + rules.tokenSeconds + skewSeconds
}

/**
 * Makes the next key when its time has come and removes those whose tokens are all dead. Safe in many
 * processes at once: one of them wins, the others find it done.
 */
export async function keepKeys(ports: KeyPorts, rules: RotationRules): Promise<RingChange> {
  const { store, clock } = ports
  // The state before the keys: a change in between makes the commit below fail.
  const version = await findRingVersion(store)
  const keys = (await listKeys(store)).map(({ value }) => toTime(value))
  const now = clock.now()
  if (isNextDue(keys, rules, now)) {
    const activeAt = now + publishedSeconds
    const added = await addKey(ports, { alg: rules.algorithm, activeAt }, version)
    return added ? { added } : {}
  }
  const dead = keys.filter((key) => (findRemoval(key, keys, rules) ?? now + 1) <= now)
  const removed = dead.map(({ kid }) => kid)
  if (removed.length === 0) return {}
  return (await removeKeys(ports, removed, version)) ? { removed } : {}
}

function isNextDue(
  keys: readonly KeyTime[],
  { algorithm, rotationSeconds }: RotationRules,
  now: number,
): boolean {
  const [newest] = keys.filter(({ alg }) => alg === algorithm).toSorted(byNewest)
  return newest === undefined || now >= newest.activeAt + rotationSeconds - publishedSeconds
}

/** Attempts against other processes that change the set. */
const rotateAttempts = 5

/**
 * Makes the next key ahead of its time.
 *
 * @param isUrgent sign with it in ten seconds: verifiers that cache our keys refuse its tokens for up
 *   to five minutes
 * @returns the key; undefined when other processes kept coming first
 */
export async function rotateKey(
  ports: KeyPorts,
  alg: SigningAlgorithm,
  isUrgent: boolean,
): Promise<KeyTime | undefined> {
  for (let attempt = 0; attempt < rotateAttempts; attempt++) {
    const version = await findRingVersion(ports.store)
    const activeAt = ports.clock.now() + (isUrgent ? hurriedSeconds : publishedSeconds)
    const added = await addKey(ports, { alg, activeAt }, version)
    if (added) return added
  }
  return undefined
}

/**
 * Removes a key at once, because somebody else may have it: its tokens are refused from then on.
 *
 * The newest of the keys that are left signs, as verifiers know it already; when none is left, one is made
 * first, which signs at once. Cut short, it can be repeated.
 *
 * @returns the key made, if any, and the key removed, if it was there; undefined when other processes kept
 *   changing the set
 */
export async function revokeKey(
  ports: KeyPorts,
  kid: string,
  alg: SigningAlgorithm,
): Promise<RingChange | undefined> {
  let added: KeyTime | undefined
  for (let attempt = 0; attempt < rotateAttempts; attempt++) {
    const version = await findRingVersion(ports.store)
    const kids = (await listKeys(ports.store)).map(({ value }) => value.kid)
    if (!kids.includes(kid)) return {}
    if (kids.length > 1) {
      if (await removeKeys(ports, [kid], version))
        return { ...(added && { added }), removed: [kid] }
      continue
    }
    added = await addKey(ports, { alg, activeAt: ports.clock.now() }, version)
  }
  return undefined
}
