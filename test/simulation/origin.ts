/** Whose work is running: follows every promise and timer, so that a crash ends exactly what was its own. */
import { AsyncLocalStorage } from 'node:async_hooks'

/** A process of the simulated deployment. */
export interface Owner {
  readonly name: string
  isAlive: boolean
  /** Store operations of this process that failed. */
  faults: number
}

/** One request, and what befell it on the way. */
export interface RequestRecord {
  readonly name: string
  readonly owner: Owner
  /** Store operations of this request that failed. */
  faults: number
  /** Whether a commit of this request took effect, or still may. */
  mayHaveWritten: boolean
  /** Whether it ended a grant in its own process. */
  endedGrant: boolean
  /** Why the server refused it, as its log says. */
  reason?: string
  /** What was thrown, when that was no refusal. */
  cause?: Error
}

/** What the running code belongs to; nothing outside of the server under test. */
export interface Origin {
  readonly owner: Owner
  readonly request?: RequestRecord
}

export const origins = new AsyncLocalStorage<Origin>()
