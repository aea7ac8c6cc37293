/**
 * Live counts of what the authorization server has given out (A4).
 *
 * Counted from the records themselves, so that expiry, revocation, a restart and other instances are right
 * without any bookkeeping on the paths that are fast. The records are walked in slices, for everyone who
 * asks together, and what was counted holds for {@link freshSeconds}.
 */
import type { Context } from '../context.ts'
import { clients } from '../storage/records/client.ts'
import { type AuthorizationCode, codeFailuresAllowed, codes } from '../storage/records/code.ts'
import { type Family, families } from '../storage/records/family.ts'
import { endedGrants, type Grant, grants } from '../storage/records/grant.ts'
import type { RecordType, Stored } from '../storage/records/record.ts'
import { createSharedReading } from '../storage/shared-reading.ts'
import type { Store } from '../storage/store.ts'

/** What is alive, in numbers. */
export interface LiveCounts {
  readonly clients: number
  /** Not redeemed, not expired, not burnt. */
  readonly authorizationCodes: number
  /** Issued, not expired, not revoked. A token that was given twice for one refresh counts once. */
  readonly accessTokens: number
  /** The current one of each grant. */
  readonly refreshTokens: number
}

/** How old counts may be, in seconds. */
const freshSeconds = 5
/** On a large store counting takes this share of the time at most: one part in so many. */
const restShare = 5
/** Records read at a time, so that no request waits behind a walk. */
const sliceSize = 200

/** What counting needs. */
type CountingPorts = Pick<Context, 'store' | 'clock' | 'config'>

/** One store's counts and who counts them. */
interface Counting {
  counts: LiveCounts | undefined
  /** Unix seconds. */
  freshUntil: number
  readonly join: () => Promise<void>
}

const countings = new WeakMap<Store, Counting>()

/**
 * The live counts: at most five seconds old; on a store so large that counting takes longer than a second, at
 * most five times as old as that takes.
 *
 * @throws OAuthError `temporarily_unavailable` when the store cannot be read
 */
export async function readLiveCounts(ports: CountingPorts): Promise<LiveCounts> {
  const counting = countings.get(ports.store) ?? createCounting(ports)
  countings.set(ports.store, counting)
  if (!counting.counts || ports.clock.now() >= counting.freshUntil) await counting.join()
  return counting.counts ?? noCounts
}

const noCounts: LiveCounts = {
  clients: 0,
  authorizationCodes: 0,
  accessTokens: 0,
  refreshTokens: 0,
}

function createCounting(ports: CountingPorts): Counting {
  const reading = createSharedReading(async () => {
    const started = performance.now()
    // What was true when the walk began is what its age counts from.
    const startedAt = ports.clock.now()
    counting.counts = await count(ports)
    const tookSeconds = (performance.now() - started) / 1000
    counting.freshUntil = startedAt + Math.max(freshSeconds, Math.ceil(tookSeconds * restShare))
  })
  const counting: Counting = { counts: undefined, freshUntil: 0, join: reading.join }
  return counting
}

async function count({ store, clock, config }: CountingPorts): Promise<LiveCounts> {
  const now = clock.now()
  const { accessTokenSeconds } = config.lifetimes
  const registered = await sum(clients, store, async (page) => page.length)
  const isWaiting = ({ redeemedAt, failures, expiresAt }: AuthorizationCode): boolean =>
    redeemedAt === undefined && failures < codeFailuresAllowed && expiresAt > now
  const authorizationCodes = await sum(
    codes,
    store,
    async (page) => page.filter(({ value }) => isWaiting(value)).length,
  )
  const tokens = await countTokens(store, { now, accessTokenSeconds })
  return { clients: registered, authorizationCodes, ...tokens }
}

/** When, and how long access tokens live whose expiry was not written down. */
interface Moment {
  readonly now: number
  readonly accessTokenSeconds: number
}

async function countTokens(store: Store, moment: Moment) {
  const { now } = moment
  const revoked = await countRevokedTokens(store, now)
  let refreshTokens = 0
  const accessTokens = await sum(grants, store, async (page) => {
    const live = page.map(({ value }) => value).filter(({ expiresAt }) => expiresAt > now)
    const entries = await store.get(live.map(({ id }) => families.key(id)))
    const standing = live.map((grant, index) => {
      const family = families.decode(entries[index])?.value
      if (family && family.idleExpiresAt > now) refreshTokens += 1
      const issued = listExpiries(grant, family, moment).filter((time) => time > now).length
      return Math.max(0, issued - (revoked.get(grant.id) ?? 0))
    })
    return standing.reduce((total, one) => total + one, 0)
  })
  return { accessTokens, refreshTokens }
}

/** When the access tokens of a grant expire; without refresh tokens it has one, that of its beginning. */
function listExpiries(
  { createdAt, expiresAt }: Grant,
  family: Family | undefined,
  { accessTokenSeconds }: Moment,
): readonly number[] {
  const begun = family?.rotatedAt ?? createdAt
  return family?.accessExpiries ?? [Math.min(expiresAt, begun + accessTokenSeconds)]
}

/** How many single access tokens of each grant were revoked and would not have expired yet. */
async function countRevokedTokens(store: Store, now: number): Promise<ReadonlyMap<string, number>> {
  const revoked = new Map<string, number>()
  await sum(endedGrants, store, async (page) => {
    for (const { value } of page) {
      const { ofGrant, tokenExpiresAt = 0 } = value
      if (ofGrant === undefined || tokenExpiresAt <= now) continue
      revoked.set(ofGrant, (revoked.get(ofGrant) ?? 0) + 1)
    }
    return page.length
  })
  return revoked
}

/** The total over all records of a kind, page by page. */
async function sum<T>(
  type: RecordType<T>,
  store: Store,
  countPage: (page: readonly Stored<T>[]) => Promise<number>,
): Promise<number> {
  let total = 0
  for await (const page of type.pages(store, [], sliceSize)) {
    total += await countPage(page)
    await nextTurn()
  }
  return total
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
