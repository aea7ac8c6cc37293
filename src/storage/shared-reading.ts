/** One reading at a time, however many ask: what is kept in memory is read again for all of them. */

/** Two ways to ask for a reading. */
export interface SharedReading {
  /** The reading under way, or a new one. For whoever needs no more than what was true just now. */
  join(): Promise<void>
  /** A reading that begins after the call: it sees everything that was written before. */
  afresh(): Promise<void>
}

/** Shares the readings that `read` does. A failure reaches everyone who waits for that reading. */
export function createSharedReading(read: () => Promise<void>): SharedReading {
  let current: Promise<void> | undefined
  let next: Promise<void> | undefined

  const join = (): Promise<void> => {
    current ??= read().finally(() => {
      current = undefined
    })
    return current
  }
  const afresh = (): Promise<void> => {
    if (!current) return join()
    const begin = (): Promise<void> => {
      next = undefined
      return join()
    }
    next ??= current.then(begin, begin)
    return next
  }
  return { join, afresh }
}
