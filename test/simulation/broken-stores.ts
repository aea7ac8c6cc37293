/** Stores that break their contract, each in one way: the simulation must notice every one. */
import { memoryStore } from '../../src/storage/memory.ts'
import { codes } from '../../src/storage/records/code.ts'
import { families } from '../../src/storage/records/family.ts'
import { endedGrants } from '../../src/storage/records/grant.ts'
import { removedUsers } from '../../src/storage/records/user.ts'
import type { Commit, Store } from '../../src/storage/store.ts'
import type { MakeStore } from './world.ts'

/** A memory store whose commits are changed on their way. */
function changing(change: (commit: Commit) => Commit): MakeStore {
  return (options) => {
    const store = memoryStore(options)
    return { ...store, commit: (commit) => store.commit(change(commit)) }
  }
}

function withoutChecks(prefix: string): MakeStore {
  return changing((commit) => ({
    ...commit,
    check: (commit.check ?? []).filter(({ key }) => !key.startsWith(prefix)),
  }))
}

/** A store that does something else every n-th time. */
function everyNth(
  count: number,
  otherwise: (store: Store, commit: Commit) => Promise<boolean>,
): MakeStore {
  return (options) => {
    const store = memoryStore(options)
    let commits = 0
    return {
      ...store,
      commit(commit) {
        commits += 1
        return commits % count === 0 ? otherwise(store, commit) : store.commit(commit)
      },
    }
  }
}

/** By what is wrong with them. */
export const brokenStores: Record<string, MakeStore> = {
  'forgets the version of families': withoutChecks(families.key('')),
  'forgets the version of codes': withoutChecks(codes.key('')),
  'forgets who was removed': withoutChecks(removedUsers.key('')),
  'acknowledges what it did not keep': everyNth(15, async () => true),
  'keeps half of a commit': everyNth(9, async (store, { set = [], ...rest }) =>
    store.commit({ ...rest, set: set.slice(0, Math.ceil(set.length / 2)) }),
  ),
  'loses the marks of ended grants': changing(({ set = [], ...rest }) => ({
    ...rest,
    set: set.filter(({ key }) => !key.startsWith(endedGrants.key(''))),
  })),
  'deletes nothing': changing(({ delete: _, ...rest }) => rest),
  'expires nothing': changing(({ set = [], ...rest }) => ({
    ...rest,
    set: set.map(({ key, value }) => ({ key, value })),
  })),
  'expires everything a day early': changing(({ set = [], ...rest }) => ({
    ...rest,
    set: set.map(({ expiresAt, ...write }) => ({
      ...write,
      ...(expiresAt !== undefined && { expiresAt: expiresAt - 86_400 }),
    })),
  })),
}
