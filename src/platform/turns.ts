/** Holds expensive work back, so that a flood of requests cannot exhaust memory (catalogue DS-06). */
import { unavailable } from '../errors.ts'

/**
 * Runs a task when its turn comes.
 *
 * @param party whom the turn is taken for, such as the network a request came from
 * @throws OAuthError `temporarily_unavailable` when there is no place in the line
 */
export type TakeTurn = <T>(party: string, task: () => Promise<T>) => Promise<T>

/** One task in line. */
interface Place {
  begin(): void
  giveUp(error: Error): void
}

/**
 * Lets at most `atOnce` tasks run and `waiting` more stand in line, shared fairly: parties take turns,
 * each first come first served; and when the line is full, who has the most places in it makes room for
 * who has fewer. A flood from one network then delays the others by a turn and takes the line from
 * nobody, while a party that is alone, such as a proxy in front, has all of it.
 *
 * @param limits `reason` is the machine word for the log when somebody is turned away
 */
export function createTurns(limits: { atOnce: number; waiting: number; reason: string }): TakeTurn {
  /** Whose turn is next stands first. */
  const lines = new Map<string, Place[]>()
  let running = 0
  let waiting = 0

  const passOn = (): void => {
    const place = takeNext(lines)
    if (place === undefined) running -= 1
    else {
      waiting -= 1
      place.begin()
    }
  }
  const queue = (party: string): Promise<void> => {
    if (waiting < limits.waiting) waiting += 1
    else makeRoom(lines, party, limits.reason)
    return new Promise((begin, giveUp) => {
      const line = lines.get(party)
      if (line === undefined) lines.set(party, [{ begin, giveUp }])
      else line.push({ begin, giveUp })
    })
  }

  return async (party, task) => {
    if (running < limits.atOnce) running += 1
    else await queue(party)
    try {
      return await task()
    } finally {
      passOn()
    }
  }
}

/** The oldest place of the party whose turn it is, who then waits until all the others had theirs. */
function takeNext(lines: Map<string, Place[]>): Place | undefined {
  for (const [party, line] of lines) {
    const place = line.shift()
    lines.delete(party)
    if (line.length > 0) lines.set(party, line)
    return place
  }
  return undefined
}

/** Turns away the newest of the longest line, unless the party would be no better off than that one is. */
function makeRoom(lines: Map<string, Place[]>, party: string, reason: string): void {
  const own = lines.get(party)?.length ?? 0
  const [longest, ...others] = lines.values()
  const line = others.reduce((most, one) => (one.length > most.length ? one : most), longest ?? [])
  if (line.length <= own + 1) throw unavailable(reason)
  line.pop()?.giveUp(unavailable(reason))
}
