/**
 * Invitations: who may sign in for the first time although only invited people may.
 *
 * An address counts only where a provider verified it (catalogue UP-08). A login is a name at one
 * provider and means nothing at another, so it is invited together with the provider.
 */
import type { Clock } from '../platform/clock.ts'
import { type Guest, type Invitation, invitations } from '../storage/records/invitation.ts'
import type { Stored } from '../storage/records/record.ts'
import type { Sealer } from '../storage/sealer.ts'
import type { Store } from '../storage/store.ts'
import { parseEmail } from './email.ts'
import { foldLogin } from './login.ts'
import type { Identity } from './upstream.ts'

/** What invitations are kept with. */
export interface InvitationPorts {
  readonly store: Store
  readonly sealer: Sealer
  readonly clock: Clock
}

/** An invitation, opened. */
export interface KnownInvitation {
  readonly record: Stored<Invitation>
  readonly guest: Guest
}

/** What an invitation gives, and for how long, in seconds. */
export interface InvitationTerms {
  readonly role: Invitation['role']
  readonly validSeconds: number
}

const purpose = 'invitation'
const day = 86_400

/** How long an invitation counts unless told otherwise, in seconds. */
export const invitationSeconds = 14 * day

/**
 * Who is meant: an e-mail address, at whatever provider unless one is named, or a login at a provider.
 *
 * @throws TypeError when it is neither, or a login without a provider
 */
export function parseGuest(name: string, upstream?: string): Guest {
  if (upstream !== undefined && !/^[a-z0-9-]+$/.test(upstream)) {
    throw new TypeError(`${JSON.stringify(upstream)} is no id of a provider, such as github`)
  }
  if (name.includes('@')) {
    const email = parseEmail(name)
    if (email === undefined) throw new TypeError(`${JSON.stringify(name)} is no e-mail address`)
    return { email, ...(upstream !== undefined && { upstream }) }
  }
  if (!/^\S{1,100}$/.test(name)) throw new TypeError(`${JSON.stringify(name)} is no login`)
  if (upstream === undefined) {
    throw new TypeError(
      `A login is a name at one provider: say at which, or invite an e-mail address instead of ${name}`,
    )
  }
  return { login: foldLogin(name), upstream }
}

/** Invites somebody, in place of what was said of them before. Invitations that expired go. */
export async function invite(
  ports: InvitationPorts,
  guest: Guest,
  { role, validSeconds }: InvitationTerms,
): Promise<void> {
  const { store, sealer, clock } = ports
  const key = toKey(sealer, guest)
  const createdAt = clock.now()
  const invitation: Invitation = {
    sealedGuest: sealer.seal(purpose, key, JSON.stringify(guest)),
    role,
    createdAt,
    expiresAt: createdAt + validSeconds,
  }
  await listInvitations(ports)
  await store.commit({ set: [invitations.write(key, invitation)] })
}

/** Everyone who is invited and has not come yet. Invitations that expired go. */
export async function listInvitations(ports: InvitationPorts): Promise<KnownInvitation[]> {
  const { store, sealer, clock } = ports
  const all: KnownInvitation[] = []
  for await (const page of invitations.pages(store)) {
    const over = page.filter((record) => !isLive(record, clock))
    if (over.length > 0) {
      await store.commit({ check: over, delete: over.map(({ key }) => key) })
    }
    all.push(
      ...page.filter((record) => isLive(record, clock)).map((record) => open(sealer, record)),
    )
  }
  return all
}

/** Takes invitations back; those used meanwhile are gone already. */
export async function removeInvitations(
  { store }: InvitationPorts,
  removed: readonly KnownInvitation[],
): Promise<void> {
  await store.commit({ delete: removed.map(({ record }) => record.key) })
}

/** The invitations that somebody comes with. Whoever uses them deletes them in the same commit. */
export async function findInvitations(
  { store, sealer, clock }: InvitationPorts,
  upstream: string,
  identity: Identity,
): Promise<Stored<Invitation>[]> {
  const { login, email, emailVerified } = identity
  const address = emailVerified === true && email !== undefined ? parseEmail(email) : undefined
  const guests: Guest[] = [
    { login: foldLogin(login), upstream },
    ...(address === undefined ? [] : [{ email: address, upstream }, { email: address }]),
  ]
  const entries = await store.get(guests.map((guest) => toKey(sealer, guest)))
  return entries
    .flatMap((entry) => invitations.decode(entry) ?? [])
    .filter((record) => isLive(record, clock))
}

function isLive({ value }: Stored<Invitation>, clock: Clock): boolean {
  return clock.now() < value.expiresAt
}

function open(sealer: Sealer, record: Stored<Invitation>): KnownInvitation {
  const guest = JSON.parse(sealer.open(purpose, record.key, record.value.sealedGuest)) as Guest
  return { record, guest }
}

function toKey(sealer: Sealer, guest: Guest): string {
  const [kind, name] = 'email' in guest ? ['email', guest.email] : ['login', guest.login]
  const who = JSON.stringify([kind, name, guest.upstream ?? null])
  return invitations.key(sealer.index(invitations.prefix, who))
}
