/** The people who may sign in. */
import { OAuthError } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Random } from '../platform/crypto.ts'
import { hashPassword, type PasswordAttempt, verifyPassword } from '../platform/scrypt.ts'
import { sessions, userSessions } from '../storage/records/session.ts'
import { type User, users, usersByLogin } from '../storage/records/user.ts'
import type { Sealer } from '../storage/sealer.ts'
import type { Commit, Store } from '../storage/store.ts'
import { type ArrivalRules, addUser, findUser, mintUserId, receive } from './arrivals.ts'
import { parseEmail } from './email.ts'
import { parseLocalEmail, parseNewPassword, parsePresentedPassword } from './local.ts'
import { type KnownUser, openUser } from './profiles.ts'
import { winRace } from './races.ts'
import { removeUser } from './removal.ts'
import type { Identity } from './upstream.ts'

/** Finds, creates and removes users. Every write is one commit. */
export interface Users {
  find(userId: string): Promise<KnownUser | undefined>
  /** Whether there is anybody: whoever came while nobody signed in is nobody. */
  any(): Promise<boolean>
  list(): Promise<KnownUser[]>
  /** The local user with this e-mail address, however it is spelt. */
  findByLogin(login: string): Promise<KnownUser | undefined>
  /**
   * The local user with this e-mail and password, or undefined. Takes as long for an unknown e-mail
   * as for a wrong password.
   *
   * @throws OAuthError `temporarily_unavailable` when a crowd prevents that the password is looked at
   */
  verifyPassword(
    email: string,
    password: string,
    attempt?: PasswordAttempt,
  ): Promise<KnownUser | undefined>
  /**
   * @param along what else has to happen with it, or nothing does
   * @throws OAuthError `invalid_request` when the e-mail is malformed or taken, or the password too short
   */
  addLocal(email: string, password: string, role: User['role'], along?: Commit): Promise<KnownUser>
  /**
   * Replaces the password and ends every session: whoever knew the old one is out.
   *
   * @throws OAuthError `invalid_request` when there is no such user or the password is too short
   */
  setPassword(userId: string, password: string): Promise<void>
  /**
   * The user of an upstream identity, created at first sign-in; the profile is brought up to date.
   *
   * @throws OAuthError `access_denied` (`not_invited`) when only invited people may come and they were not
   */
  admit(upstreamId: string, identity: Identity, rules?: ArrivalRules): Promise<KnownUser>
  /** Removes the user, their sessions and every grant they gave. Returns the ids of the grants that ended. */
  remove(userId: string): Promise<string[]>
}

/** What users are built from. */
export interface UserOptions {
  readonly store: Store
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  /** For how long the access tokens of a removed user's grants must be refused, in seconds. */
  readonly accessTokenSeconds: number
}

/** The provider, so to speak, of people with an e-mail address and a password here. */
export const localUpstream = 'local'

/** The provider, so to speak, of the one account that all share while nobody signs in (A7). */
export const sharedUpstream = 'no-sign-in'

/** The provider, so to speak, of people for whom the program around us vouches (A9). */
export const hostUpstream = 'host-program'

const passwordPurpose = 'user-password'

/** Users over a store. */
export function createUsers(options: UserOptions): Users {
  const { store, sealer } = options
  return {
    find: (userId) => findUser(options, userId),
    any: async () => {
      const [one, other] = await users.list(store, [], { limit: 2 })
      return other !== undefined || (one !== undefined && one.value.upstream !== sharedUpstream)
    },
    list: async () => (await users.all(store)).map((record) => openUser(sealer, record)),
    findByLogin: (login) => findByLogin(options, login),
    verifyPassword: (...attempt) => findByPassword(options, ...attempt),
    addLocal: (email, password, role, along) => addLocal(options, { email, password, role }, along),
    setPassword: (userId, password) => setPassword(options, userId, password),
    admit: (...arrival) => receive(options, ...arrival),
    remove: (userId) => removeUser(options, userId),
  }
}

async function findByLogin(options: UserOptions, login: string): Promise<KnownUser | undefined> {
  const email = parseEmail(login)
  if (email === undefined) return undefined
  const [entry] = await options.store.get([toLoginKey(options.sealer, email)])
  const pointer = usersByLogin.decode(entry)
  return pointer && findUser(options, pointer.value.userId)
}

async function findByPassword(
  options: UserOptions,
  ...[email, password, attempt]: Parameters<Users['verifyPassword']>
) {
  const presented = parsePresentedPassword(password)
  if (presented === undefined) return undefined
  const user = await findByLogin(options, email)
  const hash = user && openPassword(options.sealer, user.record.value)
  return (await verifyPassword(presented, hash, attempt)) ? user : undefined
}

async function addLocal(
  options: UserOptions,
  wanted: { email: string; password: string; role: User['role'] },
  along?: Commit,
): Promise<KnownUser> {
  const email = parseLocalEmail(wanted.email)
  const password = parseNewPassword(wanted.password)
  const lookupKey = toLoginKey(options.sealer, email)
  const [taken] = await options.store.get([lookupKey])
  const add = async () => {
    const id = mintUserId(options)
    const sealedPassword = options.sealer.seal(passwordPurpose, id, await hashPassword(password))
    const draft = { role: wanted.role, upstream: localUpstream, lookupKey, sealedPassword }
    return addUser(options, id, { draft, profile: { login: email, email } }, along)
  }
  const added = taken ? undefined : await add()
  if (added) return added
  throw new OAuthError('invalid_request', 'There is already a user with this e-mail address', {
    reason: 'email_taken',
  })
}

async function setPassword(options: UserOptions, userId: string, password: string) {
  const { store, sealer } = options
  const hash = await hashPassword(parseNewPassword(password))
  await winRace(async () => {
    const user = await users.find(store, userId)
    if (!user)
      throw new OAuthError('invalid_request', 'There is no such user', { reason: 'no_user' })
    const listed = await userSessions.find(store, userId)
    const sealedPassword = sealer.seal(passwordPurpose, userId, hash)
    const replaced = await store.commit({
      check: [
        { key: user.key, version: user.version },
        { key: userSessions.key(userId), version: listed?.version ?? null },
      ],
      set: [users.write(user.key, { ...user.value, sealedPassword })],
      delete: [
        userSessions.key(userId),
        ...(listed?.value.hashes ?? []).map((hash) => sessions.key(hash)),
      ],
    })
    return replaced || undefined
  })
}

function openPassword(sealer: Sealer, { id, sealedPassword }: User): string | undefined {
  return sealedPassword === undefined ? undefined : sealer.open(passwordPurpose, id, sealedPassword)
}

function toLoginKey(sealer: Sealer, email: string): string {
  return usersByLogin.key(sealer.index(usersByLogin.prefix, email))
}
