/** `gatehouse users invite`: who may sign in at a provider for the first time. */
import {
  invitationSeconds,
  invite,
  type KnownInvitation,
  listInvitations,
  parseGuest,
  removeInvitations,
} from '../identity/invitations.ts'
import { type Guest, invitations } from '../storage/records/invitation.ts'
import { listWritten, noteInAudit } from './audit-trail.ts'
import { exitUsage, toFailure } from './failure.ts'
import { type Installation, withInstallation } from './installation.ts'
import { print, printRecords, renderTime } from './output.ts'
import type { DataOptions } from './settings.ts'

/** Options of `users uninvite`. */
export interface GuestOptions extends DataOptions {
  /** The id of a provider. */
  provider?: string
}

/** Options of `users invite`. */
export interface InviteOptions extends GuestOptions {
  role?: 'owner' | 'user'
  /** Days, as typed. */
  expires?: string
}

const daySeconds = 86_400
const mostDays = 365

/** Invites somebody by e-mail address, or by login at a provider; again: with these terms instead. */
export async function inviteUser(name: string, options: InviteOptions): Promise<void> {
  const guest = readGuest(name, options.provider)
  const validSeconds = readValidSeconds(options.expires)
  const role = options.role ?? 'user'
  await withInstallation(options, async (installation) => {
    verifyProvider(guest, installation)
    const details = { ...guest, role, days: validSeconds / daySeconds }
    const audited = noteInAudit(installation, (change) =>
      listWritten(change).some(isInvitation)
        ? [{ event: 'user.invited', outcome: 'ok', details }]
        : [],
    )
    await invite(audited, guest, { role, validSeconds })
    const until = renderTime(installation.clock.now() + validSeconds)
    print(`Invited ${toName(guest)} ${toPlace(guest)} as ${role}, until ${until} UTC`)
  })
}

/** Lists the invitations that count and were not used. */
export async function listInvited(options: DataOptions & { json?: boolean }): Promise<void> {
  await withInstallation({ ...options, mustExist: true }, async (installation) => {
    const rows = (await listInvitations(installation)).map(({ record: { value }, guest }) => ({
      name: toName(guest),
      provider: guest.upstream ?? null,
      role: value.role,
      created_at: value.createdAt,
      expires_at: value.expiresAt,
    }))
    printRecords(
      rows,
      {
        columns: ['INVITED', 'SIGNS IN WITH', 'ROLE', 'SINCE', 'UNTIL'],
        toRow: (row) => [
          row.name,
          row.provider ?? 'any provider',
          row.role,
          renderTime(row.created_at),
          renderTime(row.expires_at),
        ],
        empty: 'Nobody is invited; invite with: gatehouse users invite EMAIL',
      },
      options.json === true,
    )
  })
}

/** Takes back what was said of somebody, at one provider or at all. */
export async function uninviteUser(name: string, options: GuestOptions): Promise<void> {
  const wanted = toName(readGuest(name, options.provider ?? 'any'))
  await withInstallation({ ...options, mustExist: true }, async (installation) => {
    const isMeant = ({ guest }: KnownInvitation) =>
      toName(guest) === wanted &&
      (options.provider === undefined || guest.upstream === options.provider)
    const meant = (await listInvitations(installation)).filter(isMeant)
    if (meant.length === 0) {
      throw toFailure(`${name} is not invited; see: gatehouse users invitations`)
    }
    const audited = noteInAudit(installation, ({ delete: gone = [] }) =>
      gone.some(isInvitation)
        ? meant.map(({ guest }) => ({ event: 'user.uninvited', outcome: 'ok', details: guest }))
        : [],
    )
    await removeInvitations(audited, meant)
    print(`${wanted} is no longer invited`)
  })
}

function isInvitation(key: string): boolean {
  return key.startsWith(invitations.key(''))
}

function readGuest(name: string, provider: string | undefined): Guest {
  try {
    return parseGuest(name, provider)
  } catch (error) {
    const hint = provider === undefined ? '; name it with --provider ID' : ''
    throw toFailure(error instanceof Error ? error.message + hint : hint, exitUsage, error)
  }
}

/** An invitation for a provider that is not there would wait for nobody. */
function verifyProvider({ upstream }: Guest, { providerIds }: Installation): void {
  if (upstream === undefined || providerIds.length === 0 || providerIds.includes(upstream)) return
  throw toFailure(
    `There is no provider ${upstream} in this configuration; there is ${providerIds.join(', ')}`,
    exitUsage,
  )
}

function readValidSeconds(days: string | undefined): number {
  if (days === undefined) return invitationSeconds
  const count = /^\d{1,3}$/.test(days) ? Number(days) : 0
  if (count >= 1 && count <= mostDays) return count * daySeconds
  throw toFailure(`--expires must be a number of days from 1 to ${mostDays}`, exitUsage)
}

function toName(guest: Guest): string {
  return 'email' in guest ? guest.email : guest.login
}

function toPlace({ upstream }: Guest): string {
  return upstream === undefined ? 'at any provider' : `at ${upstream}`
}
