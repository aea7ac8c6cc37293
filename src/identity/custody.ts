/**
 * Custody of the tokens that identity providers give us: sealed, fresh, and never shown to anyone but the
 * provider and a backend that is to have them (catalogue UP-23).
 *
 * They are kept only where something needs them: a backend gets them, people are verified again, our
 * tokens follow theirs, or the provider can revoke them. One process at a time asks a provider about a
 * person (`custody-lease.ts`); a refusal for good ends what rests on it, a fault that will pass is 503
 * and keeps everything.
 */
import { OAuthError } from '../errors.ts'
import type { Random } from '../platform/crypto.ts'
import type { Grant } from '../storage/records/grant.ts'
import { links } from '../storage/records/link.ts'
import { removedUsers } from '../storage/records/user.ts'
import { endReliance, type ReliancePorts, signOut } from './custody-ending.ts'
import { isLeasedElsewhere, type LeasePorts, lookMilliseconds } from './custody-lease.ts'
import { findLink, type LinkName, toLink } from './custody-link.ts'
import { createTokenMemory } from './custody-memory.ts'
import { isRefusal, joinTokens } from './custody-refresh.ts'
import { noBetterToken, settleRenewal } from './custody-renewal.ts'
import { type LiveToken, settleToken, signInAnew } from './custody-token.ts'
import { settleVerdict } from './custody-verify.ts'
import { winRace } from './races.ts'
import type { Upstream, UpstreamTokens } from './upstream.ts'
import { hostUpstream, localUpstream, sharedUpstream } from './users.ts'

/** How long a provider stands behind a person. */
export interface Standing {
  /** Unix seconds that no access token of ours may outlive. Absent: no limit but ours. */
  readonly until?: number
}

/** Keeps the providers' tokens. */
export interface Custody {
  /** Keeps what a provider gave at a sign-in, in place of what it gave before. Nothing, when nothing needs it. */
  keep(userId: string, upstreamId: string, tokens: UpstreamTokens | undefined): Promise<void>
  /**
   * A live access token, refreshed before it ends. Reads nothing while the last one is fresh.
   *
   * @throws OAuthError `invalid_grant` when only a new sign-in helps: the grants and sessions that rest on
   *   it have ended; `temporarily_unavailable` when the provider or the store cannot be asked now
   */
  findAccessToken(userId: string, upstreamId: string): Promise<string>
  /**
   * Another access token than the one that a backend refused, asked for under the lease; undefined when there
   * is none that it would rather take.
   *
   * @throws OAuthError like {@link Custody.findAccessToken}
   */
  renewAccessToken(userId: string, upstreamId: string, refused: string): Promise<string | undefined>
  /**
   * How long the provider stands behind a person, verified again when that is due. Reads nothing unless
   * `reverifySeconds` or `lifetimeFollowsUpstream` is set.
   *
   * @throws OAuthError like {@link Custody.findAccessToken}, also for a provider that was switched off
   */
  verify(userId: string, upstreamId: string): Promise<Standing>
  close(): void
}

/** What custody is to do. */
export interface CustodyRules {
  /** Age in seconds at which a person is verified again. Default: never. */
  readonly reverifySeconds?: number | undefined
  /** Whether our access tokens end with the provider's. */
  readonly lifetimeFollowsUpstream: boolean
  readonly backends: readonly { readonly resource: string; readonly forward?: 'upstream-token' }[]
}

/** What custody is built from. */
export interface CustodyOptions
  extends Omit<LeasePorts, 'holder' | 'pause'>,
    Omit<ReliancePorts, 'store' | 'clock'> {
  readonly rules: CustodyRules
  readonly random: Random
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly localSignIn: boolean
  /** Default: a timer. */
  readonly pause?: (milliseconds: number) => Promise<void>
}

/** Custody over a store. */
export function createCustody(options: CustodyOptions): Custody {
  const { rules, upstreams, localSignIn, random, pause = wait } = options
  const ports = { ...options, holder: random(16), pause }
  const memory = createTokenMemory(options)
  const takeTurn = createTurns()

  const find = (name: LinkName): Promise<LiveToken> => {
    const key = toKey(name)
    return memory.find(key, () =>
      takeTurn(key, () => endingOn(ports, name, () => settleToken(ports, name))),
    )
  }
  const reverify = (name: LinkName, reverifySeconds: number): Promise<void> =>
    takeTurn(toKey(name), () =>
      endingOn(ports, name, () => verifyAgain(ports, name, reverifySeconds)),
    )

  return {
    async keep(userId, upstreamId, tokens) {
      const upstream = upstreams.get(upstreamId)
      if (!upstream || !isNeeded(rules, upstream)) return
      const name = { userId, upstream }
      // Without a refresh token of its own, it takes over one that a question under way may spend.
      if (tokens?.refreshToken !== undefined) await keep(ports, name, tokens)
      else await takeTurn(toKey(name), () => keep(ports, name, tokens))
    },
    async findAccessToken(userId, upstreamId) {
      const upstream = upstreams.get(upstreamId)
      if (!upstream) throw signInAnew('upstream_gone')
      return (await find({ userId, upstream })).accessToken
    },
    async renewAccessToken(userId, upstreamId, refused) {
      const upstream = upstreams.get(upstreamId)
      if (!upstream) throw signInAnew('upstream_gone')
      const name = { userId, upstream }
      const key = toKey(name)
      memory.forget(key)
      const renewed = await takeTurn(key, () =>
        endingOn(ports, name, () => settleRenewal(ports, name, refused)),
      )
      memory.forget(key)
      return renewed === noBetterToken ? undefined : renewed
    },
    async verify(userId, upstreamId) {
      if (upstreamId === sharedUpstream || upstreamId === hostUpstream) return {}
      if (upstreamId === localUpstream && localSignIn) return {}
      const upstream = upstreams.get(upstreamId)
      if (!upstream) {
        await signOut(ports, { userId, upstreamId })
        throw signInAnew('upstream_gone')
      }
      const name = { userId, upstream }
      if (rules.reverifySeconds !== undefined) await reverify(name, rules.reverifySeconds)
      return rules.lifetimeFollowsUpstream ? findLifetime(ports, name, find) : {}
    },
    close: memory.close,
  }
}

/** Whether anything needs what this provider gives. */
function isNeeded(rules: CustodyRules, upstream: Upstream): boolean {
  const isForwarded = rules.backends.some(({ forward }) => forward !== undefined)
  return isForwarded || isFollowed(rules) || upstream.revoke !== undefined
}

function isFollowed({ reverifySeconds, lifetimeFollowsUpstream }: CustodyRules): boolean {
  return reverifySeconds !== undefined || lifetimeFollowsUpstream
}

/** Whoever is removed meanwhile keeps nothing here. */
async function keep(
  ports: LeasePorts & { rules: CustodyRules },
  name: LinkName,
  given: UpstreamTokens | undefined,
): Promise<void> {
  if (given === undefined && !isFollowed(ports.rules)) return
  const { store, clock } = ports
  const removedKey = removedUsers.key(name.userId)
  await winRace(async () => {
    const before = await findLink(ports, name)
    const takesOver = given?.refreshToken === undefined && before !== undefined
    if (takesOver && isLeasedElsewhere(before.value, ports)) {
      await ports.pause(lookMilliseconds)
      return undefined
    }
    const key = toKey(name)
    const tokens = given ? joinTokens(given, before?.tokens) : before?.tokens
    const kept = await store.commit({
      check: [
        { key, version: before?.version ?? null },
        { key: removedKey, version: null },
      ],
      set: [links.write(key, toLink(ports, key, tokens, clock.now()))],
    })
    if (kept) return true
    const [removed] = await store.get([removedKey])
    return removed && true
  })
}

/** Twice at most: when the access token turns out to be dead, with a new one. */
async function verifyAgain(
  ports: LeasePorts,
  name: LinkName,
  reverifySeconds: number,
): Promise<void> {
  const first = await settleVerdict(ports, name, { reverifySeconds, mayBeStale: true })
  if (first === 'verified') return
  await settleToken(ports, name)
  await settleVerdict(ports, name, { reverifySeconds, mayBeStale: false })
}

/** A provider that never gave tokens sets no limit; one whose tokens are gone does. */
async function findLifetime(
  ports: LeasePorts,
  name: LinkName,
  find: (name: LinkName) => Promise<LiveToken>,
): Promise<Standing> {
  const link = await links.find(ports.store, name.userId, name.upstream.id)
  if (link && link.value.sealedTokens === undefined && link.value.endedAt === undefined) return {}
  const { expiresAt } = await find(name)
  return expiresAt === undefined ? {} : { until: expiresAt }
}

/** Runs `work`; when it finds that only a new sign-in helps, what rests on the provider ends before anyone hears. */
async function endingOn<T>(
  ports: ReliancePorts & { rules: CustodyRules },
  { userId, upstream }: LinkName,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isRefusal(error, 'invalid_grant')) throw error
    const reason = error instanceof OAuthError ? error.reason : undefined
    const why = reason === 'upstream_not_admitted' ? 'not_admitted' : 'upstream_ended'
    const rests = (grant: Grant) => restsOn(ports.rules, grant, upstream.id)
    await endReliance(ports, { userId, upstreamId: upstream.id, rests }, why)
    throw error
  }
}

/** Whether a grant is worth nothing without the provider's tokens. */
function restsOn(rules: CustodyRules, grant: Grant, upstreamId: string): boolean {
  if (grant.upstream !== upstreamId) return false
  const backend = rules.backends.find(({ resource }) => resource === grant.resource)
  return isFollowed(rules) || backend?.forward !== undefined
}

function toKey({ userId, upstream }: LinkName): string {
  return links.key(userId, upstream.id)
}

/** One question at a time for each link in this process: all of them share one name on the lease. */
function createTurns(): <T>(key: string, task: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>()
  return (key, task) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(task, task)
    last.set(key, turn)
    const leave = (): void => {
      if (last.get(key) === turn) last.delete(key)
    }
    turn.then(leave, leave)
    return turn
  }
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}
