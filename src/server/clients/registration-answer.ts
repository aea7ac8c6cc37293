/** What a client is told of its registration: RFC 7591 §3.2.1, RFC 7592 §3. */
import type { Config } from '../../context.ts'
import type { NewClient } from './register.ts'

/**
 * Every registered member, exactly as it is in force; nothing is ever null, and the secret is there only
 * when it is new or was just presented. Clients ignore members they do not know, so those of RFC 7592 harm
 * none of them.
 */
export function toRegistrationAnswer(
  { client, secret, registrationToken }: NewClient,
  { issuer, paths }: Pick<Config, 'issuer' | 'paths'>,
): Record<string, unknown> {
  return {
    client_id: client.id,
    client_id_issued_at: client.createdAt,
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
    ...client.metadata,
    ...(registrationToken !== undefined && {
      registration_access_token: registrationToken,
      registration_client_uri: `${issuer}${paths.register}/${client.id}`,
    }),
  }
}
