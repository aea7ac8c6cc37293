/** `gatehouse users`: the people who may sign in. */

import type { KnownUser } from '../identity/profiles.ts'
import { localUpstream } from '../identity/users.ts'
import { toFailure } from './failure.ts'
import { type Installation, withInstallation } from './installation.ts'
import { print, printRecords, renderTime } from './output.ts'
import { readPassword } from './password.ts'
import type { DataOptions } from './settings.ts'

/** Options of `users add` and `users passwd`. */
export interface PasswordOptions extends DataOptions {
  passwordStdin?: boolean
  role?: 'owner' | 'user'
}

/** Adds a local account. The first one is the owner unless another role is asked for. */
export async function addUser(email: string, options: PasswordOptions): Promise<void> {
  const password = await readPassword(options.passwordStdin === true)
  await withInstallation(options, async ({ users }) => {
    const role = options.role ?? ((await users.any()) ? 'user' : 'owner')
    const user = await users.addLocal(email, password, role)
    print(`Added ${user.profile.login} as ${role}`)
  })
}

/** Replaces a password and signs the user out everywhere. */
export async function changePassword(email: string, options: PasswordOptions): Promise<void> {
  const password = await readPassword(options.passwordStdin === true)
  await withInstallation({ ...options, mustExist: true }, async (installation) => {
    const user = await findUser(installation, email)
    if (user.record.value.upstream !== localUpstream) {
      throw toFailure(
        `${email} signs in through ${user.record.value.upstream} and has no password here`,
      )
    }
    await installation.users.setPassword(user.record.value.id, password)
    print(`Changed the password of ${user.profile.login}; every session of theirs has ended`)
  })
}

/** Lists everyone who may sign in. */
export async function listUsers(options: DataOptions & { json?: boolean }): Promise<void> {
  await withInstallation({ ...options, mustExist: true }, async ({ users }) => {
    const rows = (await users.list()).map(({ record: { value }, profile }) => ({
      login: profile.login,
      name: profile.name ?? '',
      role: value.role,
      upstream: value.upstream,
      linked_upstreams: (value.otherLogins ?? []).map(({ upstream }) => upstream),
      id: value.id,
      created_at: value.createdAt,
    }))
    printRecords(
      rows,
      {
        columns: ['LOGIN', 'NAME', 'ROLE', 'SIGNS IN WITH', 'ADDED', 'ID'],
        toRow: (row) => [
          row.login,
          row.name,
          row.role,
          [row.upstream, ...row.linked_upstreams].join(', '),
          renderTime(row.created_at),
          row.id,
        ],
        empty: 'No users yet; add one with: gatehouse users add EMAIL',
      },
      options.json === true,
    )
  })
}

/** Removes a user, their sessions and every grant they gave. */
export async function removeUser(user: string, options: DataOptions): Promise<void> {
  await withInstallation({ ...options, mustExist: true }, async (installation) => {
    const known = await findUser(installation, user)
    const ended = await installation.users.remove(known.record.value.id)
    print(`Removed ${known.profile.login}; ${ended.length} connected ${plural(ended.length)} ended`)
  })
}

function plural(count: number): string {
  return count === 1 ? 'app' : 'apps'
}

/** A user by e-mail address, by login at a provider, or by id. */
async function findUser({ users }: Installation, name: string): Promise<KnownUser> {
  const exact = (await users.findByLogin(name)) ?? (await users.find(name))
  if (exact !== undefined) return exact
  const [found, ...others] = (await users.list()).filter(({ profile }) => profile.login === name)
  if (others.length > 0) {
    throw toFailure(`Several users are called ${name}; name one by the id of: gatehouse users list`)
  }
  if (found !== undefined) return found
  throw toFailure(`There is no user ${name}; see: gatehouse users list`)
}
