/**
 * `oidc-provider` set to do what Gatehouse does: public clients that register themselves, PKCE, JWT
 * access tokens signed with ES256 for one resource, refresh tokens that rotate, sessions, a consent page
 * every time, a registration access token with each registration. No ID token. Its own in-memory adapter
 * keeps the newest 1 000 records; it writes no log.
 */
import { generateKeyPairSync } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Provider } from 'oidc-provider'
import { measuredScope } from '../client.ts'
import { listenOnLoopback } from './bare.ts'
import { type Started, usualPaths } from './protocol.ts'

/** Starts it; `pageBytes` is how long its consent page is. */
export async function startOidcProvider(pageBytes: number): Promise<Started> {
  let handle: RequestListener | undefined
  const started = await listenOnLoopback((incoming, outgoing) => handle?.(incoming, outgoing))
  const provider = new Provider(started.origin, toConfiguration(`${started.origin}/mcp`))
  const callback = provider.callback()
  handle = (incoming, outgoing) => {
    if (!incoming.url?.startsWith('/interaction/')) return callback(incoming, outgoing)
    const answering =
      incoming.method === 'POST'
        ? allow(provider, incoming, outgoing)
        : showPage(provider, { incoming, outgoing, pageBytes })
    answering.catch((error: unknown) => outgoing.writeHead(500).end(String(error)))
  }
  return started
}

const day = 86_400

function toConfiguration(resource: string): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'measured', alg: 'ES256', use: 'sig' }
  return {
    jwks: { keys: [jwk] },
    routes: {
      authorization: usualPaths.authorize,
      token: usualPaths.token,
      registration: usualPaths.register,
      jwks: usualPaths.jwks,
    },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    expiresWithSession: async () => false,
    findAccount: async (_: unknown, accountId: string) => ({
      accountId,
      claims: async () => ({ sub: accountId }),
    }),
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      Grant: 365 * day,
      Interaction: 600,
      RefreshToken: 30 * day,
      Session: day,
    },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true, issueRegistrationAccessToken: true },
      registrationManagement: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => resource,
        useGrantedResource: async () => true,
        getResourceServerInfo: async () => ({
          scope: measuredScope,
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3600,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  }
}

/** The page that asks: our own, as long as Gatehouse's. */
async function showPage(
  provider: Provider,
  page: { incoming: IncomingMessage; outgoing: ServerResponse; pageBytes: number },
): Promise<void> {
  const { incoming, outgoing, pageBytes } = page
  const { params } = await provider.interactionDetails(incoming, outgoing)
  const form = `<form method="post" action="${incoming.url}"><p>${params.client_id}</p></form>`
  outgoing.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
  outgoing.end(form.padEnd(pageBytes, ' '))
}

/** Signs the person in unless they are, and grants what was asked for. */
async function allow(
  provider: Provider,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  incoming.resume()
  const { params, session } = await provider.interactionDetails(incoming, outgoing)
  const accountId = session?.accountId ?? 'person'
  const grant = new provider.Grant({ accountId, clientId: params.client_id })
  grant.addResourceScope(`http://${incoming.headers.host}/mcp`, measuredScope)
  const result = {
    ...(session === undefined && { login: { accountId } }),
    consent: { grantId: await grant.save() },
  }
  await provider.interactionFinished(incoming, outgoing, result, { mergeWithLastSubmission: false })
}
