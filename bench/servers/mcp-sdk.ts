/**
 * The authorization server of the MCP TypeScript SDK 1: its `mcpAuthRouter` on the express it brings, limits
 * off. The provider behind it is ours, because the SDK has none: in memory, without expiry of what nobody
 * uses, ES256 by `node:crypto`, a refresh token that works once. It writes no log.
 */

import type { RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import { InvalidGrantError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import type {
  AuthorizationParams,
  OAuthServerProvider,
} from '@modelcontextprotocol/sdk/server/auth/provider.js'
import { mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js'
import type {
  OAuthClientInformationFull,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js'
import { listenOnLoopback } from './bare.ts'
import { createSessions, renderPage, type Sessions } from './consent-page.ts'
import { createMint, createSecret, lifetimeSeconds, type Mint } from './minting.ts'
import type { Started } from './protocol.ts'

/** The part of express that is used; the SDK brings it without types of its own. */
interface App extends RequestListener {
  (...given: Parameters<RequestListener>): void
  use(...handlers: unknown[]): void
  get(path: string, handler: (request: WebRequest, response: WebResponse) => void): void
  post(path: string, ...handlers: unknown[]): void
}
interface WebRequest {
  readonly headers: { readonly cookie?: string }
  readonly body: Record<string, string>
}
interface WebResponse {
  readonly req: WebRequest
  type(name: string): WebResponse
  send(body: string): void
  status(code: number): WebResponse
  redirect(status: number, url: string): void
}
type Express = (() => App) & { urlencoded(options: object): unknown }

/** A consent page that is open, then a code that was issued. */
interface Flow {
  readonly clientId: string
  readonly params: AuthorizationParams
  userId: string
}

/** A refresh token that works once. */
interface Family {
  readonly clientId: string
  readonly userId: string
  readonly scope: string
  readonly resource: string | undefined
}

/** Starts it; `pageBytes` is how long its consent page is. */
export async function startMcpSdk(pageBytes: number): Promise<Started> {
  const router = import.meta.resolve('@modelcontextprotocol/sdk/server/auth/router.js')
  const express = createRequire(router)('express') as Express
  const app = express()
  const started = await listenOnLoopback(app)
  const sessions = createSessions()
  const mint = createMint()
  const provider = createProvider(started.origin, mint, pageBytes)
  const rateLimit = { rateLimit: false } as const
  app.use(
    mcpAuthRouter({
      provider,
      issuerUrl: new URL(started.origin),
      scopesSupported: ['mcp'],
      authorizationOptions: rateLimit,
      tokenOptions: rateLimit,
      clientRegistrationOptions: rateLimit,
    }),
  )
  app.get('/jwks', (_, response) => response.type('json').send(mint.jwks))
  app.post('/decide', express.urlencoded({ extended: false }), toDecision(provider, sessions))
  return { ...started, sessions: sessions.cookies }
}

/** The consent page's answer: the person of the session allows the flow, once. */
function toDecision({ flows, codes }: Pick<Provider, 'flows' | 'codes'>, sessions: Sessions) {
  return (request: WebRequest, response: WebResponse): void => {
    const { flow: id = '' } = request.body
    const flow = flows.get(id)
    const userId = sessions.find(request.headers.cookie)
    if (!flow || userId === undefined) return response.status(400).send('No such flow')
    flows.delete(id)
    const code = createSecret()
    codes.set(code, { ...flow, userId })
    const to = new URL(flow.params.redirectUri)
    to.searchParams.set('code', code)
    if (flow.params.state !== undefined) to.searchParams.set('state', flow.params.state)
    response.redirect(303, to.href)
  }
}

/** What the SDK asks for, and what lies behind it. */
interface Provider extends OAuthServerProvider {
  readonly flows: Map<string, Flow>
  readonly codes: Map<string, Flow>
}

function createProvider(issuer: string, { mint }: Mint, pageBytes: number): Provider {
  const clients = new Map<string, OAuthClientInformationFull>()
  const flows = new Map<string, Flow>()
  const codes = new Map<string, Flow>()
  const families = new Map<string, Family>()
  const issue = (family: Family): OAuthTokens => {
    const { clientId: client_id, userId: sub, scope, resource: aud } = family
    const refresh_token = createSecret()
    families.set(refresh_token, family)
    const access_token = mint({ iss: issuer, sub, aud, client_id, scope })
    return { access_token, token_type: 'Bearer', expires_in: lifetimeSeconds, refresh_token, scope }
  }
  const findCode = (client: OAuthClientInformationFull, code: string): Flow => {
    const flow = codes.get(code)
    if (flow?.clientId !== client.client_id) throw new InvalidGrantError('Unknown code')
    return flow
  }
  return {
    flows,
    codes,
    clientsStore: {
      getClient: (id) => clients.get(id),
      registerClient(given) {
        // The SDK has set both by now; its type leaves them out.
        const client = given as OAuthClientInformationFull
        clients.set(client.client_id, client)
        return client
      },
    },
    async authorize(client, params, response) {
      const id = createSecret()
      flows.set(id, { clientId: client.client_id, params, userId: '' })
      const page = renderPage('/decide', { flow: id }, pageBytes)
      ;(response as unknown as WebResponse).type('html').send(page)
    },
    challengeForAuthorizationCode: async (client, code) =>
      findCode(client, code).params.codeChallenge,
    async exchangeAuthorizationCode(client, code) {
      const { clientId, userId, params } = findCode(client, code)
      codes.delete(code)
      const scope = params.scopes?.join(' ') ?? ''
      return issue({ clientId, userId, scope, resource: params.resource?.href })
    },
    async exchangeRefreshToken(client, token) {
      const family = families.get(token)
      if (family?.clientId !== client.client_id) throw new InvalidGrantError('Unknown token')
      families.delete(token)
      return issue(family)
    },
    async verifyAccessToken() {
      throw new Error('Nobody asks')
    },
  }
}
