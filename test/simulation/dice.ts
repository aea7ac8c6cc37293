/** Chance that repeats itself: the same seed gives the same numbers on every machine. */
import { createHash } from 'node:crypto'

/** A stream of numbers that follows from its seed. */
export interface Dice {
  /** From 0 to below 1. */
  next(): number
  /** A whole number from 0 to below `count`. */
  below(count: number): number
  chance(probability: number): boolean
  /** @throws RangeError when there is nothing to pick */
  pick<T>(list: readonly T[]): T
  /** So many bytes as base64url text: randomness for the server under test. */
  bytes(count: number): string
}

/** Creates the dice of a name; different names give independent streams. */
export function createDice(...name: readonly (string | number)[]): Dice {
  let state = createHash('sha256').update(name.join('/')).digest().readInt32LE()

  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (count: number): number => Math.floor(next() * count)

  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick(list) {
      const [first] = list
      if (first === undefined) throw new RangeError('Nothing to pick from')
      return list[below(list.length)] ?? first
    },
    bytes: (count) =>
      Buffer.from(Array.from({ length: count }, () => below(256))).toString('base64url'),
  }
}
