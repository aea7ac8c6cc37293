/**
 * What the doctor saw: one request that was sent, and what came of it.
 *
 * Everything the doctor says rests on these, so they hold all that a colleague needs to believe it. Secrets
 * are masked when an observation is made, so that no report can leak one.
 */
import type { ProbeFailure } from '../platform/probe-failure.ts'

export type { HostFacts } from '../platform/inspect-host.ts'

/** Why there was no answer. */
export type Failure = ProbeFailure

/** A request as it was sent. Header names are lower case. */
export interface SentRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** As text; masked. */
  readonly body?: string
}

/** An answer as it came. Nothing is followed, nothing repeated. */
export interface SeenResponse {
  readonly status: number
  /** Names in lower case; several fields of a name are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** The first 64 KiB as text; masked. Of a stream that stays open, what had come. */
  readonly body: string
  /** The body parsed, when it is JSON whatever its content type says. */
  readonly json?: unknown
}

/** One request and what came of it. */
export interface Observation {
  readonly request: SentRequest
  readonly response?: SeenResponse
  readonly failure?: Failure
  /** Milliseconds until the answer had come. */
  readonly milliseconds: number
}

/** Sends one request of the walk. Never follows a redirect; throws only TypeError, when the budget is spent. */
export type Probe = (request: SentRequest) => Promise<Observation>
