/** Making a client: what dynamic registration and `gatehouse clients add` have in common. */
import type { Context } from '../../context.ts'
import type { ClientMetadata } from '../../oauth/client-metadata.ts'
import { toHex } from '../../platform/crypto.ts'
import { type Client, clients, unusedClientSeconds } from '../../storage/records/client.ts'
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

/** The RFC 7591 §3.2.1 answer: every registered member, exactly as it is in force. */
export function toRegistrationAnswer({ client, secret }: NewClient): Record<string, unknown> {
  return {
    client_id: client.id,
    client_id_issued_at: client.createdAt,
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
    ...client.metadata,
  }
}
