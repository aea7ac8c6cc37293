/** Time is handed in, so that no test sleeps and no rule reads the machine's clock by itself. */
export interface Clock {
  /** Unix time in whole seconds. */
  now(): number
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Math.floor(Date.now() / 1000) }
