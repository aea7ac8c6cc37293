/**
 * One process at a time asks a provider about a person; the others wait for what comes of it (UP-16).
 *
 * The lease stands in the link and expires, so a holder that died costs the others its rest. Whoever was
 * held up and wakes after that writes only new tokens, and only while the link still holds those that were
 * spent for them, which nobody can use again; everything else is written over the leased version alone
 * (fencing, catalogue HA-11). So a refusal is not believed at once by whoever took a lease over: it may
 * mean that the former holder was faster (see {@link isDoubtful}).
 */
import { OAuthError, unavailable } from '../errors.ts'
import type { Audit } from '../platform/ports.ts'
import { type Link, links } from '../storage/records/link.ts'
import { toRevocationWrites } from '../storage/records/upstream-revocation.ts'
import type { Write } from '../storage/store.ts'
import {
  findLink,
  type LinkName,
  type LinkPorts,
  type OpenLink,
  openTokens,
} from './custody-link.ts'
import type { UpstreamTokens } from './upstream.ts'

/** What leases are worked with. */
export interface LeasePorts extends LinkPorts {
  /** This process, as leases name it. */
  readonly holder: string
  readonly audit: Audit
  /** Waits before looking again. */
  readonly pause: (milliseconds: number) => Promise<void>
}

/** How long a lease holds, in seconds: longer than the deadline of any provider (10 s, UP-13). */
export const leaseSeconds = 15

/** How late after claiming it a lease may begin to be used, in seconds: the provider still has its time. */
const latestStartSeconds = 4

/** How long somebody who waits for another process waits before looking again, in milliseconds. */
export const lookMilliseconds = 150
/** How often they look: for two leases. */
const mostLooks = (2 * leaseSeconds * 1000) / lookMilliseconds

/** Waits before each attempt to write down what a provider answered, in milliseconds: it cannot be asked for twice. */
const savePauses = [0, 100, 200, 400, 800, 1600, 3200, 6400]

/** What is to be found out about a link. */
export interface Question<T> {
  /** The answer, if the link has it; undefined when the provider must be asked. What it throws ends the matter. */
  judge(link: OpenLink | undefined): T | undefined
  /** Asks the provider and writes down what it said with {@link saveResult}. */
  ask(leased: OpenLink): Promise<void>
}

/**
 * The answer to a question about a link, asking the provider under the lease when the link does not have it.
 *
 * @throws OAuthError `temporarily_unavailable` when others keep the lease for too long
 */
export async function settle<T>(
  ports: LeasePorts,
  name: LinkName,
  question: Question<T>,
): Promise<T> {
  for (let look = 0; look < mostLooks; look += 1) {
    const link = await findLink(ports, name)
    const answer = question.judge(link)
    if (answer !== undefined) return answer
    if (!link || isLeasedElsewhere(link.value, ports)) {
      await ports.pause(lookMilliseconds)
      continue
    }
    const leased = await claim(ports, link)
    if (leased) await question.ask(leased)
  }
  throw unavailable('upstream_lease_contended')
}

/**
 * Whether another process is asking the provider. In this one there is one question at a time for a link.
 * A lease that ends later than any could was taken by a clock that is ahead of ours: nobody waits for it.
 */
export function isLeasedElsewhere(
  { lease }: Link,
  { holder, clock }: Pick<LeasePorts, 'holder' | 'clock'>,
): boolean {
  if (lease === undefined || lease.holder === holder) return false
  const restSeconds = lease.until - clock.now()
  return restSeconds > 0 && restSeconds <= 2 * leaseSeconds
}

/**
 * Takes or renews the lease; undefined when the link was written meanwhile, or when taking it took so long
 * that it would not last.
 */
export async function claim(ports: LeasePorts, link: OpenLink): Promise<OpenLink | undefined> {
  const { store, clock, holder } = ports
  const at = clock.now()
  const { key, version } = link
  const after = findFormerHolder(link, holder)
  const lease = { holder, until: at + leaseSeconds, ...(after !== undefined && { after }) }
  const value: Link = { ...link.value, lease }
  const taken = await store.commit({
    check: [{ key, version }],
    set: [links.write(key, value)],
  })
  if (!taken || clock.now() > at + latestStartSeconds) return undefined
  const [entry] = await store.get([key])
  const stored = links.decode(entry)
  if (stored?.value.lease?.holder !== holder) return undefined
  return { ...stored, tokens: link.tokens }
}

/** Who held the lease before and may have spent these tokens; nobody, when they were spent under this one. */
function findFormerHolder({ value: { lease }, spent }: OpenLink, holder: string) {
  if (lease === undefined || spent !== undefined) return undefined
  return lease.holder === holder ? lease.after : lease.holder
}

/**
 * Whether the provider may refuse these tokens only because the former holder of the lease has spent them: once
 * for each of its tokens.
 */
export function isDoubtful({ value: { lease, doubtedAt }, spent }: OpenLink): boolean {
  return lease?.after !== undefined && doubtedAt === undefined && spent === undefined
}

/** The link when its tokens were refused in doubt: the former holder has another term to bring newer ones. */
export function toDoubted({ value }: OpenLink, now: number): Link {
  const holder = value.lease?.after ?? ''
  return { ...value, doubtedAt: now, lease: { holder, until: now + leaseSeconds } }
}

/**
 * Writes a result over the leased version, or new tokens over those that were spent for them, and nowhere
 * else. A store that is away for a moment is waited for, since what the provider answered may be the only
 * tokens that work.
 *
 * @param along what else is written with it
 * @returns false when somebody else's result stands instead
 */
export async function saveResult(
  ports: LeasePorts,
  leased: OpenLink,
  value: Link,
  along: readonly Write[] = [],
): Promise<boolean> {
  const { key } = leased
  let { version } = leased
  let fault: unknown
  for (const milliseconds of savePauses) {
    if (milliseconds > 0) await ports.pause(milliseconds)
    try {
      const change = { check: [{ key, version }], set: [links.write(key, value), ...along] }
      if (await ports.store.commit(change)) return true
      const again = await findVersion(ports, leased, value)
      // After a fault, what stands there may be what was written here.
      if (again === undefined) return fault !== undefined
      version = again
    } catch (error) {
      if (!(error instanceof OAuthError) || error.status !== 503) throw error
      fault = error
    }
  }
  throw fault
}

/**
 * The version to write over instead; undefined when there is none. Re-sealing writes a link anew and
 * leaves its lease alone. When the link went or ended, because nothing rests on it any more, its new tokens
 * go too.
 */
async function findVersion(
  ports: LeasePorts,
  { key, version, value: { lease }, spent }: OpenLink,
  value: Link,
): Promise<number | undefined> {
  const { store, clock } = ports
  const stored = links.decode((await store.get([key]))[0])
  if (stored) {
    const { holder, until } = stored.value.lease ?? {}
    if (holder === lease?.holder && until === lease?.until) return stored.version
    if (spent && isSame(openTokens(ports, stored), spent)) return stored.version
    if (!spent || stored.value.endedAt === undefined) return undefined
  }
  const writes = toRevocationWrites({ key, version, value }, clock.now(), 'late')
  if (writes.length > 0) await store.commit({ set: writes })
  return undefined
}

function isSame(held: UpstreamTokens | undefined, spent: UpstreamTokens): boolean {
  return held?.accessToken === spent.accessToken && held.refreshToken === spent.refreshToken
}
