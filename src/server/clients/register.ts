/** Making a client: what dynamic registration and `gatehouse clients add` have in common. */
import type { Context } from '../../context.ts'
import type { ClientMetadata } from '../../oauth/client-metadata.ts'
import { sha256, toHex } from '../../platform/crypto.ts'
import {
  type Client,
  clients,
  clientTwins,
  unusedClientSeconds,
} from '../../storage/records/client.ts'
import type { Write } from '../../storage/store.ts'
import { hashClientSecret } from './credentials.ts'

/** A new client and, once and never again, its secret. */
export interface NewClient {
  readonly client: Client
  readonly secret: string | undefined
}

/** How the owner's own registrations differ from everybody's. */
export interface RegistrationChoices {
  readonly origin: Client['origin']
  readonly pkce?: Client['pkce']
  /** Default: `mcp_` and 32 hexadecimal digits. */
  readonly id?: string
  /** Default: 64 hexadecimal digits for confidential clients. */
  readonly secret?: string
}

/**
 * Stores a client durably, then returns it; a restart or another instance knows it at once (CR-22).
 *
 * @returns undefined when the chosen id is taken
 */
export async function registerClient(
  metadata: ClientMetadata,
  choices: RegistrationChoices,
  context: Pick<Context, 'store' | 'sealer' | 'clock' | 'random'>,
): Promise<NewClient | undefined> {
  const now = context.clock.now()
  const confidential = metadata.token_endpoint_auth_method !== 'none'
  const secret = confidential ? (choices.secret ?? toHex(context.random(32))) : undefined
  const client: Client = {
    id: choices.id ?? `mcp_${toHex(context.random(16))}`,
    origin: choices.origin,
    metadata,
    ...(secret !== undefined && { secretHash: hashClientSecret(secret, context) }),
    pkce: choices.pkce ?? 'required',
    createdAt: now,
  }
  const key = clients.key(client.id)
  const expiresAt = client.origin === 'dynamic' ? now + unusedClientSeconds : undefined
  const stored = await context.store.commit({
    check: [{ key, version: null }],
    set: [clients.write(key, client, expiresAt)],
  })
  return stored ? { client, secret } : undefined
}

/**
 * The public client that registered exactly the same before, or a new one.
 *
 * Nothing but its metadata tells one public client from another, so who registers the same again may
 * have the same id; clients that register at every start then do not pile up.
 */
export async function findOrRegisterTwin(
  metadata: ClientMetadata,
  context: Pick<Context, 'store' | 'sealer' | 'clock' | 'random'>,
): Promise<NewClient | undefined> {
  const twinKey = toTwinKey(metadata)
  const twin = clientTwins.decode((await context.store.get([twinKey]))[0])
  const known = twin && (await clients.find(context.store, twin.value.clientId))
  if (known) return { client: known.value, secret: undefined }

  const made = await registerClient(metadata, { origin: 'dynamic' }, context)
  if (!made) return undefined
  const expiresAt = made.client.createdAt + unusedClientSeconds
  await context.store.commit({
    check: [{ key: twinKey, version: twin?.version ?? null }],
    set: [clientTwins.write(twinKey, { clientId: made.client.id }, expiresAt)],
  })
  return made
}

/** The write that keeps leading to a client once it is kept for ever. */
export function toLastingTwin(client: Client): Write {
  return clientTwins.write(toTwinKey(client.metadata), { clientId: client.id })
}

function toTwinKey(metadata: ClientMetadata): string {
  const members = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
  return clientTwins.key(sha256(JSON.stringify(members)))
}

/** The RFC 7591 §3.2.1 answer: every registered member, exactly as it is in force. */
export function toRegistrationAnswer({ client, secret }: NewClient): Record<string, unknown> {
  return {
    client_id: client.id,
    client_id_issued_at: client.createdAt,
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
    ...client.metadata,
  }
}
