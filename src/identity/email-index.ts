/** Who has which verified e-mail address: the index that linking by e-mail goes by. */
import { type Profile, usersByEmail } from '../storage/records/user.ts'
import type { Sealer } from '../storage/sealer.ts'
import type { Commit, Store } from '../storage/store.ts'
import { parseEmail } from './email.ts'

/** A commit, or the part of one, with all three lists. */
export type CommitPart = Required<Commit>

/** The index key of a profile's address; undefined when no provider verified one (catalogue UP-08). */
export function toEmailKey(sealer: Sealer, profile: Profile): string | undefined {
  if (profile.email === undefined || profile.emailVerified !== true) return undefined
  const email = parseEmail(profile.email)
  return email && usersByEmail.key(sealer.index(usersByEmail.prefix, email))
}

/** The writes that take a user out of one list of the index and into another. */
export async function toEmailMove(
  store: Store,
  userId: string,
  from: string | undefined,
  to: string | undefined,
): Promise<CommitPart> {
  if (from === to) return { check: [], set: [], delete: [] }
  const changed = [from, to].filter((key) => key !== undefined)
  const lists = (await store.get(changed)).map((entry) => usersByEmail.decode(entry))
  const parts = changed.map((key, at) => {
    const others = (lists[at]?.value.userIds ?? []).filter((id) => id !== userId)
    return {
      key,
      version: lists[at]?.version ?? null,
      userIds: key === to ? [...others, userId] : others,
    }
  })
  return {
    check: parts.map(({ key, version }) => ({ key, version })),
    set: parts
      .filter(({ userIds }) => userIds.length > 0)
      .map(({ key, userIds }) => usersByEmail.write(key, { userIds })),
    delete: parts.filter(({ userIds }) => userIds.length === 0).map(({ key }) => key),
  }
}
