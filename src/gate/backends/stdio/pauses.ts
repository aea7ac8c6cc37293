/**
 * Who has to wait because their last program ended before it had said anything: a client that begins again at
 * once would start one after the other. Each user for themselves, since what fails may be theirs alone.
 */
import { LRUCache } from 'lru-cache'
import { OAuthError } from '../../../errors.ts'

/** The pauses of one backend. */
export interface Pauses {
  /** Throws, with status 503, while a user has to wait. */
  verify(userId: string): void
  /** A program of theirs failed. */
  note(userId: string): void
  /** A program of theirs works. */
  forget(userId: string): void
}

/** How long a user waits; doubled each time, in milliseconds. */
const shortestMs = 1000
const longestMs = 30_000

const usersRemembered = 10_000

/** Nobody has to wait yet. */
export function createPauses(): Pauses {
  const failures = new LRUCache<string, { count: number; until: number }>({ max: usersRemembered })
  return {
    verify(userId) {
      const leftMs = (failures.get(userId)?.until ?? 0) - performance.now()
      if (leftMs > 0) throw notStarting(Math.ceil(leftMs / 1000))
    },
    note(userId) {
      const count = (failures.get(userId)?.count ?? 0) + 1
      const pauseMs = Math.min(shortestMs * 2 ** (count - 1), longestMs)
      failures.set(userId, { count, until: performance.now() + pauseMs })
    },
    forget: (userId) => void failures.delete(userId),
  }
}

/** What a client is told of a program that does not start; why, only its owner is told. */
export function notStarting(retryAfterSeconds: number): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    'The MCP server does not start; its owner finds the reason in the log of the gateway',
    { status: 503, reason: 'program_not_starting', retryAfterSeconds },
  )
}
