/** Work that is done beside requests: expired keys are removed without anyone asking (A5). */
import type { Log } from '../platform/ports.ts'
import type { Store } from '../storage/store.ts'

/** Expired keys removed at a time: small, so that no request waits behind a sweep. */
const sliceSize = 500
/** Slices in one round; what is left waits for the next. */
const slicesPerRound = 20
/** Seconds between rounds, before jitter. */
const roundSeconds = 60

/** What sweeping needs. */
export interface SweepingOptions {
  store: Store
  log: Log
  /** A number from 0 to below 1 that spreads the rounds of many processes. Default `Math.random`. */
  jitter?: () => number
}

/** A job that runs until it is stopped. */
export interface Job {
  /** Resolves when the round in progress, if any, has ended. */
  stop(): Promise<void>
}

/** Removes expired keys about once a minute. The timer does not keep the process alive. */
export function startSweeping({ store, log, jitter = Math.random }: SweepingOptions): Job {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let round: Promise<void> = Promise.resolve()

  const schedule = (): void => {
    if (stopped) return
    const seconds = roundSeconds * (0.75 + jitter() / 2)
    timer = setTimeout(() => {
      round = sweep().then(schedule)
    }, seconds * 1000)
    timer.unref()
  }
  const sweep = async (): Promise<void> => {
    try {
      for (let slice = 0; slice < slicesPerRound && !stopped; slice += 1) {
        if ((await store.sweep(sliceSize)) < sliceSize) return
      }
    } catch (error) {
      log.warn('Expired keys could not be removed; trying again in a minute', { error })
    }
  }

  schedule()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await round
    },
  }
}
