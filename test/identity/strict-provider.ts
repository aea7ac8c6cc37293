/** `oidc-provider` on loopback: certified, strict, with refresh tokens that rotate, and pages that agree. */
import { generateKeyPairSync } from 'node:crypto'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'
import { knownCallback } from './contract.ts'

declare module 'oidc-provider' {
  interface Grant {
    addOIDCScope(scope: string): void
  }
}

/** How it differs from the strictest. */
export interface StrictOptions {
  /** What follows the origin in the issuer: Auth0 has a slash there. */
  readonly suffix?: string
  readonly idTokenAlgorithm?: 'RS256' | 'PS256' | 'ES256' | 'EdDSA'
  /** How the client has to send its secret; `none` for a public client. */
  readonly clientAuthentication?: string
  /** Where it sends people back to, asked anew each time. Default: the callback of the contract. */
  readonly toCallback?: () => string
  /** Ids of public clients that it knows besides, asked anew each time. */
  readonly knowsPublic?: (id: string) => boolean
  /** Gives refresh tokens without a page of consent, as Auth0 does. */
  readonly isGenerous?: boolean
}

/** A running one. */
export interface StrictProvider {
  readonly issuer: string
  /** Walks its pages as this person. Returns where it sends the browser: our callback. */
  signIn(authorizationUrl: URL, login: string): Promise<URL>
  close(): Promise<void>
}

/** The client that it knows. */
export const strictClient = { clientId: 'gatehouse', clientSecret: 'strict secret: 100% + more' }

const claims = {
  openid: ['sub', 'org_id'],
  profile: ['name', 'preferred_username'],
  email: ['email', 'email_verified'],
  groups: ['groups'],
}

/** Starts it. Everyone has an account. */
export async function startStrictProvider(options: StrictOptions = {}): Promise<StrictProvider> {
  let handle: RequestListener | undefined
  const server = createServer((request, response) => handle?.(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}${options.suffix ?? ''}`
  const provider = new Provider(issuer, toConfiguration(options))
  const callback = provider.callback()
  handle = (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return callback(request, response)
    agree(provider, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  }
  return {
    issuer,
    signIn: (url, login) => walk(url, login, toCallback(options)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function toConfiguration(options: StrictOptions) {
  const { idTokenAlgorithm = 'RS256', clientAuthentication, isGenerous = false } = options
  return {
    ...(isGenerous && {
      issueRefreshToken: async () => true,
      expiresWithSession: async () => false,
    }),
    clients: [
      {
        client_id: strictClient.clientId,
        ...(clientAuthentication !== 'none' && { client_secret: strictClient.clientSecret }),
        redirect_uris: [toCallback(options)],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: clientAuthentication ?? 'client_secret_post',
        id_token_signed_response_alg: idTokenAlgorithm,
      },
    ],
    jwks: { keys: createKeys() },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
    claims,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    cookies: { keys: ['a key of a test'] },
    findAccount: async (_: unknown, accountId: string) => ({
      accountId,
      claims: async () => toClaims(accountId),
    }),
    adapter: (name: string) => (name === 'Client' ? createClients(options) : createAdapter(name)),
    renderError: async (context: { body: unknown }, { error }: { error: string }) => {
      context.body = error
    },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: async () => true },
    },
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      Grant: 3600,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 3600,
      Session: 600,
    },
  }
}

function createKeys(): object[] {
  const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { privateKey: ec } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { privateKey: ed } = generateKeyPairSync('ed25519')
  return [rsa, ec, ed].map((key) => ({ ...key.export({ format: 'jwk' }), use: 'sig' }))
}

/** The clients that were registered while it runs, as it finds them. */
function createClients(options: StrictOptions) {
  const { knowsPublic = () => false } = options
  return {
    ...createAdapter('Client'),
    find: async (id: string) =>
      knowsPublic(id) ? toPublicClient(id, toCallback(options)) : undefined,
  }
}

function toCallback({ toCallback: find = () => knownCallback }: StrictOptions): string {
  return find()
}

function toPublicClient(id: string, callback: string) {
  return {
    client_id: id,
    redirect_uris: [callback],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }
}

/** What is asked of a store by `oidc-provider`; without one it warns that its own is for development. */
function createAdapter(name: string) {
  const find = (wanted: (payload: Payload) => boolean) => [...records.values()].find(wanted)
  const toKey = (id: string) => `${name}:${id}`
  return {
    upsert: async (id: string, payload: Payload) => void records.set(toKey(id), payload),
    find: async (id: string) => records.get(toKey(id)),
    findByUid: async (uid: string) => find((payload) => payload.uid === uid),
    consume: async (id: string) => {
      records.set(toKey(id), { ...records.get(toKey(id)), consumed: Math.floor(Date.now() / 1000) })
    },
    destroy: async (id: string) => void records.delete(toKey(id)),
    revokeByGrantId: async (grantId: string) => {
      for (const [key, payload] of records) if (payload.grantId === grantId) records.delete(key)
    },
  }
}

type Payload = { readonly uid?: string; readonly grantId?: string; readonly consumed?: number }

const records = new Map<string, Payload>()

function toClaims(accountId: string): object {
  const login = accountId.replace('account-of-', '')
  return {
    sub: accountId,
    org_id: 'org_example',
    name: login,
    preferred_username: login,
    email: `${login}@example.com`,
    email_verified: true,
    groups: login === 'ada' ? ['staff', 'admins'] : ['guests'],
  }
}

/** Signs the person in whom the header names, and grants what was asked for. */
async function agree(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { params, session } = await provider.interactionDetails(request, response)
  const accountId = session?.accountId ?? `account-of-${String(request.headers['x-login'])}`
  const grant = new provider.Grant({ accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  const result = { login: { accountId }, consent: { grantId: await grant.save() } }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
}

async function walk(authorizationUrl: URL, login: string, callback: string): Promise<URL> {
  const cookies = new Map<string, string>()
  let url = authorizationUrl
  for (let hop = 0; hop < 10; hop += 1) {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie, 'x-login': login } })
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const [name = '', value = ''] = pair.split('=')
      cookies.set(name, value)
    }
    url = new URL(answer.headers.get('location') ?? '', url)
    if (url.href.startsWith(callback)) return url
  }
  throw new Error('The provider sends the browser in circles')
}
