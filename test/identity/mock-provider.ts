/**
 * `oauth2-mock-server` on loopback, under any public name, with a hook for everything it says: the
 * document, the keys, the ID token and whole answers.
 */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Events, OAuth2Issuer, OAuth2Service } from 'oauth2-mock-server'
import { type Answer, json } from './hostile-provider.ts'
import { createSigner, type Signer, signJwt } from './signers.ts'

/** What a token endpoint is about to answer. */
export type TokenAnswer = Record<string, unknown>

/** A provider that is well until a test says otherwise. */
export interface MockProvider {
  /** What it is called: also the origin of its endpoints. */
  readonly origin: string
  /** Reaches it by that name. */
  readonly fetch: typeof fetch
  /** What arrived, as `METHOD path`. */
  readonly requests: string[]
  /** Body of the last request to the token endpoint. */
  readonly tokenRequest: URLSearchParams
  /** Members put into the discovery document; undefined takes one away. */
  document: object
  /** Members put into the ID token. */
  claims: object | ((answer: TokenAnswer) => object)
  /** What userinfo says besides the subject. */
  userinfo: object
  /** Signs the ID tokens. Its key is published unless `keys` says otherwise. */
  signer: Signer
  keys: readonly object[] | undefined
  /** Changes the answer of the token endpoint. */
  token: (answer: TokenAnswer) => TokenAnswer
  /** Whole answers, by path. */
  readonly answers: Map<string, Answer>
  /** Makes it well again. */
  reset(): void
  /** Walks its page, which asks nothing. Returns where the browser is sent. */
  signIn(authorizationUrl: URL): Promise<URL>
  close(): Promise<void>
}

const discoveryPath = '/.well-known/openid-configuration'
const ordinarySigner = createSigner('RS256', 'ordinary')

const well = () => ({
  document: {},
  claims: {},
  userinfo: {},
  signer: ordinarySigner,
  keys: undefined,
  token: (answer: TokenAnswer) => answer,
})

/** Starts one. Default origin: its own address. */
export async function createMockProvider(publicOrigin?: string): Promise<MockProvider> {
  const issuer = new OAuth2Issuer()
  await issuer.keys.generate('ES256')
  const service = new OAuth2Service(issuer)
  const requests: string[] = []
  let tokenRequest = new URLSearchParams()

  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '', 'http://mock')
    requests.push(`${request.method} ${pathname}`)
    const path = pathname.endsWith(discoveryPath) ? discoveryPath : pathname
    const answer = provider.answers.get(path) ?? (path === '/jwks' ? publishKeys : undefined)
    if (answer) return request.resume().on('end', () => answer(response, request))
    request.url = path + search
    return service.requestHandler(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const origin = publicOrigin ?? address
  issuer.url = origin

  const fetchByName: typeof fetch = (input, init) =>
    fetch(String(input instanceof Request ? input.url : input).replace(origin, address), init)
  const publishKeys: Answer = (response, request) =>
    json({ keys: provider.keys ?? [provider.signer.jwk] })(response, request)

  const provider: MockProvider = {
    origin,
    fetch: fetchByName,
    requests,
    get tokenRequest() {
      return tokenRequest
    },
    ...well(),
    answers: new Map(),
    reset: () => {
      Object.assign(provider, well())
      provider.answers.clear()
      requests.length = 0
    },
    signIn: async (authorizationUrl) => {
      const answer = await fetchByName(authorizationUrl, { redirect: 'manual' })
      return new URL(answer.headers.get('location') ?? '')
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  hook(provider, service, (request) => {
    tokenRequest = new URLSearchParams(request.body as Record<string, string>)
  })
  return provider
}

type TokenRequest = IncomingMessage & { body: unknown }

function hook(
  provider: MockProvider,
  service: OAuth2Service,
  remember: (request: TokenRequest) => void,
): void {
  let idToken: object = {}
  service.on(Events.BeforeWellKnownOpenIdConfiguration, ({ body }) => {
    const methods = { token_endpoint_auth_methods_supported: ['client_secret_post'] }
    Object.assign(body as object, methods, provider.document)
  })
  service.on(Events.BeforeTokenSigning, ({ payload }) => {
    if ('aud' in payload) idToken = payload
  })
  service.on(Events.BeforeResponse, (response, request) => {
    remember(request)
    const answer = response.body as TokenAnswer
    const { claims } = provider
    const changes = typeof claims === 'function' ? claims(answer) : claims
    const id_token = signJwt(provider.signer, { ...idToken, ...changes })
    response.body = provider.token({ ...answer, id_token })
    if ('error' in response.body) response.statusCode = 400
  })
  service.on(Events.BeforeUserinfo, (response) => {
    Object.assign(response.body as object, provider.userinfo)
  })
}
