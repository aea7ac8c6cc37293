/**
 * What would make every sign-in at an OpenID provider fail, found out at the start.
 *
 * Two questions besides the documents, neither of which changes anything there. A code that nobody issued is
 * redeemed, which tells good credentials (`invalid_grant`) from bad ones (`invalid_client`). And a sign-in
 * without any page (`prompt=none`) is asked for: the provider sends us back with an error, unless it
 * does not know the client or the callback (RFC 6749 §4.1.2.1).
 */
import { OAuthError } from '../errors.ts'
import type { OidcParty } from './oidc-documents.ts'
import { openExchange } from './oidc-exchange.ts'
import type { ClientAuthentication, OidcProvider } from './oidc-options.ts'
import { toAuthorizationUrl } from './oidc-request.ts'
import { redeemMadeUpCode } from './provider-connection.ts'

/** A state, a nonce and a verifier that nobody signs in with. */
const madeUp = 'gatehouse-asks-whether-its-callback-is-known'

/** A sentence for the owner. Undefined: nothing is known to be wrong, or the provider cannot be reached. */
export async function findOidcProblem(
  party: OidcParty,
  callbackUri: string,
): Promise<string | undefined> {
  try {
    return (
      (await findCredentialProblem(party, callbackUri)) ??
      (await findCallbackProblem(party, callbackUri))
    )
  } catch (error) {
    return describeDocumentProblem(party, error)
  }
}

function describeDocumentProblem({ provider }: OidcParty, error: unknown): string | undefined {
  if (!(error instanceof OAuthError) || error.code !== 'server_error') return undefined
  const detail = error.cause instanceof Error ? error.cause.message : error.reason
  return `${provider.label} cannot be used: ${detail}`
}

async function findCredentialProblem(
  party: OidcParty,
  callbackUri: string,
): Promise<string | undefined> {
  const { label, clientSecret, clientAuthentication } = party.provider
  const probe = async (authentication?: ClientAuthentication) =>
    redeemMadeUpCode(await openExchange(party, authentication), callbackUri)
  const refusal = await probe()
  if (refusal === 'unauthorized_client') {
    return `${label} does not let this client use the authorization code flow`
  }
  if (refusal !== 'invalid_client') return undefined
  if (clientSecret !== undefined && clientAuthentication === undefined) {
    const other = await probe('client_secret_basic')
    if (other === 'invalid_grant') {
      return `${label} takes the client secret as Basic only: set clientAuthentication to client_secret_basic`
    }
  }
  return `${label} refuses the client id or the client secret`
}

async function findCallbackProblem(
  party: OidcParty,
  callbackUri: string,
): Promise<string | undefined> {
  const { provider } = party
  const flow = { redirectUri: callbackUri, state: madeUp, nonce: madeUp, codeVerifier: madeUp }
  const url = await toAuthorizationUrl(provider, await openExchange(party), flow, {})
  url.searchParams.set('prompt', 'none')
  const { status, location = '' } = await ask(provider, url)
  if (status === 400 || status === 403) {
    return `${provider.label} answers ${status} to a sign-in that comes back to ${callbackUri}: register exactly this address there`
  }
  const error = location.startsWith(callbackUri) && new URL(location).searchParams.get('error')
  if (error !== 'invalid_scope') return undefined
  return `${provider.label} refuses the scopes ${url.searchParams.get('scope')}: allow them there, or ask for fewer`
}

/** Empty when the provider cannot be reached. */
async function ask(
  provider: OidcProvider,
  url: URL,
): Promise<{ readonly status?: number; readonly location?: string }> {
  try {
    const signal = provider.createDeadline()
    const response = await provider.fetch(url.href, { redirect: 'manual', signal })
    await response.body?.cancel()
    const location = response.headers.get('location')
    return { status: response.status, ...(location !== null && { location }) }
  } catch {
    return {}
  }
}
