/** `gatehouse grants`: what users have allowed clients. */
import { endGrants } from '../identity/grant-ending.ts'
import { clients } from '../storage/records/client.ts'
import { type Grant, grants } from '../storage/records/grant.ts'
import { noteInAudit } from './audit-trail.ts'
import { toFailure } from './failure.ts'
import { withInstallation } from './installation.ts'
import { print, printRecords, renderTime } from './output.ts'
import type { DataOptions } from './settings.ts'

/** Options of `grants list`. */
export interface GrantListOptions extends DataOptions {
  /** Login, e-mail address or id. */
  user?: string
  /** Client id. */
  client?: string
  json?: boolean
}

/** Lists who allowed what to which client. */
export async function listGrants(options: GrantListOptions): Promise<void> {
  await withInstallation({ ...options, mustExist: true }, async ({ store, users }) => {
    const known = await users.list()
    const logins = new Map(known.map(({ record, profile }) => [record.value.id, profile.login]))
    const names = new Map(
      (await clients.all(store)).map(({ value }) => [value.id, value.metadata.client_name]),
    )
    const rows = (await grants.all(store))
      .map(({ value }) => toRow(value, logins.get(value.userId), names.get(value.clientId)))
      .filter((row) => options.client === undefined || row.client_id === options.client)
      .filter((row) => options.user === undefined || [row.user, row.user_id].includes(options.user))
    printRecords(
      rows,
      {
        columns: ['ID', 'USER', 'CLIENT', 'SCOPE', 'RESOURCE', 'SINCE', 'UNTIL'],
        toRow: (row) => [
          row.id,
          row.user,
          row.client_name || row.client_id,
          row.scope,
          row.resource,
          renderTime(row.created_at),
          renderTime(row.expires_at),
        ],
        empty: 'No grants: nobody has connected a client yet',
      },
      options.json === true,
    )
  })
}

/** Ends grants: their refresh tokens are gone and every gate refuses their access tokens. */
export async function revokeGrants(ids: string[], options: DataOptions): Promise<void> {
  await withInstallation({ ...options, mustExist: true }, async (installation) => {
    const found = await Promise.all(ids.map((id) => grants.find(installation.store, id)))
    const missing = ids.filter((_, index) => found[index] === undefined)
    if (missing.length > 0) {
      throw toFailure(
        `There is no grant ${missing.join(', ')}; nothing was revoked. See: gatehouse grants list`,
      )
    }
    const values = found.flatMap((stored) => stored?.value ?? [])
    const audited = noteInAudit(installation, () => [])
    await endGrants(audited, values, 'revoked')
    print(`Revoked ${values.length === 1 ? 'one grant' : `${values.length} grants`}`)
  })
}

function toRow(grant: Grant, login: string | undefined, clientName: string | undefined) {
  return {
    id: grant.id,
    user: login ?? grant.userId,
    user_id: grant.userId,
    client_id: grant.clientId,
    client_name: clientName ?? '',
    scope: grant.scope,
    resource: grant.resource,
    created_at: grant.createdAt,
    expires_at: grant.expiresAt,
  }
}
