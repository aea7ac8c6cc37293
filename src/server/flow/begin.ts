/**
 * The beginning of a flow: what an authorization request must be before anyone looks at it
 * (OAuth 2.1 §4.1.1, RFC 7636, RFC 8707, RFC 9207).
 *
 * The order is the safety rule: first the client and where it may be answered, then everything else.
 * Until the first two hold, errors are pages; afterwards they may travel back to the client.
 */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { isDocumentClientId } from '../../oauth/document-client-id.ts'
import type { Params } from '../../oauth/params.ts'
import { parseCodeChallenge } from '../../oauth/pkce.ts'
import { toStartingScopes } from '../../oauth/policy.ts'
import {
  parseState,
  type RedirectingClient,
  type TrustedRedirect,
  trustRedirect,
} from '../../oauth/redirect-uri.ts'
import { resolveResource } from '../../oauth/resource.ts'
import { formatScope, limitScopes, resolveScope } from '../../oauth/scope.ts'
import { type Client, clients } from '../../storage/records/client.ts'
import type { Stored } from '../../storage/records/record.ts'
import { isReadableDocument, resolveDocumentClient } from '../clients/document-clients.ts'

/** What a client id may look like, if it is no URL; anything else is no key of the store. */
const clientIdShape = /^[A-Za-z0-9._~-]{1,200}$/

/** An authorization request that passed every check. */
export interface AuthorizationRequest {
  readonly client: Client
  readonly redirect: TrustedRedirect
  readonly state: string | undefined
  readonly codeChallenge: string | undefined
  readonly resource: string
  readonly scope: string
  readonly requestedScope: string
  readonly prompt: readonly string[]
}

/**
 * Checks an authorization request.
 *
 * @throws OAuthError without `redirect` while client or redirect URI are unproven, with it afterwards
 */
export async function parseAuthorizationRequest(
  params: Params,
  context: RequestContext,
): Promise<AuthorizationRequest> {
  // A request that names nobody and proves nothing gets the words that deployments document for it (S4).
  if (!params.has('client_id')) parseCodeChallenge(params)
  const client = await resolveAskingClient(params, context)
  const target = toRedirectingClient(client)
  const trust = (state: string | undefined): TrustedRedirect =>
    trustRedirect(params.get('redirect_uri'), target, state)
  const state = withRedirect(
    () => trust(undefined),
    () => parseState(params),
  )
  const redirect = trust(state)
  return withRedirect(
    () => redirect,
    () => ({
      client,
      redirect,
      state,
      ...parseRest(params, client, context),
    }),
  )
}

/** What the rules of redirection need to know of a client. */
export function toRedirectingClient({ metadata, origin }: Client): RedirectingClient {
  return { redirectUris: metadata.redirect_uris, vouched: origin === 'preregistered' }
}

/**
 * The client that asks. Where a document may have to be read for it, what costs nothing comes first: nobody
 * makes us read for a request that cannot become one (CM-21).
 */
async function resolveAskingClient(params: Params, context: RequestContext): Promise<Client> {
  const id = params.required('client_id')
  if (!isReadableDocument(id, context)) {
    const { value } = await resolveClient(id, context)
    // What was read before the owner closed this way may go on, and nothing may begin.
    if (value.origin === 'document') throw refuseUnknown(id)
    return value
  }
  verifyResponse(params)
  parseCodeChallenge(params)
  const known = await clients.find(context.store, id)
  return (await resolveDocumentClient(id, known, context)).value
}

/**
 * The client of a `client_id`, looked up anew at every step of a journey: it may have been removed.
 *
 * @throws OAuthError `invalid_client` (400, a page) when nobody registered it
 */
export async function resolveClient(
  id: string,
  { store }: Pick<RequestContext, 'store'>,
): Promise<Stored<Client>> {
  const isId = clientIdShape.test(id) || isDocumentClientId(id)
  const stored = isId ? await clients.find(store, id) : undefined
  if (stored) return stored
  throw refuseUnknown(id)
}

function refuseUnknown(id: string): OAuthError {
  return new OAuthError(
    'invalid_client',
    `Client Not Registered: Unregistered client_id=${id.slice(0, 200)}`,
    {
      status: 400,
      reason: 'unknown_client',
    },
  )
}

function parseRest(
  params: Params,
  client: Client,
  context: RequestContext,
): Pick<
  AuthorizationRequest,
  'codeChallenge' | 'resource' | 'scope' | 'requestedScope' | 'prompt'
> {
  verifyResponse(params)
  const { backends, resourceAliases, scopes, defaultScopes, scopeHierarchy } = context.config
  const requested = params.get('scope')
  const resource = resolveResource(
    params.all('resource'),
    backends.map((backend) => backend.resource),
    resourceAliases,
  )
  const policy = backends.find((backend) => backend.resource === resource)?.policy
  const limit = findLimit(client)
  const supported = limitScopes(Object.keys(scopes), limit, scopeHierarchy)
  const defaults = limitScopes(toStartingScopes(defaultScopes, policy), limit, scopeHierarchy)
  const starting = defaults.length > 0 ? defaults : supported
  return {
    codeChallenge: resolveCodeChallenge(params, client),
    resource,
    scope: formatScope(resolveScope(requested, [...supported, 'offline_access'], starting)),
    requestedScope: requested ?? '',
    prompt: (params.get('prompt') ?? '').split(' ').filter((word) => word !== ''),
  }
}

/** The scopes that the owner gave a client of theirs. What a client registers for itself limits nothing. */
function findLimit({ origin, metadata }: Client): string | undefined {
  return origin === 'preregistered' ? metadata.scope : undefined
}

/** Only the code flow, only in the query (AZ-06, AZ-13). */
function verifyResponse(params: Params): void {
  const responseType = params.required('response_type')
  if (responseType !== 'code') {
    throw new OAuthError('unsupported_response_type', 'Only response_type=code is supported')
  }
  const mode = params.get('response_mode')
  if (mode !== undefined && mode !== 'query') {
    throw new OAuthError('invalid_request', 'Only response_mode=query is supported', {
      reason: 'response_mode',
    })
  }
}

/** PKCE is required of everyone but the confidential clients that their owner exempted (H5). */
function resolveCodeChallenge(params: Params, client: Client): string | undefined {
  const sendsNone = !params.has('code_challenge') && !params.has('code_challenge_method')
  if (sendsNone && client.pkce === 'optional' && client.secretHash !== undefined) return undefined
  return parseCodeChallenge(params)
}

/**
 * Runs a check and adds to its refusal where the client may be told.
 *
 * @param findRedirect is called for a refusal only; what it throws comes first
 */
function withRedirect<T>(findRedirect: () => TrustedRedirect, check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    const { reason, cause, status } = error
    throw new OAuthError(error.code, error.description, {
      ...(reason !== undefined && { reason }),
      cause,
      status,
      redirect: findRedirect(),
    })
  }
}
