/** Optimistic writing: read, compute, commit on condition, and again when someone else was faster. */
import { unavailable } from '../errors.ts'

/** Every lost race means that somebody else won one, so this is far more than a crowd on one key needs. */
const mostAttempts = 100

/**
 * Repeats an attempt until it no longer loses its race.
 *
 * @param attempt reads afresh, commits on condition, and returns undefined when the commit was refused
 * @throws OAuthError `temporarily_unavailable` when the crowd does not let go
 */
export async function winRace<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let count = 0; count < mostAttempts; count += 1) {
    const result = await attempt()
    if (result !== undefined) return result
  }
  throw unavailable('contention')
}
