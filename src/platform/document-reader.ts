/**
 * Reading strangers' documents in moderation: each at most once at a time, a failure not again at once,
 * and nobody can use us to bother a third party (catalogue CM-18, CM-20, CM-21).
 */
import { LRUCache } from 'lru-cache'
import { OAuthError } from '../errors.ts'
import type { Clock } from './clock.ts'
import type { FetchDocument, FetchedDocument, FetchProblem } from './pinned-fetch.ts'
import type { Limits } from './ports.ts'

/** Reads documents. */
export interface DocumentReader {
  /**
   * The document at a URL. Whoever asks while it is being read gets the same answer, and a failure is repeated
   * for 30 seconds without asking again.
   *
   * @param askedBy the network that made us read it
   * @throws OAuthError `temporarily_unavailable` with status 429 when this network had too many read, or too
   *   many were read from this host
   */
  read(url: string, askedBy: string): Promise<FetchedDocument | FetchProblem>
  /**
   * Makes sure that it is at most the host of a document of which too much was read.
   *
   * @throws OAuthError `temporarily_unavailable` with status 429 when this network, or everyone together, had
   *   too many read
   */
  verifyBudget(askedBy: string): Promise<void>
  /** Remembers, like a failure, that what was read is of no use. */
  dismiss(url: string): void
}

/** What reading takes. */
export interface DocumentReaderOptions {
  readonly fetchDocument: FetchDocument
  readonly limits: Limits
  readonly clock: Clock
}

/**
 * Our own limit as one more reason why a document cannot be read, for those who have something in its place:
 * nobody uses up the budget of a large vendor's host to lock its users out.
 */
export function toLimitProblem(error: unknown): FetchProblem {
  if (error instanceof OAuthError && error.status === 429) return { problem: 'limit' }
  throw error
}

/** How long a failure is repeated, in seconds, and how many are remembered. */
const failureSeconds = 30
const failuresKept = 1000

/** Builds one for the process. */
export function createDocumentReader(options: DocumentReaderOptions): DocumentReader {
  const { fetchDocument, limits, clock } = options
  const running = new Map<string, Promise<FetchedDocument | FetchProblem>>()
  const failures = new LRUCache<string, { problem: FetchProblem; until: number }>({
    max: failuresKept,
  })
  const remember = (url: string, problem: FetchProblem): void => {
    failures.set(url, { problem, until: clock.now() + failureSeconds })
  }
  const start = (url: string): Promise<FetchedDocument | FetchProblem> => {
    const reading = fetchDocument(url)
      .catch((error: unknown): FetchProblem => ({ problem: 'connection', detail: String(error) }))
      .then((outcome) => {
        if ('problem' in outcome) remember(url, outcome)
        return outcome
      })
      .finally(() => running.delete(url))
    running.set(url, reading)
    return reading
  }
  return {
    async read(url, askedBy) {
      const failure = failures.get(url)
      if (failure && clock.now() < failure.until) return failure.problem
      const joined = running.get(url)
      if (joined) return joined
      await limits.spend('document', `from ${askedBy}`)
      await limits.spend('document', '*')
      await limits.spend('document', `to ${new URL(url).host}`)
      return running.get(url) ?? start(url)
    },
    async verifyBudget(askedBy) {
      await limits.check('document', `from ${askedBy}`)
      await limits.check('document', '*')
    },
    dismiss: (url) => remember(url, { problem: 'body' }),
  }
}
