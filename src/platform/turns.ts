/** Holds expensive work back, so that a flood of requests cannot exhaust memory (catalogue DS-06). */
import { unavailable } from '../errors.ts'

/** Runs a task when its turn comes. */
export type TakeTurn = <T>(task: () => Promise<T>) => Promise<T>

/**
 * Lets at most `atOnce` tasks run; at most `waiting` more stand in line, first come first served.
 *
 * @throws OAuthError `temporarily_unavailable` with the given reason when the line is full
 */
export function createTurns(limits: { atOnce: number; waiting: number; reason: string }): TakeTurn {
  const line: (() => void)[] = []
  let running = 0

  const passOn = () => {
    const next = line.shift()
    if (next) next()
    else running -= 1
  }

  return async (task) => {
    if (running < limits.atOnce) running += 1
    else if (line.length >= limits.waiting) throw unavailable(limits.reason)
    else await new Promise<void>((resolve) => line.push(resolve))
    try {
      return await task()
    } finally {
      passOn()
    }
  }
}
