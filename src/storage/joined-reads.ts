/**
 * Reads that are asked for in the same turn of the event loop travel together.
 *
 * Requests that came in together ask together, and to a database across a connection the way there costs
 * more than the rows. Whoever asks alone waits for no one.
 */
import type { Entry } from './store.ts'

/** Reads entries by key, in the order of the keys. */
export type ReadEntries = (keys: readonly string[]) => Promise<readonly (Entry | undefined)[]>

/** Most keys in one journey, so that one answer does not keep the others for long. */
const keysTogether = 256

interface Asked {
  readonly keys: readonly string[]
  readonly resolve: (entries: (Entry | undefined)[]) => void
  readonly reject: (error: unknown) => void
}

/** Joins the reads that `read` does. One that fails fails for everyone on the same journey. */
export function joinReads(read: ReadEntries) {
  let waiting: Asked[] = []

  const send = async (together: readonly Asked[]): Promise<void> => {
    try {
      const keys = [...new Set(together.flatMap((asked) => asked.keys))]
      const entries = await read(keys)
      const found = new Map(keys.map((key, at) => [key, entries[at]]))
      for (const asked of together) asked.resolve(asked.keys.map((key) => found.get(key)))
    } catch (error) {
      for (const asked of together) asked.reject(error)
    }
  }
  const sendAll = (): void => {
    let together: Asked[] = []
    let count = 0
    for (const asked of waiting) {
      if (count > 0 && count + asked.keys.length > keysTogether) {
        void send(together)
        together = []
        count = 0
      }
      together.push(asked)
      count += asked.keys.length
    }
    waiting = []
    void send(together)
  }

  return (keys: readonly string[]): Promise<(Entry | undefined)[]> =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(sendAll)
      waiting.push({ keys, resolve, reject })
    })
}
