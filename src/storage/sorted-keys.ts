/**
 * A set of strings in byte order that stays fast with millions of them: sorted runs of at most
 * {@link runLength} strings, found by binary search.
 *
 * Strings are ASCII (the storage contract sees to it), so JavaScript's order is byte order.
 */

const runLength = 512

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

  const runOf = (key: string): number =>
    Math.max(0, countBefore(runs, (run) => beginsBy(run, key)) - 1)

  return {
    add(key) {
      const index = runOf(key)
      const run = runs[index] ?? []
      run.splice(positionOf(run, key), 0, key)
      if (run.length > runLength) runs.splice(index + 1, 0, run.splice(runLength / 2))
    },
    remove(key) {
      const index = runOf(key)
      const run = runs[index] ?? []
      const position = positionOf(run, key)
      if (run[position] === key) run.splice(position, 1)
      if (run.length === 0 && runs.length > 1) runs.splice(index, 1)
    },
    *from(start) {
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
