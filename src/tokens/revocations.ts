/**
 * Which grants ended while their access tokens may still be alive.
 *
 * The truth is in the store (`ended/…`). This keeps all of it in memory, because the gate asks on
 * every request: read at the start, again on every hint, and once a minute in case a hint was lost.
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
  /** Whether the ended grants of the store have been read; the gate answers 503 until then. */
  isReady(): boolean
  /** Resolves when they have. */
  readonly ready: Promise<void>
  close(): void
}

/** What revocations are read from. */
export interface RevocationsOptions {
  store: Store
  /** Told when the store cannot be read, and when it can again. */
  log?: Log
}

const rereadMilliseconds = 60_000
const firstRetryMilliseconds = 250
const longestRetryMilliseconds = 10_000

/** Begins to read the ended grants; {@link Revocations.ready} tells when they are known. */
export function createRevocations({ store, log }: RevocationsOptions): Revocations {
  const memory = createMemory(store)
  let failures = 0
  let running = false
  let closed = false
  let isReady = false
  let retry: NodeJS.Timeout | undefined
  let setReady = (): void => {}
  const ready = new Promise<void>((resolve) => {
    setReady = resolve
  })

  const readDue = async (): Promise<void> => {
    if (running || closed) return
    running = true
    clearTimeout(retry)
    try {
      while (memory.isBehind()) await memory.read()
      if (failures > 0) log?.info('ended grants are known again')
      failures = 0
      isReady = true
      setReady()
    } catch (error) {
      waitAndRetry(error)
    } finally {
      running = false
    }
  }
  const waitAndRetry = (error: unknown): void => {
    if (closed) return
    if (failures === 0) log?.warn('ended grants cannot be read', { error })
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
  }, rereadMilliseconds).unref()
  void readDue()

  return {
    isEnded: memory.has,
    add: memory.add,
    isReady: () => isReady,
    ready,
    close() {
      closed = true
      unsubscribe()
      clearInterval(reread)
      clearTimeout(retry)
    },
  }
}

/** The ended grants, and what of the store has still to be read. */
function createMemory(store: Store) {
  const prefix = endedGrants.key('')
  let ended = new Set<string>()
  let addedSinceListing = new Set<string>()
  let allDue = true
  const keysDue = new Set<string>()

  const add = (grantId: string): void => {
    ended.add(grantId)
    addedSinceListing.add(grantId)
  }
  /** Listing anew is also how ids are forgotten once the store has: their tokens are dead by then. */
  const readAll = async (): Promise<void> => {
    addedSinceListing = new Set()
    const listed = await listEnded(store)
    ended = new Set([...listed, ...addedSinceListing])
  }
  const readKeys = async (keys: string[]): Promise<void> => {
    for (const entry of await store.get(keys)) if (entry) add(entry.key.slice(prefix.length))
  }

  return {
    prefix,
    add,
    has: (grantId: string) => ended.has(grantId),
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
  let after: string | undefined
  for (;;) {
    const page = await endedGrants.list(store, [], { after, limit: pageSize })
    ids.push(...page.map((record) => record.key.slice(endedGrants.key('').length)))
    if (page.length < pageSize) return ids
    after = page.at(-1)?.key
  }
}
