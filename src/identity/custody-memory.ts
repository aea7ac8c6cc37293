/**
 * Access tokens of providers that this process has opened, so that a call to a backend reads nothing while
 * its token is fresh. Few, for a short time, and forgotten on the store's hint that a link was written.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../platform/clock.ts'
import { links } from '../storage/records/link.ts'
import type { Store } from '../storage/store.ts'
import type { LiveToken } from './custody-token.ts'

/** Remembers tokens, and asks once for all who want the same one at the same moment. */
export interface TokenMemory {
  /**
   * @param key the key of the link
   * @param look finds the token when it is not remembered
   */
  find(key: string, look: () => Promise<LiveToken>): Promise<LiveToken>
  /** Whatever is remembered of a link may be another now. */
  forget(key: string): void
  close(): void
}

/** People whose tokens are remembered. */
const remembered = 10_000

/** How long a token is believed when no hint comes, in seconds. */
const trustSeconds = 60

/** A look that is under way. */
interface Look {
  readonly token: Promise<LiveToken>
  /** Whether the link was written since it began, perhaps by itself. */
  isOutdated: boolean
}

/** The memory of one process. */
export function createTokenMemory({ store, clock }: { store: Store; clock: Clock }): TokenMemory {
  const known = new LRUCache<string, { token: LiveToken; from: number; until: number }>({
    max: remembered,
  })
  const looks = new Map<string, Look>()
  const prefix = links.key('')

  const forget = (key: string): void => {
    if (key === prefix) known.clear()
    else known.delete(key)
    for (const [at, look] of looks) if (key === prefix || key === at) look.isOutdated = true
  }
  const unsubscribe = store.subscribe(prefix, forget)
  const remember = (key: string, token: LiveToken): void => {
    const from = clock.now()
    const until = Math.min(from + trustSeconds, token.freshUntil ?? Number.POSITIVE_INFINITY)
    known.set(key, { token, from, until })
  }
  const begin = (key: string, find: () => Promise<LiveToken>): Look => {
    const look: Look = { token: find(), isOutdated: false }
    looks.set(key, look)
    const end = (token?: LiveToken): void => {
      looks.delete(key)
      if (token && !look.isOutdated) remember(key, token)
    }
    look.token.then(end, () => end())
    return look
  }

  return {
    async find(key, find) {
      const now = clock.now()
      const entry = known.get(key)
      if (entry && now >= entry.from && now < entry.until) return entry.token
      return (looks.get(key) ?? begin(key, find)).token
    },
    forget,
    close: unsubscribe,
  }
}
