/** `gatehouse clients`: the OAuth clients, and those that the owner registers by hand (H6, H7). */
import { parseClientMetadata } from '../oauth/client-metadata.ts'
import { registerClient } from '../server/clients/register.ts'
import { endpointPaths } from '../server/paths.ts'
import { type Client, clients } from '../storage/records/client.ts'
import { clientGrants } from '../storage/records/grant.ts'
import type { Stored } from '../storage/records/record.ts'
import type { Store } from '../storage/store.ts'
import { exitUsage, toFailure } from './failure.ts'
import { endGrants } from './grants.ts'
import { listRecords, withInstallation } from './installation.ts'
import { print, printRecords, renderTable, renderTime } from './output.ts'
import { readSecretLine } from './password.ts'
import type { DataOptions } from './settings.ts'

/** Options of `clients add`. */
export interface ClientAddOptions extends DataOptions {
  name?: string
  redirectUri?: string[]
  public?: boolean
  id?: string
  secretStdin?: boolean
  pkce?: 'required' | 'optional'
  json?: boolean
}

/** Shortest secret an owner may choose, in characters. */
const shortestSecret = 16

/** Lists the registered clients. */
export async function listClients(options: DataOptions & { json?: boolean }): Promise<void> {
  await withInstallation({ ...options, mustExist: true }, async ({ store }) => {
    const rows = (await listRecords(clients, store)).map(({ value }) => toView(value))
    printRecords(
      rows,
      {
        columns: ['ID', 'NAME', 'ORIGIN', 'KIND', 'REGISTERED', 'AUTHORIZED', 'REDIRECT URIS'],
        toRow: (row) => [
          row.client_id,
          row.client_name ?? '',
          row.origin,
          row.token_endpoint_auth_method === 'none' ? 'public' : 'secret',
          renderTime(row.created_at),
          row.authorized_at === undefined ? 'never' : renderTime(row.authorized_at),
          row.redirect_uris.join(' '),
        ],
        empty:
          'No clients yet: they register by themselves, or add one with: gatehouse clients add',
      },
      options.json === true,
    )
  })
}

/** Registers a client by hand and prints what to type into it. */
export async function addClient(options: ClientAddOptions): Promise<void> {
  const chosen = await readChosenSecret(options)
  const metadata = parseClientMetadata({
    ...(options.name !== undefined && { client_name: options.name }),
    redirect_uris: options.redirectUri,
    token_endpoint_auth_method: options.public ? 'none' : 'client_secret_post',
  })
  await withInstallation(options, async (installation) => {
    const { id, pkce } = options
    const choices = { origin: 'preregistered' as const, pkce, id, secret: chosen }
    const added = await registerClient(metadata, choices, installation)
    if (added === undefined)
      throw toFailure(`The client id ${id} is taken; choose another with --id`)
    const typed = {
      client_id: added.client.id,
      client_secret: added.secret,
      authorization_url: `${installation.issuer}${endpointPaths.authorize}`,
      token_url: `${installation.issuer}${endpointPaths.token}`,
    }
    if (options.json) return print(JSON.stringify(typed, undefined, 2))
    printTyped(typed)
  })
}

/** Shows all that is known of one client. */
export async function showClient(
  id: string,
  options: DataOptions & { json?: boolean },
): Promise<void> {
  await withInstallation({ ...options, mustExist: true }, async ({ store }) => {
    const { value } = await findClient(store, id)
    const view = { ...toView(value), grants: (await listRecords(clientGrants, store, [id])).length }
    if (options.json) return print(JSON.stringify(view, undefined, 2))
    const rows = Object.entries(view).flatMap(([name, shown]) =>
      (Array.isArray(shown) ? shown : [shown ?? '']).map((one, index) => [
        index === 0 ? name : '',
        name.endsWith('_at') && typeof one === 'number' ? renderTime(one) : String(one),
      ]),
    )
    print(renderTable(rows))
  })
}

/**
 * Removes a client and ends every grant it has. The client first, so that no grant appears behind it;
 * a removal that was cut short in between can be repeated.
 */
export async function removeClient(id: string, options: DataOptions): Promise<void> {
  await withInstallation({ ...options, mustExist: true }, async (installation) => {
    const { store } = installation
    const stored = await lookUpClient(store, id)
    if (stored) await store.commit({ delete: [stored.key] })
    const entries = await listRecords(clientGrants, store, [id])
    if (!stored && entries.length === 0) throw noSuchClient(id)
    const ended = entries.map((entry) => ({
      id: entry.key.slice(clientGrants.key(id, '').length),
      userId: entry.value.userId,
      clientId: id,
    }))
    await endGrants(installation, ended, 'client_removed')
    print(`Removed ${id}; ${ended.length === 1 ? 'one grant' : `${ended.length} grants`} ended`)
  })
}

async function readChosenSecret(options: ClientAddOptions): Promise<string | undefined> {
  if (options.redirectUri === undefined) {
    throw toFailure('Say where codes may go, with --redirect-uri', exitUsage)
  }
  if (options.public && (options.secretStdin || options.pkce === 'optional')) {
    throw toFailure(
      'A public client has no secret and always uses PKCE; leave out --public',
      exitUsage,
    )
  }
  if (options.id !== undefined && !/^[A-Za-z0-9._~-]{3,128}$/.test(options.id)) {
    throw toFailure('A client id has 3 to 128 of the characters A-Z a-z 0-9 . _ ~ -', exitUsage)
  }
  if (!options.secretStdin) return undefined
  const secret = await readSecretLine()
  if (secret.length >= shortestSecret) return secret
  throw toFailure(`The secret must have at least ${shortestSecret} characters`, exitUsage)
}

async function findClient(store: Store, id: string): Promise<Stored<Client>> {
  const stored = await lookUpClient(store, id)
  if (stored !== undefined) return stored
  throw noSuchClient(id)
}

async function lookUpClient(store: Store, id: string): Promise<Stored<Client> | undefined> {
  return id.includes('/') ? undefined : clients.find(store, id)
}

function noSuchClient(id: string): Error {
  return toFailure(`There is no client ${id}; see: gatehouse clients list`)
}

/** What is shown of a client: everything but the hash of its secret. */
function toView({ id, origin, pkce, createdAt, authorizedAt, metadata }: Client) {
  return {
    client_id: id,
    origin,
    pkce,
    created_at: createdAt,
    authorized_at: authorizedAt,
    ...metadata,
  }
}

function printTyped(typed: Record<string, string | undefined>): void {
  const rows = [
    ['Client ID', typed.client_id],
    ['Client secret', typed.client_secret],
    ['Authorization URL', typed.authorization_url],
    ['Token URL', typed.token_url],
    ['Scope', '(leave blank)'],
  ].flatMap(([label, value]) => (value === undefined ? [] : [['', label ?? '', value]]))
  print('Registered. Type this into the client:', '', renderTable(rows), '')
  if (typed.client_secret !== undefined)
    print('The secret is shown once; only a hash of it is kept.')
}
