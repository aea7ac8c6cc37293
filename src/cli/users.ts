/** `gatehouse users`: the people who may sign in. */
import { endGrants, listGrants } from '../identity/grant-ending.ts'
import type { KnownUser } from '../identity/profiles.ts'
import { localUpstream } from '../identity/users.ts'
import { users as userRecords } from '../storage/records/user.ts'
import { findId, listWritten, noteInAudit } from './audit-trail.ts'
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
  await withInstallation(options, async (installation) => {
    const role = options.role ?? ((await installation.users.any()) ? 'user' : 'owner')
    const { users } = noteInAudit(installation, (change) => {
      const userId = findId(listWritten(change), userRecords.prefix)
      const details = { upstream: localUpstream, role }
      return userId === undefined ? [] : [{ event: 'user.added', outcome: 'ok', userId, details }]
    })
    const user = await users.addLocal(email, password, role)
    print(`Added ${user.profile.login} as ${role}`)
  })
}

/** Options of `users passwd`. */
export interface PasswdOptions extends PasswordOptions {
  endGrants?: boolean
}

/**
 * Replaces a password and signs the user out everywhere: whoever knew the old one is out. Apps that were
 * connected stay unless asked otherwise, because most passwords are changed for being forgotten.
 */
export async function changePassword(email: string, options: PasswdOptions): Promise<void> {
  const password = await readPassword(options.passwordStdin === true)
  await withInstallation({ ...options, mustExist: true }, async (installation) => {
    const user = await findUser(installation, email)
    if (user.record.value.upstream !== localUpstream) {
      throw toFailure(
        `${email} signs in through ${user.record.value.upstream} and has no password here`,
      )
    }
    const { id: userId } = user.record.value
    const audited = noteInAudit(installation, (change) => {
      const isIt = findId(listWritten(change), userRecords.prefix) === userId
      return isIt ? [{ event: 'user.password_changed', outcome: 'ok', userId }] : []
    })
    await audited.users.setPassword(userId, password)
    print(`Changed the password of ${user.profile.login}; every session of theirs has ended`)
    if (options.endGrants !== true) {
      return print('Connected apps stay; end them as well with --end-grants')
    }
    const ended = await endAllGrants(audited, userId)
    print(`${ended} connected ${plural(ended)} ended`)
  })
}

async function endAllGrants(installation: Installation, userId: string): Promise<number> {
  let count = 0
  for await (const page of listGrants(installation.store, userId)) {
    const theirs = page.map(({ value }) => value)
    await endGrants(installation, theirs, 'revoked')
    count += theirs.length
  }
  return count
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
    const { id: userId } = known.record.value
    const { users } = noteInAudit(installation, ({ delete: gone = [] }) =>
      gone.includes(userRecords.key(userId))
        ? [
            {
              event: 'user.removed',
              outcome: 'ok',
              userId,
              details: { login: known.profile.login },
            },
          ]
        : [],
    )
    const ended = await users.remove(userId)
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
