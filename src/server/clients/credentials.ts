/**
 * Who calls the token, revocation and introspection endpoints (OAuth 2.1 §2.4).
 *
 * Reading the credentials and verifying them are two steps, so that the client's record can be read
 * from the store together with whatever the grant needs, in one round trip.
 */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { parseBasic } from '../../oauth/basic.ts'
import { parseAssertion } from '../../oauth/client-assertion.ts'
import type { ClientAuthMethod } from '../../oauth/client-metadata.ts'
import { isDocumentClientId } from '../../oauth/document-client-id.ts'
import type { Params } from '../../oauth/params.ts'
import { equalInConstantTime } from '../../platform/crypto.ts'
import { toPeerNetwork } from '../../platform/peer-network.ts'
import type { Client } from '../../storage/records/client.ts'
import type { Stored } from '../../storage/records/record.ts'

/** What a request says about its client. More than one candidate only for ambiguous Basic encoding. */
export interface ClaimedClient {
  readonly method: ClientAuthMethod
  readonly id: string
  readonly secrets: readonly string[]
  /** The assertion of `private_key_jwt`. */
  readonly assertion?: string
}

/**
 * What an id can look like: ours, those that owners choose, and the URLs of metadata documents. Nothing else is
 * looked up, logged or counted.
 */
function isClientId(id: string): boolean {
  return /^[A-Za-z0-9._~-]{1,128}$/.test(id) || isDocumentClientId(id)
}

/**
 * Reads the client's credentials from the Authorization header or the form, never from both, and one kind of
 * them.
 *
 * @throws OAuthError `invalid_client` when there are none or no client can have them, `invalid_request`
 *   when there are two (TK-03, TK-07)
 */
export function parseClaimedClient(request: Request, params: Params): ClaimedClient {
  const header = request.headers.get('authorization')
  const bodyId = params.get('client_id')
  const bodySecret = params.get('client_secret')
  const claimed = parseAssertion(params)
  const isBasic = header !== null && /^basic /i.test(header)
  if (claimed && (isBasic || bodySecret !== undefined)) {
    throw refuseTwo('Authenticate with client_assertion or with a secret, not both')
  }
  if (claimed) return { method: 'private_key_jwt', secrets: [], ...claimed }
  if (!isBasic) return fromBody(bodyId, bodySecret)

  if (header.includes(',')) throw refuseTwo('Send one Authorization header only')
  const candidates = parseBasic(header).filter(({ id }) => isClientId(id))
  const first = candidates[0]
  if (!first) throw refuse('Malformed Authorization header', 'malformed_basic', true)
  if (bodySecret !== undefined) {
    throw refuseTwo('Authenticate with the Authorization header or in the body, not both')
  }
  if (bodyId !== undefined && bodyId !== first.id) {
    throw refuse('client_id differs from the Authorization header', 'client_id_mismatch', true)
  }
  const secrets = candidates.filter((one) => one.id === first.id).map((one) => one.secret)
  return { method: 'client_secret_basic', id: first.id, secrets }
}

function fromBody(id: string | undefined, secret: string | undefined): ClaimedClient {
  if (id === undefined)
    throw refuse('Client authentication is missing: send client_id', 'no_client_id')
  if (!isClientId(id)) throw refuseUnknown('impossible_client_id')
  if (secret === undefined) return { method: 'none', id, secrets: [] }
  return { method: 'client_secret_post', id, secrets: [secret] }
}

/**
 * The client, once its credentials are proven.
 *
 * A confidential client may use either secret method, whatever it registered: several client engines
 * choose by the metadata and not by their registration. A public one sends none, and there is no
 * falling back from one to the other (TK-08).
 *
 * A client with a metadata document proves itself by an assertion, and its document says whether it may do
 * without: what it sends is verified, what it leaves out is not missed where the document lists `none`.
 *
 * @throws OAuthError `invalid_client` with the same words for an unknown client and a wrong secret;
 *   `invalid_grant` for a metadata document that nobody was connected with: there is no registration that the
 *   client should forget, but nothing of its tokens either (CM-17)
 */
export async function verifyClient(
  claimed: ClaimedClient,
  client: Stored<Client> | undefined,
  context: RequestContext,
): Promise<Stored<Client>> {
  const isClient = await isProven(claimed, client?.value, context)
  if (client && isClient) return client

  // Only failures are limited: nobody can lock an honest client out by failing in its name.
  await context.limits.spend('client-auth', `${claimed.id} ${toPeerNetwork(context.exchange.peer)}`)
  if (!client && isDocumentClientId(claimed.id)) throw refuseUnread()
  const reason = client ? 'client_authentication_failed' : 'unknown_client'
  throw refuseUnknown(reason, claimed.method === 'client_secret_basic')
}

async function isProven(
  { method, secrets, assertion }: ClaimedClient,
  client: Client | undefined,
  context: RequestContext,
): Promise<boolean> {
  // An unknown client costs the same hash as a wrong secret, so that ids cannot be enumerated (TK-10).
  const expected = client?.secretHash
  const matches = secrets.some((secret) =>
    equalInConstantTime(hashClientSecret(secret, context), expected ?? ''),
  )
  if (client === undefined) return false
  if (assertion !== undefined) {
    // Brings libraries that no other client needs.
    const { verifyAssertion } = await import('./assertion.ts')
    return verifyAssertion(assertion, client, context)
  }
  if (expected !== undefined) return matches
  return method === 'none' && client.document?.authMethods.includes('none') !== false
}

/** The stored form of a client secret: keyed, so that a stolen store does not even allow guessing. */
export function hashClientSecret(
  secret: string,
  { sealer }: Pick<RequestContext, 'sealer'>,
): string {
  return sealer.index('client-secret', secret)
}

/** The same words whatever was wrong, so that nobody learns which clients exist (TK-10). */
function refuseUnknown(reason: string, challenged = false): OAuthError {
  const description = 'Unknown client or wrong client secret: register again or check the secret'
  return refuse(description, reason, challenged)
}

function refuseUnread(): OAuthError {
  const description = 'Nobody here has connected this client; start the authorization again'
  return new OAuthError('invalid_grant', description, { reason: 'unknown_client' })
}

function refuseTwo(description: string): OAuthError {
  return new OAuthError('invalid_request', description, { reason: 'double_authentication' })
}

function refuse(description: string, reason: string, challenged = false): OAuthError {
  return new OAuthError('invalid_client', `Invalid client: ${description}`, {
    reason,
    headers: challenged ? { 'www-authenticate': 'Basic realm="token", charset="UTF-8"' } : {},
  })
}
