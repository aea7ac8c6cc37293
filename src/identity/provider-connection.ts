/** What both engines ask of a provider through openid-client: new tokens, revocation, and whether we are known. */
import type * as OpenIdClient from 'openid-client'
import type { Clock } from '../platform/clock.ts'
import { toUpstreamTokens } from './token-response.ts'
import type { UpstreamTokens } from './upstream.ts'

/** openid-client, set up for one round trip to one provider. */
export interface ProviderConnection {
  readonly client: typeof OpenIdClient
  readonly configuration: OpenIdClient.Configuration
}

/** Tokens that can be refreshed. */
export type RefreshableTokens = UpstreamTokens & { readonly refreshToken: string }

/** New tokens, and the answer that brought them. */
export interface RefreshedTokens {
  readonly tokens: UpstreamTokens
  readonly answer: Awaited<ReturnType<typeof OpenIdClient.refreshTokenGrant>>
}

/** New tokens; a refresh token that the provider does not replace stays (RFC 6749 §6, catalogue UP-15). */
export async function spendRefreshToken(
  { client, configuration }: ProviderConnection,
  { refreshToken, refreshExpiresAt }: RefreshableTokens,
  clock: Clock,
): Promise<RefreshedTokens> {
  const answer = await client.refreshTokenGrant(configuration, refreshToken)
  const fresh = toUpstreamTokens(answer, clock)
  if (fresh.refreshToken !== undefined) return { answer, tokens: fresh }
  const kept = { refreshToken, ...(refreshExpiresAt !== undefined && { refreshExpiresAt }) }
  return { answer, tokens: { ...fresh, ...kept } }
}

/** Names of RFC 7009 §2.2.1, and of providers that stray from §2.2, for a token that is none any more. */
const goneAlready: ReadonlySet<string> = new Set([
  'unsupported_token_type',
  'invalid_token',
  'invalid_grant',
])

/**
 * Ends the refresh token, and the access token with it or after it (RFC 7009 §2.1). The provider must have
 * an endpoint for it.
 */
export async function endTokens(
  { client, configuration }: ProviderConnection,
  { refreshToken, accessToken }: UpstreamTokens,
): Promise<void> {
  const end = async (token: string, hint: string) => {
    try {
      await client.tokenRevocation(configuration, token, { token_type_hint: hint })
    } catch (error) {
      const isGone = error instanceof client.ResponseBodyError && goneAlready.has(error.error)
      if (!isGone) throw error
    }
  }
  if (refreshToken !== undefined) await end(refreshToken, 'refresh_token')
  await end(accessToken, 'access_token')
}

/**
 * The error for a code that nobody issued: whoever refuses the code (`invalid_grant`) has accepted the client
 * (RFC 6749 §5.2). Undefined when the provider cannot be reached or says nothing of the kind.
 */
export async function redeemMadeUpCode(
  { client, configuration }: ProviderConnection,
  callbackUri: string,
): Promise<string | undefined> {
  const parameters = {
    code: 'gatehouse-asks-whether-its-client-is-known',
    redirect_uri: callbackUri,
    code_verifier: client.randomPKCECodeVerifier(),
  }
  try {
    await client.genericGrantRequest(configuration, 'authorization_code', parameters)
    return undefined
  } catch (error) {
    return error instanceof client.ResponseBodyError ? error.error : undefined
  }
}
