/** Reads that travel together, see `journeys.ts`: each key is asked for once, everyone gets their own. */
import { createJourneys } from './journeys.ts'
import type { Entry } from './store.ts'

/** Reads entries by key, in the order of the keys. */
export type ReadEntries = (keys: readonly string[]) => Promise<readonly (Entry | undefined)[]>

/** Most keys in one journey, so that one answer does not keep the others for long. */
const keysTogether = 256

/** Joins the reads that `read` does. One that fails fails for everyone on the same journey. */
export function joinReads(read: ReadEntries) {
  return createJourneys<readonly string[], (Entry | undefined)[]>({
    createLoad: () => limitKeys(keysTogether),
    send: async (asked) => {
      const keys = [...new Set(asked.flat())]
      const entries = await read(keys)
      const found = new Map(keys.map((key, at) => [key, entries[at]]))
      return asked.map((own) => own.map((key) => found.get(key)))
    },
  })
}

/** Takes lists of keys until there are so many; the first however long it is. */
export function limitKeys(limit: number): (keys: readonly unknown[]) => boolean {
  let count = 0
  return ({ length }) => {
    if (count > 0 && count + length > limit) return false
    count += length
    return true
  }
}
