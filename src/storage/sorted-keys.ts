/**
 * A set of strings in byte order that stays fast with millions of them: sorted runs of at most
 * {@link runLength} strings, found by binary search.
 *
 * What is added waits in a heap of its own until somebody iterates or it has grown: much of it is removed
 * before that, and many strings find their places at less cost than one after the other.
 *
 * Strings are ASCII (the storage contract sees to it), so JavaScript's order is byte order.
 */

const runLength = 512

/** Most strings that wait: putting so many in their places takes about a millisecond. */
const mostWaiting = 1024

/** A set of strings, iterated in order. */
export interface SortedKeys {
  /** Adds a string that is not in the set. */
  add(key: string): void
  /** Removes a string, if it is there. */
  remove(key: string): void
  /** All strings not before this one. The set must not change while it is iterated. */
  from(start: string): Iterable<string>
}

/** Creates an empty set. */
export function createSortedKeys(): SortedKeys {
  const runs: string[][] = [[]]
  const waiting = new Set<string>()

  const runOf = (key: string): number =>
    Math.max(0, countBefore(runs, (run) => beginsBy(run, key)) - 1)

  const insert = (key: string): void => {
    const index = runOf(key)
    const run = runs[index] ?? []
    run.splice(positionOf(run, key), 0, key)
    if (run.length > runLength) runs.splice(index + 1, 0, run.splice(runLength / 2))
  }
  const settle = (): void => {
    // In order, because neighbours lie in the same run.
    for (const key of [...waiting].sort()) insert(key)
    waiting.clear()
  }

  return {
    add(key) {
      waiting.add(key)
      if (waiting.size >= mostWaiting) settle()
    },
    remove(key) {
      if (waiting.delete(key)) return
      const index = runOf(key)
      const run = runs[index] ?? []
      const position = positionOf(run, key)
      if (run[position] === key) run.splice(position, 1)
      if (run.length === 0 && runs.length > 1) runs.splice(index, 1)
    },
    *from(start) {
      settle()
      const first = runOf(start)
      for (let index = first; index < runs.length; index++) {
        const run = runs[index] ?? []
        yield* index === first ? run.slice(positionOf(run, start)) : run
      }
    },
  }
}

function beginsBy(run: readonly string[], key: string): boolean {
  const first = run[0]
  return first !== undefined && first <= key
}

function positionOf(run: readonly string[], key: string): number {
  return countBefore(run, (other) => other < key)
}

/** How many items at the front satisfy a condition that, once false, stays false. */
function countBefore<T>(items: readonly T[], isBefore: (item: T) => boolean): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item !== undefined && isBefore(item)) low = middle + 1
    else high = middle
  }
  return low
}
