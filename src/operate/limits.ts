/**
 * Rate limits, keyed by what is attacked: hosted clients share addresses, so an address alone is
 * never what an honest sign-in or refresh is held back by (X8, catalogue CR-19, CR-20, DS-07).
 */
import { LRUCache } from 'lru-cache'
// The two files themselves: the package's front door loads every driver it has, a tenth of a start's files.
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js'
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js'
import { OAuthError } from '../errors.ts'
import type { LimitName, Limits } from '../platform/ports.ts'

/** So many points within so many seconds, counted from a key's first point. */
export interface LimitRule {
  readonly points: number
  readonly seconds: number
}

/** A limit: the rule of each key, and the rule of the key `*`, which stands for everyone together. */
export interface LimitRules extends LimitRule {
  readonly everyone?: LimitRule
}

/**
 * The rules unless configured otherwise. `register` lets sixty clients behind one address register
 * at once (CR-20); `document` does the same for clients that are read instead (CM-21); `application` keeps strangers from filling a tenant at the identity provider, in management
 * mode alone; `sign-in` counts failures of one account, ten in a quarter of an hour.
 */
export const defaultLimits: Readonly<Record<LimitName, LimitRules>> = {
  register: { points: 120, seconds: 60, everyone: { points: 1200, seconds: 60 } },
  application: { points: 10, seconds: 3600, everyone: { points: 60, seconds: 3600 } },
  'sign-in': { points: 10, seconds: 900 },
  'client-auth': { points: 30, seconds: 60 },
  token: { points: 60, seconds: 60 },
  authorize: { points: 120, seconds: 60 },
  document: { points: 60, seconds: 60, everyone: { points: 600, seconds: 60 } },
  setup: { points: 10, seconds: 60 },
}

/** What was attempted too often, for the person who reads the error. */
const attempts: Record<LimitName, string> = {
  register: 'registrations',
  application: 'registrations',
  'sign-in': 'failed sign-ins',
  'client-auth': 'failed client authentications',
  token: 'failed token requests',
  authorize: 'authorization requests',
  document: 'new client metadata documents',
  setup: 'failed uses of the set-up link',
}

/** Options of {@link createLimits}. */
export interface LimitsOptions {
  /** Rules that differ from {@link defaultLimits}. */
  overrides?: Partial<Record<LimitName, LimitRules>>
  /** Keys remembered per limit; beyond, the least recently used is forgotten. Default 20 000. */
  keysPerLimit?: number
}

/**
 * Limits in this process's memory.
 *
 * They count by the machine's clock, because the library does: they are the one thing an injected
 * clock does not move. Memory is bounded: no flood of keys can fill it (catalogue DS-07).
 */
export function createLimits(options: LimitsOptions = {}): Limits {
  const counters = new Map<string, Counter>()
  const toCounter = (limit: LimitName, key: string): Counter => {
    const rules = options.overrides?.[limit] ?? defaultLimits[limit]
    const isEveryone = key === '*' && rules.everyone !== undefined
    const name = isEveryone ? `${limit}/*` : limit
    const known = counters.get(name)
    if (known !== undefined) return known
    const rule = (isEveryone ? rules.everyone : undefined) ?? rules
    const counter = createCounter(rule, options.keysPerLimit ?? 20_000)
    counters.set(name, counter)
    return counter
  }
  return {
    async spend(limit, key) {
      const waitSeconds = await toCounter(limit, key).spend(key)
      if (waitSeconds > 0) throw toError(limit, waitSeconds)
    },
    async check(limit, key) {
      const waitSeconds = await toCounter(limit, key).check(key)
      if (waitSeconds > 0) throw toError(limit, waitSeconds)
    },
    async reset(limit, key) {
      await toCounter(limit, key).reset(key)
    },
  }
}

/** One rule over many keys. Both answers are the seconds to wait; 0: go on. */
interface Counter {
  spend(key: string): Promise<number>
  check(key: string): Promise<number>
  reset(key: string): Promise<void>
}

function createCounter(rule: LimitRule, keysAllowed: number): Counter {
  const limiter = new RateLimiterMemory({ points: rule.points, duration: rule.seconds })
  const recent = new LRUCache<string, true>({
    max: keysAllowed,
    dispose: (_, key, why) => {
      if (why === 'evict') void limiter.delete(key)
    },
  })
  return {
    async spend(key) {
      recent.set(key, true)
      try {
        await limiter.consume(key)
        return 0
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return toSeconds(refusal)
        throw refusal
      }
    },
    async check(key) {
      const spent = await limiter.get(key)
      return spent === null || spent.consumedPoints < rule.points ? 0 : toSeconds(spent)
    },
    async reset(key) {
      recent.delete(key)
      await limiter.delete(key)
    },
  }
}

function toSeconds(spent: RateLimiterRes): number {
  return Math.max(0, Math.ceil(spent.msBeforeNext / 1000))
}

function toError(limit: LimitName, retryAfterSeconds: number): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    `Too many ${attempts[limit]}; try again in ${retryAfterSeconds} seconds`,
    { status: 429, retryAfterSeconds, reason: `limit_${limit.replaceAll('-', '_')}` },
  )
}
