/**
 * The operations of the authorization server for the program around it (A9): no HTTP, the same rules.
 *
 * What a client does at `/token` and `/revoke` runs through those very endpoints, so nothing can be had here
 * that a client could not have there. What only the owner may do, registering a client by hand and vouching
 * for a person, is what the program may because it holds the store and the master key.
 */
import {
  type Context,
  type Endpoint,
  type RequestContext,
  type TokenResponse,
  toRequestContext,
} from './context.ts'
import { OAuthError } from './errors.ts'
import type { CallerCheck } from './gate/guard.ts'
import { parseClientMetadata } from './oauth/client-metadata.ts'
import { findChoiceProblem } from './oauth/own-client.ts'
import type { AuthorizationWishes, Operations, RegistrationWishes, TokenWishes } from './options.ts'
import { createWebExchange } from './platform/web-exchange.ts'
import { registerClient } from './server/clients/register.ts'
import { toRegistrationAnswer } from './server/clients/registration-answer.ts'
import { revoke } from './server/endpoints/revoke.ts'
import { toStats } from './server/endpoints/stats.ts'
import { token } from './server/endpoints/token.ts'
import { authorizeVouched } from './server/flow/vouched.ts'
import { readLiveCounts } from './server/statistics.ts'
import { clients } from './storage/records/client.ts'

/** The operations over a context. */
export function createOperations(context: Context, findCaller: CallerCheck): Operations {
  return {
    findClient: async (id) => {
      const stored = await clients.find(context.store, id)
      if (!stored) return undefined
      return toRegistrationAnswer({ client: stored.value, secret: undefined }, context.config)
    },
    registerClient: (metadata, wishes) => register(context, metadata, wishes),
    authorize: (request, person) => {
      const params = toSearch({ response_type: 'code', ...toAuthorizationParams(request) })
      return authorizeVouched(params, person, toProgramContext(context, post(params)))
    },
    exchangeAuthorizationCode: ({ code, codeVerifier, redirectUri, ...wishes }) =>
      trade(context, wishes, {
        grant_type: 'authorization_code',
        code,
        code_verifier: codeVerifier,
        redirect_uri: redirectUri,
      }),
    exchangeRefreshToken: ({ refreshToken, scope, ...wishes }) =>
      trade(context, wishes, {
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        scope,
      }),
    verifyAccessToken: (accessToken, options = {}) => {
      // What no header field can carry is as malformed as what this puts in its place.
      const headers = { authorization: `Bearer ${accessToken.replace(/[^!-~]/g, '?')}` }
      const request = new Request('http://localhost/', { headers })
      return findCaller(request, options, toProgramContext(context, request))
    },
    revokeToken: async ({ token: given, clientId, clientSecret }) => {
      const params = { token: given, client_id: clientId, client_secret: clientSecret }
      await call(revoke, toSearch(params), context)
    },
    readStatistics: async () => toStats(context.config, await readLiveCounts(context)),
  }
}

async function register(
  context: Context,
  metadata: Readonly<Record<string, unknown>>,
  { vouched = true, ...choices }: RegistrationWishes = {},
): Promise<Record<string, unknown>> {
  const origin = vouched ? 'preregistered' : 'dynamic'
  const parsed = parseClientMetadata(metadata)
  const found = findChoiceProblem(choices, parsed.token_endpoint_auth_method === 'none')
  if (found) {
    const description = `Choice ${found.member} ${found.problem}`
    throw new OAuthError('invalid_client_metadata', description, { reason: 'choice_refused' })
  }
  const made = await registerClient(parsed, { ...choices, origin }, context)
  if (made) return toRegistrationAnswer(made, context.config)
  throw new OAuthError('invalid_client_metadata', `The client id ${choices.id} is taken`, {
    reason: 'client_id_taken',
  })
}

function trade(
  context: Context,
  { clientId, clientSecret, resource }: TokenWishes,
  params: Record<string, string | undefined>,
): Promise<TokenResponse> {
  const whole = { ...params, client_id: clientId, client_secret: clientSecret, resource }
  return call(token, toSearch(whole), context) as Promise<TokenResponse>
}

/** Runs an endpoint; what it refuses is thrown as the `OAuthError` it is. */
async function call(
  endpoint: Endpoint,
  params: URLSearchParams,
  context: Context,
): Promise<unknown> {
  const request = post(params)
  const answer = await endpoint(request, toProgramContext(context, request))
  const text = answer instanceof Response ? await answer.text() : (answer.body ?? 'null')
  return JSON.parse(text) as unknown
}

/** A form that nobody sent: the endpoints read it like any other. */
function post(body: URLSearchParams): Request {
  return new Request('http://localhost/', { method: 'POST', body })
}

function toProgramContext(context: Context, request: Request): RequestContext {
  return toRequestContext(context, { ...createWebExchange(request, context), peer: 'program' })
}

function toAuthorizationParams(request: AuthorizationWishes): Record<string, string | undefined> {
  return {
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    state: request.state,
    scope: request.scope,
    resource: request.resource,
    code_challenge: request.codeChallenge,
    code_challenge_method: request.codeChallenge === undefined ? undefined : 'S256',
  }
}

function toSearch(params: Record<string, string | undefined>): URLSearchParams {
  const given = Object.entries(params).filter((entry): entry is [string, string] => !!entry[1])
  return new URLSearchParams(given)
}
