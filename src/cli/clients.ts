/** `gatehouse clients`: the OAuth clients, and those that the owner registers by hand (H6, H7). */
import { type ClientAuthMethod, parseClientMetadata } from '../oauth/client-metadata.ts'
import { isDocumentClientId } from '../oauth/document-client-id.ts'
import { findChoiceProblem } from '../oauth/own-client.ts'
import { registerClient } from '../server/clients/register.ts'
import { removeClient } from '../server/clients/remove.ts'
import { type Client, clients } from '../storage/records/client.ts'
import type { Stored } from '../storage/records/record.ts'
import type { Store } from '../storage/store.ts'
import { findId, listWritten, noteClientRemoval, noteInAudit } from './audit-trail.ts'
import { type ClientUse, readClientUses } from './client-use.ts'
import { openApplications } from './clients-reap.ts'
import { exitUsage, toFailure } from './failure.ts'
import { type Installation, withInstallation } from './installation.ts'
import { print, printAside, printRecords, renderJson, renderTable, renderTime } from './output.ts'
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

/** Options of commands that only look, or remove. */
export interface ClientOptions extends DataOptions {
  json?: boolean
}

/** How a client proves itself, in a word. */
const kinds: Readonly<Record<ClientAuthMethod, string>> = {
  none: 'public',
  client_secret_post: 'secret',
  client_secret_basic: 'secret',
  private_key_jwt: 'keys',
}

/** Lists the registered clients: who vouches for each, whether anyone authorized it, and how it is used. */
export async function listClients(options: ClientOptions): Promise<void> {
  await withInstallation({ ...options, mustExist: true }, async ({ store }) => {
    const stored = await clients.all(store)
    const uses = await readClientUses(store)
    const rows = stored.map(({ value }) => toView(value, uses.get(value.id)))
    printRecords(
      rows,
      {
        columns: [
          'ID',
          'NAME',
          'ORIGIN',
          'KIND',
          'REGISTERED',
          'AUTHORIZED',
          'LAST USED',
          'REDIRECT URIS',
        ],
        toRow: (row) => [
          row.client_id,
          row.client_name ?? '',
          row.origin,
          kinds[row.token_endpoint_auth_method],
          renderTime(row.created_at),
          renderMoment(row.authorized_at),
          renderMoment(row.last_used_at),
          row.redirect_uris.join(' '),
        ],
        empty:
          'No clients yet: they register by themselves, or add one with: gatehouse clients add',
      },
      options.json === true,
    )
  })
}

function renderMoment(unixSeconds: number | undefined): string {
  return unixSeconds === undefined ? 'never' : renderTime(unixSeconds)
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
    const audited = noteInAudit(installation, (change) => {
      const clientId = findId(listWritten(change), clients.prefix)
      const { client_name, redirect_uris } = metadata
      const details = { client_name, redirect_uris, mode: 'preregistered' }
      return clientId === undefined
        ? []
        : [{ event: 'client.registered', outcome: 'ok', clientId, details }]
    })
    const added = await registerClient(metadata, choices, audited)
    if (added === undefined)
      throw toFailure(`The client id ${id} is taken; choose another with --id`)
    const typed = {
      client_id: added.client.id,
      client_secret: added.secret,
      authorization_url: `${installation.issuer}${installation.paths.authorize}`,
      token_url: `${installation.issuer}${installation.paths.token}`,
    }
    if (options.json) return print(renderJson(typed))
    printTyped(typed)
  })
}

/** Shows all that is known of one client. */
export async function showClient(id: string, options: ClientOptions): Promise<void> {
  await withInstallation({ ...options, mustExist: true }, async ({ store }) => {
    const { value } = await findClient(store, id)
    const view = toView(value, (await readClientUses(store, id)).get(id))
    if (options.json) return print(renderJson(view))
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
 * Removes a client, ends every grant it has and removes its application at the identity provider. A
 * removal that was cut short can be repeated.
 */
export async function removeClientById(id: string, options: ClientOptions): Promise<void> {
  await withInstallation({ ...options, mustExist: true }, async (installation) => {
    const stored = await lookUpClient(installation.store, id)
    const audited = noteClientRemoval(installation, id)
    const grants = isLookedUp(id) ? await removeClient(id, audited) : 0
    if (!stored && grants === 0) throw noSuchClient(id)
    const application = await removeItsApplication(stored?.value, installation)
    const removed = { client_id: id, grants_ended: grants, application }
    if (options.json) return print(renderJson(removed))
    print(`Removed ${id}; ${grants === 1 ? 'one grant' : `${grants} grants`} ended`)
    if (installation.configuredClientIds.includes(id)) {
      printAside('Note: it is in the configuration, so that the next start registers it again')
    }
    if (application === 'left') {
      printAside(
        `Note: its application ${stored?.value.applicationId} stays at the identity provider; remove it with gatehouse clients reap`,
      )
    }
  })
}

/** The client is gone already: what the provider cannot do now is left to be reaped. */
async function removeItsApplication(
  client: Client | undefined,
  { registration }: Installation,
): Promise<'none' | 'removed' | 'left'> {
  if (client?.applicationId === undefined) return 'none'
  const applications = await openApplications(registration)
  if (applications === undefined) return 'left'
  return applications.remove(client.applicationId).then(
    () => 'removed' as const,
    () => 'left' as const,
  )
}

async function readChosenSecret(options: ClientAddOptions): Promise<string | undefined> {
  if (options.redirectUri === undefined) {
    throw toFailure('Say where codes may go, with --redirect-uri', exitUsage)
  }
  verifyChoices(options)
  if (!options.secretStdin) return undefined
  const secret = await readSecretLine()
  if (secret.length >= shortestSecret) return secret
  throw toFailure(`The secret must have at least ${shortestSecret} characters`, exitUsage)
}

/** Before a secret is read: what comes from standard input counts as chosen, whatever it is. */
function verifyChoices({ id, pkce, secretStdin, public: isPublic = false }: ClientAddOptions) {
  const found = findChoiceProblem({ id, pkce, secret: secretStdin ? '' : undefined }, isPublic)
  if (found?.member === 'id') throw toFailure(`--id ${found.problem}`, exitUsage)
  if (found) {
    throw toFailure(
      'A public client has no secret and always uses PKCE; leave out --public',
      exitUsage,
    )
  }
}

async function findClient(store: Store, id: string): Promise<Stored<Client>> {
  const stored = await lookUpClient(store, id)
  if (stored !== undefined) return stored
  throw noSuchClient(id)
}

async function lookUpClient(store: Store, id: string): Promise<Stored<Client> | undefined> {
  return isLookedUp(id) ? clients.find(store, id) : undefined
}

/** Whether it can be an id at all. */
function isLookedUp(id: string): boolean {
  return !id.includes('/') || isDocumentClientId(id)
}

function noSuchClient(id: string): Error {
  return toFailure(`There is no client ${id}; see: gatehouse clients list`)
}

/** What is shown of a client: everything but the hashes of its secrets. */
function toView(client: Client, use: ClientUse | undefined) {
  const { id, origin, pkce, createdAt, authorizedAt, applicationId, metadata } = client
  return {
    client_id: id,
    origin,
    pkce,
    created_at: createdAt,
    authorized: authorizedAt !== undefined,
    authorized_at: authorizedAt,
    ...metadata,
    ...(applicationId !== undefined && { application_id: applicationId }),
    last_used_at: use?.lastUsedAt,
    grants: use?.grants ?? 0,
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
