/** An OAuth 2.0 provider on loopback that has a profile in place of an ID token. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type GenericOAuth2Options,
  genericOAuth2,
} from '../../src/identity/presets/generic-oauth2.ts'
import type { Identity, Upstream } from '../../src/identity/upstream.ts'
import { systemRandom } from '../../src/platform/crypto.ts'
import { createFlow } from './contract.ts'
import { createTestClock } from './fixtures.ts'

interface Received {
  readonly path: string
  readonly authorization: string | undefined
  readonly form: URLSearchParams
}

/** A provider with a code, refresh and revocation endpoint, and a profile below `data`. */
export async function startProvider() {
  const received: Received[] = []
  const codes = new Map<string, string>()
  const tokens = new Map<string, { login: string; refreshToken: string }>()
  const state = {
    profile: (login: string): unknown => ({ data: { id: `id-of-${login}`, nick: login } }),
  }

  function issue(login: string) {
    const [accessToken, refreshToken] = [systemRandom(8), systemRandom(8)]
    tokens.set(accessToken, { login, refreshToken })
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: 60,
      refresh_token: refreshToken,
    }
  }

  function answer({ path, authorization, form }: Received): [number, unknown] {
    if (path === '/me') {
      const token = tokens.get(authorization?.replace('Bearer ', '') ?? '')
      return token ? [200, state.profile(token.login)] : [401, {}]
    }
    const proof = authorization ?? `${form.get('client_id')}:${form.get('client_secret')}`
    const proven = ['id:secret', `Basic ${btoa('id:secret')}`].includes(proof)
    if (!proven) return [401, { error: 'invalid_client' }]
    if (path === '/revoke') {
      for (const [token, { refreshToken }] of tokens) {
        if ([token, refreshToken].includes(form.get('token') ?? '')) tokens.delete(token)
      }
      return [200, undefined]
    }
    if (form.get('grant_type') === 'refresh_token') {
      const old = [...tokens].find(([, one]) => one.refreshToken === form.get('refresh_token'))
      if (!old) return [400, { error: 'invalid_grant' }]
      tokens.delete(old[0])
      return [200, issue(old[1].login)]
    }
    const login = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    return login === undefined ? [400, { error: 'invalid_grant' }] : [200, issue(login)]
  }

  const server = createServer((request, response) => void serve(request, response))
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += chunk
    const { authorization } = request.headers
    const one = { path: request.url ?? '', authorization, form: new URLSearchParams(body) }
    received.push(one)
    const [status, json] = answer(one)
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(json === undefined ? '' : JSON.stringify(json))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const clock = createTestClock()
  const create = (changes: Partial<GenericOAuth2Options> = {}) =>
    genericOAuth2({
      label: 'Forge',
      clientId: 'id',
      clientSecret: 'secret',
      authorizationEndpoint: `${url}/authorize`,
      tokenEndpoint: `${url}/token`,
      profileEndpoint: `${url}/me`,
      revocationEndpoint: `${url}/revoke`,
      profile: { subject: 'data.id', login: 'data.nick' },
      scopes: ['profile'],
      clock,
      ...changes,
    })
  const signIn = async (authorizationUrl: URL, login: string) => {
    const code = systemRandom(8)
    codes.set(code, login)
    const asked = authorizationUrl.searchParams
    const callback = new URL(asked.get('redirect_uri') ?? '')
    callback.search = new URLSearchParams({ code, state: asked.get('state') ?? '' }).toString()
    return callback
  }
  const enter = async (upstream: Upstream, login = 'ann'): Promise<Identity> => {
    const flow = createFlow()
    return upstream.finish(await signIn(await upstream.start(flow), login), flow)
  }
  return {
    url,
    received,
    state,
    clock,
    create,
    signIn,
    enter,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
