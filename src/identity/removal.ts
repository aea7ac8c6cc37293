/**
 * Removing a user: the person, every way in that led to them, their sessions, every grant they gave, and
 * what identity providers gave us for them, which is revoked there in the background.
 *
 * The first commit takes the user, the sessions and up to a hundred grants at once, which is all
 * there is for nearly everyone. Whatever is left after it belongs to nobody, so its refresh tokens
 * are refused already (catalogue RF-16); it is ended in further slices, also when a removal that was
 * cut short is repeated.
 */
import type { Clock } from '../platform/clock.ts'
import { toGrantEnd, userGrants } from '../storage/records/grant.ts'
import { sessions, userSessions } from '../storage/records/session.ts'
import { removedUsers, users } from '../storage/records/user.ts'
import type { Commit, Store } from '../storage/store.ts'
import { toEmailMove } from './email-index.ts'
import { planLinkRemoval } from './grant-ending.ts'
import { winRace } from './races.ts'

/** What a removal is done with. */
export interface RemovalOptions {
  readonly store: Store
  readonly clock: Clock
  /** For how long the access tokens of the ended grants must be refused, in seconds. */
  readonly accessTokenSeconds: number
}

/** The writes that end some grants, and the ids of those grants. */
interface Slice {
  readonly ids: readonly string[]
  readonly set: NonNullable<Commit['set']>
  readonly delete: readonly string[]
}

const grantsPerCommit = 100

/** Removes a user with all that depends on them. Returns the ids of the grants that ended. */
export async function removeUser(options: RemovalOptions, userId: string): Promise<string[]> {
  const ended = await winRace(() => tryRemove(options, userId))
  for (;;) {
    const slice = await findGrants(options, userId)
    if (slice.ids.length === 0) break
    await options.store.commit({ set: slice.set, delete: slice.delete })
    ended.push(...slice.ids)
  }
  await removeLateLinks(options, userId)
  return ended
}

/** A sign-in that ran at the same time may have left a provider's tokens behind. */
async function removeLateLinks({ store, clock }: RemovalOptions, userId: string): Promise<void> {
  await winRace(async () => {
    const links = await planLinkRemoval(store, userId, clock.now())
    if (!links.delete?.length) return true
    return (await store.commit(links)) || undefined
  })
}

async function tryRemove(options: RemovalOptions, userId: string): Promise<string[] | undefined> {
  const { store } = options
  const user = await users.find(store, userId)
  if (!user) return []
  const listed = await userSessions.find(store, userId)
  const [slice, links] = await Promise.all([
    findGrants(options, userId),
    planLinkRemoval(store, userId, options.clock.now()),
  ])
  const { lookupKey, otherLogins = [], emailKey } = user.value
  const unlisted = await toEmailMove(store, userId, emailKey, undefined)
  const removed = await store.commit({
    check: [
      { key: user.key, version: user.version },
      { key: userSessions.key(userId), version: listed?.version ?? null },
      ...unlisted.check,
      ...(links.check ?? []),
    ],
    set: [
      removedUsers.write(removedUsers.key(userId), { at: options.clock.now() }),
      ...unlisted.set,
      ...(links.set ?? []),
      ...slice.set,
    ],
    delete: [
      user.key,
      lookupKey,
      ...otherLogins.map((login) => login.lookupKey),
      ...unlisted.delete,
      ...(links.delete ?? []),
      userSessions.key(userId),
      ...(listed?.value.hashes ?? []).map((hash) => sessions.key(hash)),
      ...slice.delete,
    ],
  })
  return removed ? [...slice.ids] : undefined
}

async function findGrants(options: RemovalOptions, userId: string): Promise<Slice> {
  const { store, clock, accessTokenSeconds } = options
  const entries = await userGrants.list(store, [userId], { limit: grantsPerCommit })
  const at = clock.now()
  const gone = entries.map(({ key, value }) => {
    const id = key.slice(userGrants.key(userId, '').length)
    const { clientId } = value
    return { id, ...toGrantEnd({ id, userId, clientId }, 'user_removed', at, accessTokenSeconds) }
  })
  return {
    ids: gone.map(({ id }) => id),
    set: gone.flatMap((end) => end.set),
    delete: gone.flatMap((end) => end.delete),
  }
}
