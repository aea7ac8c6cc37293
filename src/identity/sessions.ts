/**
 * Browser sign-in sessions: opaque cookies over revocable records.
 *
 * A cookie is 256 random bits of which only the SHA-256 is stored (catalogue P6). Opening a session
 * and noting it in the user's list is one commit, so that removing a user finds every session.
 */
import { OAuthError } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import { type Random, sha256 } from '../platform/crypto.ts'
import { type Session, sessions, userSessions } from '../storage/records/session.ts'
import { users as userRecords } from '../storage/records/user.ts'
import type { Store } from '../storage/store.ts'
import type { KnownUser } from './profiles.ts'
import { winRace } from './races.ts'
import type { Users } from './users.ts'

/** A session as the request's cookie named it. */
export interface LiveSession {
  /** SHA-256 of the cookie: the session's key. */
  readonly hash: string
  readonly user: KnownUser
  /** How the person signed in: `local` or the id of a provider. */
  readonly upstream: string
  /** The application there in whose name they did. */
  readonly applicationId?: string | undefined
}

/** How the person proved who they are. */
export interface SignInProof {
  /** The provider that vouches for them. Default: the user's own. */
  readonly upstream?: string
  /** The application there in whose name they were asked. */
  readonly applicationId?: string | undefined
  /** What the user's record held when the person proved to know the password. */
  readonly sealedPassword?: string | undefined
}

/** Opens and ends sessions. */
export interface Sessions {
  /**
   * The cookie value of a new session. At most five a user: the oldest ends.
   *
   * @throws OAuthError `access_denied` when the user is gone or has another password by now: whoever knew
   *   the old one is out
   */
  open(userId: string, proof?: SignInProof): Promise<string>
  /** The live session of a cookie value; undefined when there is none or its user is gone. */
  find(cookie: string | undefined): Promise<LiveSession | undefined>
  end(cookie: string): Promise<void>
}

/** What sessions are built from. */
export interface SessionOptions {
  readonly store: Store
  readonly users: Users
  readonly clock: Clock
  readonly random: Random
  /** Lifetime of a session, in seconds. */
  readonly sessionSeconds: number
  /** Sessions one user may have at a time. Default 5. */
  readonly maxPerUser?: number
}

const cookieBytes = 32
const cookieShape = /^[A-Za-z0-9_-]{43}$/

/** Sessions over a store. */
export function createSessions(options: SessionOptions): Sessions {
  const { store, users, random } = options
  return {
    open: async (userId, proof = {}) => {
      const cookie = random(cookieBytes)
      const opening = { userId, hash: sha256(cookie), ...proof }
      await winRace(() => tryOpen(options, opening))
      return cookie
    },
    find: async (cookie) => {
      if (cookie === undefined || !cookieShape.test(cookie)) return undefined
      const hash = sha256(cookie)
      const session = await sessions.find(store, hash)
      const user = session && (await users.find(session.value.userId))
      if (!user) return undefined
      const { upstream = user.record.value.upstream, applicationId } = session.value
      return { hash, user, upstream, applicationId }
    },
    end: async (cookie) => {
      await winRace(() => tryEnd(options, sha256(cookie)))
    },
  }
}

async function tryOpen(
  { store, clock, sessionSeconds, maxPerUser = 5 }: SessionOptions,
  {
    userId,
    hash,
    upstream,
    applicationId,
    sealedPassword,
  }: SignInProof & { userId: string; hash: string },
): Promise<true | undefined> {
  const user = await userRecords.find(store, userId)
  if (!user || (sealedPassword ?? user.value.sealedPassword) !== user.value.sealedPassword) {
    throw accountChanged()
  }
  const listed = await userSessions.find(store, userId)
  const hashes = [...(listed?.value.hashes ?? []), hash]
  const tooMany = hashes.splice(0, Math.max(0, hashes.length - maxPerUser))
  const now = clock.now()
  const session: Session = {
    userId,
    upstream: upstream ?? user.value.upstream,
    ...(applicationId !== undefined && { applicationId }),
    createdAt: now,
    expiresAt: now + sessionSeconds,
  }
  const listKey = userSessions.key(userId)
  const opened = await store.commit({
    check: [
      { key: user.key, version: user.version },
      { key: listKey, version: listed?.version ?? null },
    ],
    set: [
      sessions.write(sessions.key(hash), session, session.expiresAt),
      userSessions.write(listKey, { hashes }, session.expiresAt),
    ],
    delete: tooMany.map((old) => sessions.key(old)),
  })
  return opened || undefined
}

async function tryEnd(
  { store, clock, sessionSeconds }: SessionOptions,
  hash: string,
): Promise<true | undefined> {
  const session = await sessions.find(store, hash)
  if (!session) return true
  const listed = await userSessions.find(store, session.value.userId)
  if (!listed) return (await store.commit({ delete: [session.key] })) || undefined
  const hashes = listed.value.hashes.filter((other) => other !== hash)
  const ended = await store.commit({
    check: [{ key: listed.key, version: listed.version }],
    set: [userSessions.write(listed.key, { hashes }, clock.now() + sessionSeconds)],
    delete: [session.key],
  })
  return ended || undefined
}

function accountChanged(): OAuthError {
  return new OAuthError(
    'access_denied',
    'The account was changed during the sign-in; go back to the app and connect again',
    { reason: 'account_changed' },
  )
}
