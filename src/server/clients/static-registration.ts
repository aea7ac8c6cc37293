/**
 * Registration in static mode: everyone gets the one client that the owner registered.
 *
 * For clients that insist on registering where the owner wants a single known one. What is handed out
 * is never the id at the identity provider and never a secret: the client is public, is bound to its
 * redirect URIs, and PKCE and the consent page protect it like any other. Nobody manages it by HTTP.
 */
import type { Context, RequestContext } from '../../context.ts'
import { OAuthError, unavailable } from '../../errors.ts'
import type { ClientMetadata } from '../../oauth/client-metadata.ts'
import { matchRedirectUri } from '../../oauth/redirect-uri.ts'
import { type Client, clients } from '../../storage/records/client.ts'
import { type NewClient, showAsAsked } from './register.ts'

/**
 * The owner's client, with the redirect URIs that were asked for.
 *
 * @throws OAuthError `invalid_redirect_uri` for one that the owner did not configure; 503 while the client
 *   is missing or cannot be given away, which the log explains
 */
export async function findStaticClient(
  asked: ClientMetadata,
  clientId: string,
  context: RequestContext,
): Promise<NewClient> {
  const problem = await findStaticClientProblem(clientId, context)
  if (typeof problem === 'string') {
    context.log.error(problem)
    throw unavailable('static_client_unusable')
  }
  for (const uri of asked.redirect_uris) verifyConfigured(uri, problem.metadata)
  return { client: showAsAsked(problem, asked), secret: undefined }
}

/** The client to hand out, or why there is none, in words for the owner. */
async function findStaticClientProblem(
  clientId: string,
  { store }: Pick<Context, 'store'>,
): Promise<Client | string> {
  const client = (await clients.find(store, clientId))?.value
  const add = `gatehouse clients add --public --id ${clientId} --redirect-uri …`
  if (client === undefined) {
    return `Nobody can register: the client ${clientId} of registration.static is missing; add it with ${add}`
  }
  if (client.secretHash === undefined && client.origin === 'preregistered') return client
  return `Nobody can register: the client ${clientId} of registration.static has a secret or registered itself; remove it and add a public one with ${add}`
}

/** Tells the owner at the start what every registration would fail of. */
export async function reportStaticClient(context: Context): Promise<void> {
  const { registration } = context.config
  if (registration.mode !== 'static') return
  const problem = await findStaticClientProblem(registration.clientId, context)
  if (typeof problem === 'string') context.log.warn(problem)
}

function verifyConfigured(uri: string, { redirect_uris: configured }: ClientMetadata): void {
  try {
    matchRedirectUri(uri, configured)
  } catch (cause) {
    throw new OAuthError(
      'invalid_redirect_uri',
      `Redirect URI ${uri.slice(0, 200)} is not one that this server's owner configured; ask them to add it`,
      { reason: 'redirect_uri_not_configured', cause },
    )
  }
}
