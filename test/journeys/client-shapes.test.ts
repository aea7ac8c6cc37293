/**
 * Raw requests shaped as real clients send them (facts of late 2026: vendor documentation, published
 * captures, client sources): registration, authorization, token, a tool call, five refreshes at once.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approve, type Live, startLive } from '../helpers/live.ts'
import {
  authorizePath,
  challenge,
  postForm,
  type Registered,
  type TokenAnswer,
  verifier,
} from '../helpers/oauth-client.ts'

let live: Live
beforeAll(async () => {
  live = await startLive()
})
afterAll(() => live.close())

const send = (path: string, init?: RequestInit): Promise<Response> =>
  fetch(live.issuer + path, init)

/** What tells one client from another on the wire. */
interface Shape {
  readonly name: string
  readonly registration: Record<string, unknown>
  /** Differs from the first registered one where ports are chosen at run time. */
  readonly redirectUri?: string
  readonly authorize: (url: string) => Record<string, string | undefined>
  /** How it authenticates at the token endpoint. */
  readonly authenticates: 'none' | 'post' | 'basic-raw' | 'basic-encoded'
  readonly token: (url: string) => Record<string, string | undefined>
  readonly refresh: (url: string) => Record<string, string | undefined>
}

const shapes: readonly Shape[] = [
  {
    name: 'ChatGPT connector, confidential (capture of 2026-09-28)',
    registration: {
      application_type: 'native',
      client_name: 'ChatGPT',
      redirect_uris: ['https://chatgpt.com/connector/oauth/AbC123'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
    },
    authorize: (url) => ({
      state: 'oauth_s_0a1b2c3d',
      resource: url,
      scope: 'notes:read offline_access',
    }),
    authenticates: 'post',
    token: (url) => ({ resource: url }),
    refresh: (url) => ({ resource: url }),
  },
  {
    name: 'ChatGPT connector, public, without scope',
    registration: {
      application_type: 'native',
      client_name: 'ChatGPT',
      redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    authorize: (url) => ({ state: 'oauth_s_0a1b2c3d', resource: url }),
    authenticates: 'none',
    token: (url) => ({ resource: url }),
    refresh: (url) => ({ resource: url }),
  },
  {
    name: 'ChatGPT asking for OpenID scopes that do not exist here',
    registration: {
      client_name: 'ChatGPT',
      redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
      token_endpoint_auth_method: 'none',
    },
    authorize: (url) => ({ resource: url, scope: 'openid email offline_access notes:read' }),
    authenticates: 'none',
    token: () => ({}),
    refresh: (url) => ({ resource: url, scope: 'openid email offline_access notes:read' }),
  },
  {
    name: 'Claude.ai',
    registration: {
      client_name: 'Claude',
      application_type: 'web',
      redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'notes:read notes:write',
    },
    authorize: (url) => ({ resource: url, scope: 'notes:read notes:write offline_access' }),
    authenticates: 'post',
    token: (url) => ({ resource: url }),
    refresh: (url) => ({ resource: url }),
  },
  {
    name: 'Claude Code, another port than it registered',
    registration: {
      client_name: 'Claude Code (notes)',
      redirect_uris: ['http://localhost:51712/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    redirectUri: 'http://localhost:62001/callback',
    authorize: (url) => ({ resource: url, prompt: 'consent', scope: 'notes:read offline_access' }),
    authenticates: 'none',
    token: (url) => ({ resource: url }),
    refresh: (url) => ({ resource: url }),
  },
  {
    name: 'Cursor, mixed redirect URIs of type web',
    registration: {
      client_name: 'Cursor',
      application_type: 'web',
      redirect_uris: [
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'http://localhost:8787/callback',
      ],
      token_endpoint_auth_method: 'none',
      logo_uri: 'https://www.cursor.com/logo.png',
      scope: 'notes:read',
    },
    authorize: (url) => ({ resource: url, scope: 'notes:read' }),
    authenticates: 'none',
    token: (url) => ({ resource: url }),
    refresh: (url) => ({ resource: url }),
  },
  {
    name: 'VS Code, four redirect URIs and the device grant',
    registration: {
      client_name: 'Visual Studio Code',
      client_uri: 'https://code.visualstudio.com',
      application_type: 'native',
      grant_types: [
        'authorization_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:device_code',
      ],
      response_types: ['code'],
      redirect_uris: [
        'https://insiders.vscode.dev/redirect',
        'https://vscode.dev/redirect',
        'http://127.0.0.1/',
        'http://127.0.0.1:33418/',
      ],
      token_endpoint_auth_method: 'none',
      scope: 'notes:read notes:write',
    },
    redirectUri: 'http://127.0.0.1:49152/',
    authorize: (url) => ({ resource: url, scope: 'notes:read' }),
    authenticates: 'none',
    token: (url) => ({ resource: url }),
    refresh: (url) => ({ resource: url }),
  },
  {
    name: 'Codex (rmcp): offline_access it never got, on refresh too',
    registration: {
      client_name: 'Codex',
      redirect_uris: ['http://127.0.0.1:20527/callback/ufe3FA9Kx0Q1'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      response_types: ['code'],
      application_type: 'native',
    },
    redirectUri: 'http://127.0.0.1:40001/callback/ufe3FA9Kx0Q1',
    authorize: (url) => ({ resource: url, scope: 'notes:read admin offline_access' }),
    authenticates: 'none',
    token: (url) => ({ resource: url }),
    refresh: (url) => ({ resource: url, scope: 'notes:read admin offline_access' }),
  },
  {
    name: 'Gemini CLI: every scope listed, empty scope at registration, trailing slash',
    registration: {
      client_name: 'Gemini CLI MCP Client',
      redirect_uris: ['http://localhost:7777/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: '',
    },
    authorize: (url) => ({ resource: `${url}/`, scope: 'notes:read notes:write offline_access' }),
    authenticates: 'none',
    token: (url) => ({ resource: url }),
    refresh: (url) => ({ resource: url }),
  },
  {
    name: 'a Python SDK client: Basic, percent-encoded, no auth method registered',
    registration: {
      client_name: 'Python client',
      redirect_uris: ['http://localhost:3030/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    },
    authorize: (url) => ({ resource: url, scope: 'notes:read' }),
    authenticates: 'basic-encoded',
    token: (url) => ({ resource: url }),
    refresh: (url) => ({ resource: url }),
  },
  {
    name: 'a TypeScript SDK client: Basic as it is, no resource (2025-03-26)',
    registration: {
      client_name: 'Old client',
      redirect_uris: ['http://localhost:3334/oauth/callback'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
    authorize: () => ({}),
    authenticates: 'basic-raw',
    token: () => ({}),
    refresh: () => ({}),
  },
]

/** The credentials of a client as its engine writes them. */
function toCredentials(
  shape: Shape,
  client: Registered,
): { fields: Record<string, string | undefined>; headers: Record<string, string> } {
  const { client_id: id, client_secret: secret = '' } = client
  if (shape.authenticates === 'none') return { fields: { client_id: id }, headers: {} }
  if (shape.authenticates === 'post') {
    return { fields: { client_id: id, client_secret: secret }, headers: {} }
  }
  const encode = shape.authenticates === 'basic-raw' ? String : encodeURIComponent
  return {
    fields: {},
    headers: { authorization: `Basic ${btoa(`${encode(id)}:${encode(secret)}`)}` },
  }
}

async function callTool(accessToken: string | undefined): Promise<Response> {
  return fetch(live.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${accessToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  })
}

describe.each(shapes)('$name', (shape) => {
  it('registers, signs in, calls a tool and refreshes five times at once (H1, X1, RF-02)', async () => {
    const registration = await send('/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(shape.registration),
    })
    expect(registration.status, await registration.clone().text()).toBe(201)
    const client = (await registration.json()) as Registered
    expect(client.redirect_uris).toEqual(shape.registration.redirect_uris)
    expect(JSON.stringify(client)).not.toContain('null')

    const redirectUri = shape.redirectUri ?? client.redirect_uris[0]
    const asked = {
      redirect_uri: redirectUri,
      code_challenge: challenge,
      ...shape.authorize(live.url),
    }
    const back = await approve(live.browser(), live.issuer + authorizePath(client, asked))
    expect(back.url.href.startsWith(redirectUri ?? '-'), back.text).toBe(true)
    expect(back.url.searchParams.getAll('iss')).toEqual([live.issuer])

    const { fields, headers } = toCredentials(shape, client)
    const tokens = await postForm(
      send,
      '/token',
      {
        grant_type: 'authorization_code',
        code: back.url.searchParams.get('code') ?? '',
        code_verifier: verifier,
        redirect_uri: redirectUri,
        ...fields,
        ...shape.token(live.url),
      },
      headers,
    )
    expect(tokens.status, JSON.stringify(tokens.body)).toBe(200)
    expect(tokens.headers.get('cache-control')).toBe('no-store')
    expect(Number.isInteger(tokens.body.expires_in)).toBe(true)
    expect((await callTool(tokens.body.access_token)).status).toBe(200)

    const again = await Promise.all(
      Array.from({ length: 5 }, () =>
        postForm(
          send,
          '/token',
          {
            grant_type: 'refresh_token',
            refresh_token: tokens.body.refresh_token,
            ...fields,
            ...shape.refresh(live.url),
          },
          headers,
        ),
      ),
    )
    expect(again.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    const successors = new Set(again.map(({ body }: TokenAnswer) => body.refresh_token))
    expect(successors.size).toBe(1)
    expect((await callTool(again[4]?.body.access_token)).status).toBe(200)
  })
})
