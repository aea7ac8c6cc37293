/**
 * Work that is done beside requests: expired keys are removed without anyone asking (A5), signing keys
 * and data keys are renewed, every process learns of it, identity providers are told to revoke, and what
 * commands did is written down.
 */
import { revokeDue, type UpstreamRevocationPorts } from '../identity/custody-revocation.ts'
import type { Log } from '../platform/ports.ts'
import { auditNotes } from '../storage/records/audit-note.ts'
import { keyRings } from '../storage/records/key-ring.ts'
import { upstreamRevocations } from '../storage/records/upstream-revocation.ts'
import { vaults } from '../storage/records/vault.ts'
import { type ResealingPorts, resealSlice } from '../storage/sealed-rotation.ts'
import { createSharedReading } from '../storage/shared-reading.ts'
import type { Store } from '../storage/store.ts'
import type { KeyPorts } from '../tokens/key-records.ts'
import { keepKeys, type RotationRules } from '../tokens/key-rotation.ts'
import type { KeyRing } from '../tokens/keys.ts'
import { rereadSeconds } from '../tokens/revocations.ts'
import { type AuditNotePorts, writeAuditNotes } from './audit-notes.ts'

/** Expired keys removed at a time: small, so that no request waits behind a sweep. */
const sliceSize = 500
/** Slices in one round; what is left waits for the next. */
const slicesPerRound = 20
/** Seconds between rounds, before jitter. */
const roundSeconds = 60
/** Seconds before the first round of looking after keys: also a process that lives shortly does its part. */
const firstRoundSeconds = 20
/** Milliseconds between two slices of re-sealing. */
const slicePauseMilliseconds = 20

/** A job that runs until it is stopped. */
export interface Job {
  /** Resolves when the round in progress, if any, has ended. */
  stop(): Promise<void>
}

/** What every job needs. */
interface JobOptions {
  readonly log: Log
  /** A number from 0 to below 1 that spreads the rounds of many processes. Default `Math.random`. */
  jitter?: () => number
}

/** What sweeping needs. */
export interface SweepingOptions extends JobOptions {
  store: Store
}

/** Removes expired keys about once a minute. The timer does not keep the process alive. */
export function startSweeping({ store, log, jitter }: SweepingOptions): Job {
  return startRounds({
    log,
    jitter,
    failure: 'Expired keys could not be removed; trying again in a minute',
    work: async (isStopped) => {
      for (let slice = 0; slice < slicesPerRound && !isStopped(); slice += 1) {
        if ((await store.sweep(sliceSize)) < sliceSize) return
      }
    },
  })
}

/** What looking after keys needs. */
export interface KeyKeepingOptions extends JobOptions, KeyPorts, ResealingPorts {
  keys: KeyRing
  rules: RotationRules
}

/**
 * Looks after keys about once a minute: learns of changes, makes and removes signing keys, brings old
 * values under the newest data key. Learns of a change at once where the store gives a hint.
 */
export function startKeyKeeping(options: KeyKeepingOptions): Job {
  const learning = startLearning(options)
  const rounds = startRounds({
    ...options,
    firstSeconds: firstRoundSeconds,
    failure: 'Keys could not be looked after; trying again in a minute',
    work: async (isStopped) => {
      await learning.learn()
      await keepSigningKeys(options)
      for (let slice = 0; slice < slicesPerRound && !isStopped(); slice += 1) {
        if (!(await resealSlice(options))) return
        await new Promise((resolve) => setTimeout(resolve, slicePauseMilliseconds))
      }
    },
  })
  return {
    async stop() {
      learning.stop()
      await rounds.stop()
    },
  }
}

async function keepSigningKeys(options: KeyKeepingOptions): Promise<void> {
  const { added, removed } = await keepKeys(options, options.rules)
  if (!added && !removed) return
  const { log, keys } = options
  if (added) log.info('A new signing key was published', { kid: added.kid, from: added.activeAt })
  if (removed) log.info('Signing keys whose tokens are dead were removed', { kids: removed })
  await keys.reread()
}

/** Reads the keys again on every hint and as often as the ended grants, one reading after the other. */
function startLearning({ store, sealer, keys, log }: KeyKeepingOptions) {
  const reading = createSharedReading(async () => {
    // The vault first: a new signing key may be sealed with a new data key.
    await sealer.reread()
    await keys.reread()
  })
  let isStopped = false
  const learn = (): void => {
    reading.afresh().catch((error: unknown) => {
      if (isStopped) return
      log.warn('Keys could not be read; trying again in a minute', { error })
    })
  }
  const subscriptions = [vaults, keyRings].map((type) => store.subscribe(type.key(''), learn))
  const timer = setInterval(learn, rereadSeconds * 1000).unref()
  return {
    learn: reading.afresh,
    stop() {
      isStopped = true
      clearInterval(timer)
      for (const unsubscribe of subscriptions) unsubscribe()
    },
  }
}

/**
 * Revokes at identity providers what nothing here rests on any more: at once where the store gives a hint,
 * else about once a minute, which is also when what failed is tried again. Every provider by itself, so that
 * one that does not answer keeps none of the others waiting.
 */
export function startUpstreamRevocation(options: UpstreamRevocationPorts & JobOptions): Job {
  const jobs = [...options.upstreams.keys(), undefined].map((upstreamId) =>
    startErrands(options, {
      prefix: upstreamRevocations.key(''),
      failure: 'Identity providers could not be told to revoke; trying again in a minute',
      work: (isStopped) => revokeDue(options, upstreamId, isStopped),
    }),
  )
  return {
    async stop() {
      await Promise.all(jobs.map((job) => job.stop()))
    },
  }
}

/**
 * Removes about once an hour what registrations that came to nothing left at the identity provider.
 *
 * @param work one round of it
 */
export function startReaping(options: JobOptions, work: RoundOptions['work']): Job {
  return startRounds({
    ...options,
    everySeconds: 3600,
    firstSeconds: 600,
    failure: 'Applications at the identity provider could not be removed; trying again in an hour',
    work,
  })
}

/** Writes down what commands did: at once where the store gives a hint, else about once a minute. */
export function startAuditNotes(options: AuditNotePorts & JobOptions): Job {
  return startErrands(options, {
    prefix: auditNotes.key(''),
    failure: 'What commands did could not be written down; trying again in a minute',
    firstSeconds: 1,
    work: (isStopped) => writeAuditNotes(options, isStopped),
  })
}

/** Work that records in the store ask for. */
interface Errands {
  /** What their keys begin with. */
  readonly prefix: string
  /** What the log says when they could not be done. */
  readonly failure: string
  /** Seconds before the first round, before jitter. Default: as for keys. */
  readonly firstSeconds?: number
  work(isStopped: () => boolean): Promise<void>
}

/** Runs errands on each hint of the store and in rounds, one after the other. */
function startErrands(
  options: JobOptions & { readonly store: Store },
  { prefix, failure, firstSeconds = firstRoundSeconds, work }: Errands,
): Job {
  const { store, log } = options
  let isStopped = false
  const working = createSharedReading(() => work(() => isStopped))
  const rounds = startRounds({
    ...options,
    firstSeconds,
    failure,
    work: working.afresh,
  })
  const unsubscribe = store.subscribe(prefix, () => {
    working.afresh().catch((error: unknown) => {
      if (!isStopped) log.warn(failure, { error })
    })
  })
  return {
    async stop() {
      isStopped = true
      unsubscribe()
      await rounds.stop()
      await working.join().catch(() => undefined)
    },
  }
}

/** Work in rounds. */
interface RoundOptions {
  log: Log
  jitter?: (() => number) | undefined
  /** What the log says when a round fails. */
  failure: string
  /** Seconds between rounds, before jitter. Default: about a minute. */
  everySeconds?: number
  /** Seconds before the first round, before jitter. Default: as between rounds. */
  firstSeconds?: number
  work(isStopped: () => boolean): Promise<void>
}

/** One round after the other; a fault of the store ends a round, not the job. */
function startRounds({
  work,
  log,
  failure,
  jitter = Math.random,
  everySeconds = roundSeconds,
  firstSeconds,
}: RoundOptions): Job {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let round: Promise<void> = Promise.resolve()

  const schedule = (seconds: number): void => {
    if (stopped) return
    timer = setTimeout(
      () => {
        round = run().then(() => schedule(everySeconds))
      },
      seconds * (0.75 + jitter() / 2) * 1000,
    )
    timer.unref()
  }
  const run = async (): Promise<void> => {
    try {
      await work(() => stopped)
    } catch (error) {
      log.warn(failure, { error })
    }
  }

  schedule(firstSeconds ?? everySeconds)
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await round
    },
  }
}
