/**
 * Which grants ended while their access tokens may still be alive.
 *
 * The truth is in the store (`ended/…`). This keeps all of it in memory, because the gate asks on
 * every request: read at the start, again on every hint, and once a minute in case a hint was lost.
 * So an ended grant is refused by every gate (catalogue HA-12)
 *
 * - within a second, as a rule: the store tells of it;
 * - within {@link rereadSeconds} when nobody tells, but the store can be read;
 * - within {@link trustSeconds} whatever fails. A store that is away for less goes unnoticed by those who
 *   hold a token (HA-04, HA-05). Whoever cannot read it for longer may be the only one who cannot: others
 *   may be ending grants. It lets nobody in, and says 503, not 401: the tokens may be good (RS-11, RS-12).
 */
import type { Log } from '../platform/ports.ts'
import { endedGrants } from '../storage/records/grant.ts'
import type { Store } from '../storage/store.ts'

/** Knows ended grants at once in this process and soon in every other. */
export interface Revocations {
  /** Whether a grant (by its id) or a single token (by its `jti`) ended. Memory only: no request waits for the store. */
  isEnded(id: string): boolean
  /** Marks it as ended in this process, right after the commit that ended it. */
  add(id: string): void
  /**
   * Whether what is known of ended grants may be relied on: it has been read, and less than
   * {@link trustSeconds} ago. The gate answers 503 otherwise.
   */
  isReady(): boolean
  /** Seconds since the ended grants were last read whole, by a clock that never jumps; Infinity before. */
  ageSeconds(): number
  /** Resolves when they have been read for the first time. */
  readonly ready: Promise<void>
  close(): void
}

/** What revocations are read from. */
export interface RevocationsOptions {
  store: Store
  /** Told when the store cannot be read, and when it can again. */
  log?: Log
}

/** How often the ended grants are read without a hint, in seconds: how late a gate may learn of one. */
export const rereadSeconds = 60

/** How old they may be before the instance asks to be left out, in seconds: two readings were missed. */
export const lateSeconds = 2 * rereadSeconds

/** How old they may be before nothing is let in on the strength of them, in seconds. */
export const trustSeconds = 300

const firstRetryMilliseconds = 250
const longestRetryMilliseconds = 10_000

/** Begins to read the ended grants; {@link Revocations.ready} tells when they are known. */
export function createRevocations({ store, log }: RevocationsOptions): Revocations {
  const memory = createMemory(store)
  const report = createReport(memory.ageSeconds, log)
  let failures = 0
  let running = false
  let closed = false
  let retry: NodeJS.Timeout | undefined
  const { promise: ready, resolve: setReady } = Promise.withResolvers<void>()

  const readDue = async (): Promise<void> => {
    if (running || closed) return
    running = true
    clearTimeout(retry)
    try {
      while (memory.isBehind()) {
        await memory.read()
        failures = 0
        report.success()
        setReady()
      }
    } catch (error) {
      if (!closed) waitAndRetry(error)
    } finally {
      running = false
    }
  }
  const waitAndRetry = (error: unknown): void => {
    report.failure(error)
    const pause = Math.min(firstRetryMilliseconds * 2 ** failures, longestRetryMilliseconds)
    failures += 1
    retry = setTimeout(() => void readDue(), pause).unref()
  }

  const unsubscribe = store.subscribe(memory.prefix, (key) => {
    memory.expect(key)
    void readDue()
  })
  const reread = setInterval(() => {
    memory.expect(memory.prefix)
    void readDue()
  }, rereadSeconds * 1000).unref()
  void readDue()

  return {
    isEnded: memory.has,
    add: memory.add,
    isReady: () => memory.ageSeconds() < trustSeconds,
    ageSeconds: memory.ageSeconds,
    ready,
    close() {
      closed = true
      unsubscribe()
      clearInterval(reread)
      clearTimeout(retry)
    },
  }
}

/** Tells the owner once that the store cannot be read, once that nobody is let in any more, and when it is over. */
function createReport(ageSeconds: () => number, log: Log | undefined) {
  let told: 'nothing' | 'failing' | 'refusing' = 'nothing'
  return {
    failure(error: unknown): void {
      if (told === 'nothing') {
        told = 'failing'
        log?.warn('ended grants cannot be read', { error })
      }
      const age = ageSeconds()
      if (told === 'refusing' || age < trustSeconds || age === Number.POSITIVE_INFINITY) return
      told = 'refusing'
      log?.error('ended grants could not be read for too long: the gate lets nobody in', { error })
    },
    success(): void {
      if (told !== 'nothing') log?.info('ended grants are known again')
      told = 'nothing'
    },
  }
}

/** The ended grants, and what of the store has still to be read. */
function createMemory(store: Store) {
  const prefix = endedGrants.key('')
  let ended = new Set<string>()
  let addedSinceListing = new Set<string>()
  let allDue = true
  let knownAt = Number.NEGATIVE_INFINITY
  const keysDue = new Set<string>()

  const add = (grantId: string): void => {
    ended.add(grantId)
    addedSinceListing.add(grantId)
  }
  /** Listing anew is also how ids are forgotten once the store has: their tokens are dead by then. */
  const readAll = async (): Promise<void> => {
    addedSinceListing = new Set()
    const startedAt = performance.now()
    const listed = await listEnded(store)
    ended = new Set([...listed, ...addedSinceListing])
    knownAt = startedAt
  }
  const readKeys = async (keys: string[]): Promise<void> => {
    for (const entry of await store.get(keys)) if (entry) add(entry.key.slice(prefix.length))
  }

  return {
    prefix,
    add,
    has: (grantId: string) => ended.has(grantId),
    ageSeconds: () => (performance.now() - knownAt) / 1000,
    /** Notes what must be read: one key, or everything when only the prefix is known. */
    expect(key: string) {
      if (key === prefix) allDue = true
      else keysDue.add(key)
    },
    isBehind: () => allDue || keysDue.size > 0,
    async read() {
      const keys = [...keysDue]
      const readsAll = allDue
      keysDue.clear()
      allDue = false
      try {
        await (readsAll ? readAll() : readKeys(keys))
      } catch (error) {
        allDue = true
        throw error
      }
    },
  }
}

const pageSize = 500

async function listEnded(store: Store): Promise<string[]> {
  const ids: string[] = []
  for await (const page of endedGrants.pages(store, [], pageSize)) {
    ids.push(...page.map((record) => record.key.slice(endedGrants.key('').length)))
  }
  return ids
}
