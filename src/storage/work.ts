/** What a store is doing right now, so that closing waits for it and nothing begins afterwards. */
import { unavailable } from '../errors.ts'

/** Keeps track of what is under way, and refuses more with 503 once it has ended. */
export function createWork() {
  const underWay = new Set<Promise<unknown>>()
  let ended = false
  return {
    async run<T>(begin: () => Promise<T>): Promise<T> {
      if (ended) throw unavailable('store_closed')
      const work = begin()
      underWay.add(work)
      try {
        return await work
      } finally {
        underWay.delete(work)
      }
    },
    /** @returns false when it had ended before */
    end(): boolean {
      const isFirst = !ended
      ended = true
      return isFirst
    },
    /** Waits for what is under way, however it ends. */
    settle: () => Promise.allSettled(underWay),
  }
}
