/**
 * Somebody arrives from a provider: known, linked to a user who is known, or new.
 *
 * A person is the provider and the subject there (catalogue UP-08). An e-mail address makes two of them
 * one person only where the owner asked for it, because then whoever controls the address at any of the
 * providers is that user: see {@link ArrivalRules.linkByVerifiedEmail}.
 */
import type { Clock } from '../platform/clock.ts'
import type { Random } from '../platform/crypto.ts'
import {
  type Profile,
  type UpstreamLogin,
  type User,
  users,
  usersByEmail,
  usersByUpstream,
} from '../storage/records/user.ts'
import type { Sealer } from '../storage/sealer.ts'
import type { Commit, Store } from '../storage/store.ts'
import { toAccountName } from './admission.ts'
import { notAdmitted } from './admit.ts'
import { type CommitPart, toEmailKey, toEmailMove } from './email-index.ts'
import { findInvitations } from './invitations.ts'
import { toUpstreamKey } from './login-key.ts'
import { isSameProfile, type KnownUser, openUser, sealProfile, toProfile } from './profiles.ts'
import { winRace } from './races.ts'
import type { Identity } from './upstream.ts'

/** What becomes of people who come for the first time. */
export interface ArrivalRules {
  /** Only who was invited becomes a user. Default false. */
  readonly invitedOnly?: boolean | undefined
  /**
   * Whether a person with an address that both providers verified is the user who came with it from
   * another provider. Never a local account, whose address nobody verified. Default false.
   */
  readonly linkByVerifiedEmail?: boolean | undefined
  /** What the provider is called. Default: its id. */
  readonly label?: string | undefined
  /** Told of a user who is new, or newly linked, right after the commit that made them so. */
  readonly onNews?: ((news: ArrivalNews) => void) | undefined
}

/** What somebody's arrival changed. */
export interface ArrivalNews {
  readonly kind: 'added' | 'linked'
  readonly userId: string
  readonly role: User['role']
  /** Whether an invitation was used up. */
  readonly isInvited: boolean
}

/** What users are written with. */
export interface UserPorts {
  readonly store: Store
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
}

/** A user who is about to be: how they sign in, and what they may. */
export type UserDraft = UpstreamLogin & Pick<User, 'role'> & Pick<Partial<User>, 'sealedPassword'>

/** Makes ids of 22 characters, out of no space that client ids come from (catalogue JW-17). */
const userIdBytes = 16

/**
 * The user of an identity; see `Users.admit`.
 *
 * @throws OAuthError `access_denied` (`not_invited`) when only invited people may come and they were not
 */
export async function receive(
  ports: UserPorts,
  upstream: string,
  identity: Identity,
  rules: ArrivalRules = {},
): Promise<KnownUser> {
  const lookupKey = toUpstreamKey(ports, upstream, identity.subject)
  const login = { upstream, lookupKey }
  return winRace(async () => {
    const [entry] = await ports.store.get([lookupKey])
    const pointer = usersByUpstream.decode(entry)
    if (pointer) return update(ports, pointer.value.userId, login, toProfile(identity))
    const linkable =
      rules.linkByVerifiedEmail === true ? await findLinkable(ports, upstream, identity) : undefined
    const known = linkable
      ? await link(ports, linkable, login)
      : await create(ports, login, identity, rules)
    if (!known) return undefined
    const { user, ...news } = known
    const { id: userId, role } = user.record.value
    rules.onNews?.({ ...news, userId, role })
    return user
  })
}

/** A user's id for whoever is about to be one. */
export function mintUserId({ random }: UserPorts): string {
  return random(userIdBytes)
}

/**
 * Stores a new user behind a lookup key that nobody may hold yet; undefined when somebody does, or when
 * what happens along with it was overtaken.
 */
export async function addUser(
  ports: UserPorts,
  id: string,
  { draft, profile }: { readonly draft: UserDraft; readonly profile: Profile },
  along: Commit = {},
): Promise<KnownUser | undefined> {
  const { store, sealer, clock } = ports
  const emailKey = toEmailKey(sealer, profile)
  const move = await toEmailMove(store, id, undefined, emailKey)
  const user: User = {
    ...draft,
    id,
    sealedProfile: sealProfile(sealer, id, profile),
    ...(emailKey !== undefined && { emailKey }),
    createdAt: clock.now(),
  }
  const added = await store.commit({
    check: [...(along.check ?? []), ...move.check, { key: user.lookupKey, version: null }],
    set: [
      ...(along.set ?? []),
      ...move.set,
      users.write(users.key(id), user),
      usersByUpstream.write(user.lookupKey, { userId: id }),
    ],
    delete: [...(along.delete ?? []), ...move.delete],
  })
  return added ? findUser(ports, id) : undefined
}

/** A user with their profile. */
export async function findUser(
  { store, sealer }: Pick<UserPorts, 'store' | 'sealer'>,
  userId: string,
): Promise<KnownUser | undefined> {
  const record = await users.find(store, userId)
  return record && openUser(sealer, record)
}

/** The profile follows the provider that the user first came from; a linked one says nothing of them. */
async function update(
  ports: UserPorts,
  userId: string,
  { upstream }: UpstreamLogin,
  profile: Profile,
): Promise<KnownUser | undefined> {
  const { store, sealer } = ports
  const known = await findUser(ports, userId)
  if (!known || known.record.value.upstream !== upstream) return known
  const { key, value, version } = known.record
  const emailKey = toEmailKey(sealer, profile)
  if (isSameProfile(known.profile, profile) && value.emailKey === emailKey) return known
  const move = await toEmailMove(store, userId, value.emailKey, emailKey)
  const { emailKey: _, ...rest } = value
  const sealedProfile = sealProfile(sealer, userId, profile)
  const next: User = { ...rest, sealedProfile, ...(emailKey !== undefined && { emailKey }) }
  const updated = await store.commit({
    check: [...move.check, { key, version }],
    set: [...move.set, users.write(key, next)],
    delete: move.delete,
  })
  return updated ? findUser(ports, userId) : undefined
}

/** A user to whom a login may be added, and what must still hold when it is. */
interface Linkable {
  readonly user: KnownUser
  readonly check: CommitPart['check']
}

/** The only user with this verified address, when they came from another provider. */
async function findLinkable(
  ports: UserPorts,
  upstream: string,
  identity: Identity,
): Promise<Linkable | undefined> {
  const emailKey = toEmailKey(ports.sealer, toProfile(identity))
  if (emailKey === undefined) return undefined
  const list = usersByEmail.decode((await ports.store.get([emailKey]))[0])
  const [userId, ...others] = list?.value.userIds ?? []
  if (list === undefined || userId === undefined || others.length > 0) return undefined
  const user = await findUser(ports, userId)
  if (!user) return undefined
  const { otherLogins = [], ...value } = user.record.value
  const isFromHere = [value, ...otherLogins].some((login) => login.upstream === upstream)
  if (isFromHere) return undefined
  return { user, check: [{ key: emailKey, version: list.version }] }
}

/** A user whom an arrival changed, and how. */
type Arrived = { readonly user: KnownUser } & Pick<ArrivalNews, 'kind' | 'isInvited'>

async function link(
  ports: UserPorts,
  { user, check }: Linkable,
  login: UpstreamLogin,
): Promise<Arrived | undefined> {
  const { key, value, version } = user.record
  const otherLogins = [...(value.otherLogins ?? []), login]
  const linked = await ports.store.commit({
    check: [...check, { key, version }, { key: login.lookupKey, version: null }],
    set: [
      users.write(key, { ...value, otherLogins }),
      usersByUpstream.write(login.lookupKey, { userId: value.id }),
    ],
  })
  const known = linked ? await findUser(ports, value.id) : undefined
  return known && { user: known, kind: 'linked', isInvited: false }
}

async function create(
  ports: UserPorts,
  login: UpstreamLogin,
  identity: Identity,
  { invitedOnly, label = login.upstream }: ArrivalRules,
): Promise<Arrived | undefined> {
  const used = await findInvitations(ports, login.upstream, identity)
  if (invitedOnly === true && used.length === 0) {
    throw notAdmitted(label, toAccountName(identity), 'not_invited')
  }
  const role = used.some(({ value }) => value.role === 'owner') ? 'owner' : 'user'
  const person = { draft: { ...login, role } as const, profile: toProfile(identity) }
  const user = await addUser(ports, mintUserId(ports), person, {
    check: used.map(({ key, version }) => ({ key, version })),
    delete: used.map(({ key }) => key),
  })
  return user && { user, kind: 'added', isInvited: used.length > 0 }
}
