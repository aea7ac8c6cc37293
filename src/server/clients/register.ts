/** Making a client: what every registration mode and `gatehouse clients add` have in common. */
import type { Context } from '../../context.ts'
import { winRace } from '../../identity/races.ts'
import type { ClientMetadata } from '../../oauth/client-metadata.ts'
import { toPortless } from '../../oauth/redirect-uri.ts'
import { sha256, toHex } from '../../platform/crypto.ts'
import { applicationChecks } from '../../storage/records/application-check.ts'
import {
  type Client,
  clients,
  clientTwins,
  unusedClientSeconds,
  unusedDocumentClientSeconds,
  unusedManagedClientSeconds,
} from '../../storage/records/client.ts'
import type { Stored } from '../../storage/records/record.ts'
import type { Store, Write } from '../../storage/store.ts'
import { hashClientSecret } from './credentials.ts'
import { hashRegistrationToken, mintRegistrationToken } from './registration-token.ts'

/** What making a client takes. */
export type ClientPorts = Pick<Context, 'store' | 'sealer' | 'clock' | 'random'>

/** A new client and, once and never again, its secret. */
export interface NewClient {
  readonly client: Client
  readonly secret: string | undefined
  /** Manages the registration (RFC 7592); absent for clients that several parties share or the owner keeps. */
  readonly registrationToken?: string | undefined
}

/** How registrations differ, beside what the client asks for. */
export interface RegistrationChoices {
  readonly origin: Exclude<Client['origin'], 'document'>
  readonly pkce?: Client['pkce']
  /** Default: {@link createClientId}. */
  readonly id?: string
  /** Default: 64 hexadecimal digits for confidential clients. */
  readonly secret?: string
  /** Whether whoever registers it may read, change and remove it. Default false. */
  readonly manageable?: boolean
  /** Its application at the identity provider. */
  readonly applicationId?: string
}

/** A new id: `mcp_` and 32 hexadecimal digits. */
export function createClientId({ random }: Pick<Context, 'random'>): string {
  return `mcp_${toHex(random(16))}`
}

/** A new secret: 64 hexadecimal digits. */
export function createClientSecret({ random }: Pick<Context, 'random'>): string {
  return toHex(random(32))
}

/**
 * Stores a client durably, then returns it; a restart or another instance knows it at once (CR-22).
 *
 * @returns undefined when the chosen id is taken
 */
export async function registerClient(
  metadata: ClientMetadata,
  choices: RegistrationChoices,
  context: ClientPorts,
): Promise<NewClient | undefined> {
  const { origin, pkce = 'required', applicationId } = choices
  const confidential = metadata.token_endpoint_auth_method !== 'none'
  const secret = confidential ? (choices.secret ?? createClientSecret(context)) : undefined
  const registrationToken = choices.manageable ? mintRegistrationToken(context) : undefined
  const client: Client = {
    id: choices.id ?? createClientId(context),
    origin,
    metadata,
    ...(secret !== undefined && { secretHash: hashClientSecret(secret, context) }),
    pkce,
    ...(registrationToken !== undefined && {
      registrationTokenHash: hashRegistrationToken(registrationToken, context),
    }),
    ...(applicationId !== undefined && { applicationId }),
    createdAt: context.clock.now(),
  }
  const key = clients.key(client.id)
  const stored = await context.store.commit({
    check: [{ key, version: null }],
    set: [writeClient(client), ...toApplicationChecks(client)],
  })
  return stored ? { client, secret, registrationToken } : undefined
}

/** The write of a client that lives as long as such a client does. */
export function writeClient(client: Client): Write {
  const isLasting = client.origin === 'preregistered' || client.authorizedAt !== undefined
  return clients.write(clients.key(client.id), client, isLasting ? undefined : toUnusedEnd(client))
}

/** When a client that nobody authorizes goes, in Unix seconds. */
export function toUnusedEnd({ createdAt, renewedAt = createdAt, ...client }: Client): number {
  if (client.origin === 'document') return renewedAt + unusedDocumentClientSeconds
  const isManaged = client.applicationId !== undefined
  return renewedAt + (isManaged ? unusedManagedClientSeconds : unusedClientSeconds)
}

/** The write that lets the application of a client be looked at when nobody has authorized it by then. */
function toApplicationChecks(client: Client): Write[] {
  const { id, applicationId } = client
  if (applicationId === undefined) return []
  const check = { applicationId, dueAt: toUnusedEnd(client) }
  return [applicationChecks.write(applicationChecks.key(id), check)]
}

/** A client with the redirect URIs as they were asked for: a loopback port is free, and clients compare. */
export function showAsAsked(client: Client, { redirect_uris }: ClientMetadata): Client {
  return { ...client, metadata: { ...client.metadata, redirect_uris } }
}

/**
 * The public client that registered the same before, or a new one.
 *
 * Nothing but its metadata tells one public client from another, so who registers the same again may
 * have the same id; clients that register at every start then do not pile up. A loopback port does not count:
 * the redirect URI of one port is good for every other (RFC 8252 §7.3), and a client that takes another port
 * keeps its tokens so. Nobody manages a client that others share.
 */
export function findOrRegisterTwin(
  metadata: ClientMetadata,
  register: () => Promise<NewClient | undefined>,
  context: ClientPorts,
): Promise<NewClient> {
  const twinKey = toTwinKey(metadata)
  return winRace(async () => {
    const twin = clientTwins.decode((await context.store.get([twinKey]))[0])
    const known = twin && (await clients.find(context.store, twin.value.clientId))
    // A client that somebody manages may be changed or removed by them alone.
    if (known && known.value.registrationTokenHash === undefined) {
      const client = await renew(known, context)
      return client && { client: showAsAsked(client, metadata), secret: undefined }
    }
    const made = await register()
    if (!made) return undefined
    await context.store.commit({
      check: [{ key: twinKey, version: twin?.version ?? null }],
      set: [writeTwin(made.client)],
    })
    return made
  })
}

/** At most one write a day for a client that registers at every start. */
const renewalSeconds = 86_400

/**
 * Lets a client that nobody authorized yet live on from now; its next registration may come just before
 * its end. Undefined when somebody else wrote it meanwhile.
 */
async function renew(
  { key, value: client, version }: Stored<Client>,
  { store, clock }: { store: Store; clock: Context['clock'] },
): Promise<Client | undefined> {
  const now = clock.now()
  const isFresh = now - (client.renewedAt ?? client.createdAt) < renewalSeconds
  if (client.authorizedAt !== undefined || isFresh) return client
  const renewed: Client = { ...client, renewedAt: now }
  const written = await store.commit({
    check: [{ key, version }],
    set: [writeClient(renewed), writeTwin(renewed)],
  })
  return written ? renewed : undefined
}

/** The write that keeps leading to a client once it is kept for ever. */
export function toLastingTwin(client: Client): Write {
  return clientTwins.write(toTwinKey(client.metadata), { clientId: client.id })
}

function writeTwin(client: Client): Write {
  return clientTwins.write(toTwinKey(client.metadata), { clientId: client.id }, toUnusedEnd(client))
}

function toTwinKey(metadata: ClientMetadata): string {
  const compared = { ...metadata, redirect_uris: metadata.redirect_uris.map(toPortless) }
  const members = Object.entries(compared).sort(([a], [b]) => (a < b ? -1 : 1))
  return clientTwins.key(sha256(JSON.stringify(members)))
}
