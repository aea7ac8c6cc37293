/**
 * Ending grants, and with the last one that rests on a provider what that provider gave.
 *
 * The provider's tokens leave the link in the commit that ends the grant, to be revoked in the background;
 * who signed in there is signed out, so that the way back leads through the provider and its new tokens.
 * Of two last grants that end at the same moment one sees the other: each checks in its commit that the
 * grant for whose sake it keeps the tokens is still there.
 */
import type { Clock } from '../platform/clock.ts'
import {
  type EndReason,
  type Grant,
  grants,
  toGrantEnd,
  userGrants,
} from '../storage/records/grant.ts'
import { installations } from '../storage/records/key.ts'
import { type Link, links } from '../storage/records/link.ts'
import type { Stored } from '../storage/records/record.ts'
import { sessions, userSessions } from '../storage/records/session.ts'
import { toRevocationWrites } from '../storage/records/upstream-revocation.ts'
import type { Commit, Store } from '../storage/store.ts'
import { winRace } from './races.ts'

/** What grants are ended with. */
export interface EndingPorts {
  readonly store: Store
  readonly clock: Clock
  /** For how long the access tokens of an ended grant must be refused, in seconds. */
  readonly accessTokenSeconds: number
}

/** As much of a grant as its index entries tell. With its `upstream` it need not be read. */
export type GrantName = Pick<Grant, 'id' | 'userId' | 'clientId' | 'upstream'>

const grantsPerCommit = 100

/** Ends grants in slices of one commit each. Ending a grant twice does no harm. */
export async function endGrants(
  ports: EndingPorts,
  ended: readonly GrantName[],
  why: EndReason,
): Promise<void> {
  for (let from = 0; from < ended.length; from += grantsPerCommit) {
    const slice = ended.slice(from, from + grantsPerCommit)
    await winRace(() => tryEnd(ports, slice, why))
  }
}

/** How long access tokens may live, as every instance on this store agreed at its start, in seconds. */
export async function findAccessTokenSeconds(store: Store, configured: number): Promise<number> {
  return (await installations.find(store, 'self'))?.value.accessTokenSeconds ?? configured
}

async function tryEnd(
  { store, clock, accessTokenSeconds }: EndingPorts,
  slice: readonly GrantName[],
  why: EndReason,
): Promise<true | undefined> {
  const at = clock.now()
  const known = slice.filter(({ upstream }) => upstream !== undefined)
  const unread = slice.filter(({ upstream }) => upstream === undefined)
  const found = [...known, ...(await readGrants(store, unread))]
  const parts = [
    ...slice.map((grant) => toGrantEnd(grant, why, at, accessTokenSeconds)),
    ...(await planReleases(store, found, at)),
  ]
  return (await store.commit(joinCommits(parts))) || undefined
}

async function readGrants(store: Store, named: readonly GrantName[]): Promise<Grant[]> {
  if (named.length === 0) return []
  const entries = await store.get(named.map(({ id }) => grants.key(id)))
  return entries.flatMap((entry) => grants.decode(entry)?.value ?? [])
}

/** A person at a provider. */
interface Tie {
  readonly userId: string
  readonly upstreamId: string
}

/** What the end of these grants means for the tokens of providers. */
async function planReleases(
  store: Store,
  ending: readonly GrantName[],
  at: number,
): Promise<Commit[]> {
  const ties = new Map<string, Tie>()
  for (const { userId, upstream } of ending) {
    if (upstream !== undefined)
      ties.set(links.key(userId, upstream), { userId, upstreamId: upstream })
  }
  if (ties.size === 0) return []
  const known = (await store.get([...ties.keys()])).flatMap((entry) => links.decode(entry) ?? [])
  const ids = new Set(ending.map(({ id }) => id))
  const plans: Commit[] = []
  const signedOut = new Map<string, string[]>()
  for (const link of known) {
    const tie = ties.get(link.key)
    if (tie === undefined || link.value.sealedTokens === undefined) continue
    const other = await findOtherGrant(store, tie, ids)
    if (other) {
      plans.push({ check: [{ key: other.key, version: other.version }] })
      continue
    }
    plans.push(planLinkRelease(link, at))
    signedOut.set(tie.userId, [...(signedOut.get(tie.userId) ?? []), tie.upstreamId])
  }
  for (const [userId, upstreamIds] of signedOut) {
    plans.push(await planSignOut(store, userId, upstreamIds))
  }
  return plans
}

/** A grant of the person at the provider that does not end now. */
async function findOtherGrant(
  store: Store,
  { userId, upstreamId }: Tie,
  ending: ReadonlySet<string>,
): Promise<Stored<Grant> | undefined> {
  for await (const page of listGrants(store, userId)) {
    const other = page.find(({ value }) => value.upstream === upstreamId && !ending.has(value.id))
    if (other) return other
  }
  return undefined
}

/** The grants of a user, page by page. */
export async function* listGrants(store: Store, userId: string): AsyncGenerator<Stored<Grant>[]> {
  for await (const entries of userGrants.pages(store, [userId], grantsPerCommit)) {
    const ids = entries.map(({ key }) => key.slice(userGrants.key(userId, '').length))
    const found = await store.get(ids.map((id) => grants.key(id)))
    yield found.flatMap((entry) => grants.decode(entry) ?? [])
  }
}

/** The link goes; its tokens are handed over to be revoked. */
export function planLinkRelease(link: Stored<Link>, at: number): Commit {
  return {
    check: [{ key: link.key, version: link.version }],
    set: toRevocationWrites(link, at),
    delete: [link.key],
  }
}

/** Ends the sessions that the person opened through one of these providers. */
export async function planSignOut(
  store: Store,
  userId: string,
  upstreamIds: readonly string[],
): Promise<Commit> {
  const listed = await userSessions.find(store, userId)
  if (!listed || listed.value.hashes.length === 0) return {}
  const entries = await store.get(listed.value.hashes.map((hash) => sessions.key(hash)))
  const theirs = entries.flatMap((entry) => {
    const session = sessions.decode(entry)
    return upstreamIds.includes(session?.value.upstream ?? '') && session ? [session.key] : []
  })
  return { check: [{ key: listed.key, version: listed.version }], delete: theirs }
}

/** What the removal of a user means for the tokens of providers: all of them go. */
export async function planLinkRemoval(store: Store, userId: string, at: number): Promise<Commit> {
  const held = await links.list(store, [userId])
  return joinCommits(held.map((link) => planLinkRelease(link, at)))
}

/** One commit of several. */
function joinCommits(parts: readonly Commit[]): Commit {
  return {
    check: parts.flatMap(({ check = [] }) => check),
    set: parts.flatMap(({ set = [] }) => set),
    delete: parts.flatMap((part) => part.delete ?? []),
  }
}
