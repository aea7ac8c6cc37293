/** Endpoints at paths of the owner's choice: one by one, below a base path, and under further names (N3, S3). */
import { afterEach, describe, expect, it } from 'vitest'
import type { Upstream } from '../../src/identity/upstream.ts'
import type { EndpointPathOptions } from '../../src/oauth/endpoint-paths.ts'
import { createBrowser } from '../helpers/browser.ts'
import { startTestGatehouse, type TestGatehouse } from '../helpers/gatehouse.ts'
import { challenge, postForm, type Registered, verifier } from '../helpers/oauth-client.ts'

const running: TestGatehouse[] = []
afterEach(async () => {
  for (const one of running.splice(0)) await one.close()
})

async function start(
  paths: EndpointPathOptions,
  options: Parameters<typeof startTestGatehouse>[0] = {},
): Promise<TestGatehouse> {
  const site = await startTestGatehouse({ paths, upstreams: [provider()], ...options })
  running.push(site)
  return site
}

/** A provider that sends everybody back at once. */
function provider(callbackPath?: string): Upstream {
  return {
    id: 'github',
    label: 'GitHub',
    ...(callbackPath !== undefined && { callbackPath }),
    start: async ({ redirectUri, state }) => new URL(`${redirectUri}?state=${state}&code=any`),
    finish: async () => ({ subject: '1', login: 'ada' }),
  }
}

const post = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

const registration = {
  client_name: 'ChatGPT',
  redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
}

async function readMetadata({ send }: TestGatehouse): Promise<Record<string, string>> {
  const answer = await send('/.well-known/oauth-authorization-server')
  expect(answer.status).toBe(200)
  return (await answer.json()) as Record<string, string>
}

/** Walks from discovery to a token as a client does: it knows the metadata and nothing else. */
async function connect(site: TestGatehouse, given?: Record<string, string>) {
  const documents: Record<string, string> = { ...(await readMetadata(site)), ...given }
  const visited: string[] = []
  const answered = await site.send(documents.registration_endpoint ?? '', post(registration))
  expect(answered.status).toBe(201)
  const client = (await answered.json()) as Registered
  const browser = createBrowser(site.issuer, (request) => {
    visited.push(new URL(request.url).pathname)
    return site.gatehouse.fetch(request)
  })
  const asked = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  })
  let page = await browser.open(`${documents.authorization_endpoint}?${asked}`)
  for (let step = 0; step < 3 && page.status === 200; step++) {
    page = await browser.press(page, 'decision', 'allow')
  }
  const tokens = await postForm(site.send, documents.token_endpoint ?? '', {
    grant_type: 'authorization_code',
    client_id: client.client_id,
    client_secret: client.client_secret,
    code: page.url.searchParams.get('code') ?? '',
    code_verifier: verifier,
  })
  return { client, visited: [...new Set(visited)], tokens, documents }
}

describe('a base path (N3)', () => {
  it.each(['/oauth', '/oauth2', '/auth/oauth'])(
    'is where everything is that the metadata names, and every page leads to: %s',
    async (base) => {
      const site = await start({ base })
      const { documents, client, visited, tokens } = await connect(site)
      const endpoints = Object.entries<string>(documents).filter(([name]) =>
        /_endpoint$|_uri$/.test(name),
      )
      expect(Object.fromEntries(endpoints)).toEqual({
        authorization_endpoint: `${site.issuer}${base}/authorize`,
        token_endpoint: `${site.issuer}${base}/token`,
        registration_endpoint: `${site.issuer}${base}/register`,
        revocation_endpoint: `${site.issuer}${base}/revoke`,
        introspection_endpoint: `${site.issuer}${base}/introspect`,
        jwks_uri: `${site.issuer}${base}/jwks`,
      })
      expect(documents.issuer).toBe(site.issuer)
      expect(tokens.status).toBe(200)
      expect(visited.filter((path) => !path.startsWith(`${base}/`))).toEqual([])
      expect(visited).toContain(`${base}/callback/github`)
      expect(client.registration_client_uri).toBe(
        `${site.issuer}${base}/register/${client.client_id}`,
      )
      const own = await site.send(String(client.registration_client_uri), {
        headers: { authorization: `Bearer ${String(client.registration_access_token)}` },
      })
      expect(own.status).toBe(200)
      for (const [name, url] of endpoints) {
        const atOrigin = new URL(url).pathname.slice(base.length)
        expect((await site.send(atOrigin)).status, `${name} at the origin`).toBe(404)
        expect((await site.send(new URL(url).pathname)).status, name).not.toBe(404)
      }
    },
  )

  it('leads the first owner to the form below it', async () => {
    const site = await start({ base: '/oauth' }, { upstreams: [] })
    const link = (await site.gatehouse.createSetupLink()) ?? ''
    expect(new URL(link).pathname).toBe('/oauth/setup')
    const page = await createBrowser(site.issuer, site.gatehouse.fetch).open(link)
    expect([page.status, page.text.includes('action="/oauth/setup"')]).toEqual([200, true])
  })

  it('leaves where a provider sends the browser as it is registered there (S8)', async () => {
    const upstreams = [provider('/github/oauth/callback')]
    const { visited, tokens } = await connect(await start({ base: '/auth/oauth' }, { upstreams }))
    expect(visited).toContain('/github/oauth/callback')
    expect(tokens.status).toBe(200)
  })

  it('keeps the documents of discovery at the origin, for the MCP path as well (S2)', async () => {
    const { send } = await start({ base: '/auth/oauth' })
    for (const path of [
      '/.well-known/oauth-authorization-server/mcp',
      '/.well-known/oauth-protected-resource/mcp',
    ]) {
      expect((await send(path)).status, path).toBe(200)
    }
    expect((await send('/auth/oauth/.well-known/oauth-authorization-server')).status).toBe(404)
  })
})

describe('paths one by one', () => {
  it('are taken as they are, the others follow the base', async () => {
    const site = await start({ base: '/oauth', token: '/api/token', consent: '/ask' })
    const { documents, visited, tokens } = await connect(site)
    expect(documents.token_endpoint).toBe(`${site.issuer}/api/token`)
    expect(documents.authorization_endpoint).toBe(`${site.issuer}/oauth/authorize`)
    expect(tokens.status).toBe(200)
    expect(visited.filter((path) => !path.startsWith('/oauth/'))).toEqual(['/ask'])
    expect((await site.send('/oauth/token', { method: 'POST' })).status).toBe(404)
  })
})

describe('aliases (A3, S3)', () => {
  const aliases = { '/oauth/authorize': 'authorize', '/oauth/token': 'token' } as const

  it('are served beside the canonical paths, which alone are in the metadata', async () => {
    const site = await start({ aliases: { ...aliases, '/oauth/register': 'register' } })
    const { issuer } = site
    const canonical = await connect(site)
    expect(canonical.documents.token_endpoint).toBe(`${issuer}/token`)
    expect(JSON.stringify(canonical.documents)).not.toContain('/oauth/')
    const other = await connect(site, {
      authorization_endpoint: `${issuer}/oauth/authorize`,
      token_endpoint: `${issuer}/oauth/token`,
      registration_endpoint: `${issuer}/oauth/register`,
    })
    expect(other.tokens.status).toBe(200)
    expect(other.visited[0]).toBe('/oauth/authorize')
    expect(other.client.registration_client_uri).toBe(
      `${issuer}/register/${other.client.client_id}`,
    )
    const put = await site.send('/oauth/token', { method: 'PUT' })
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
  })

  it.each([
    ['/oauth/authorize/page', {}],
    ['/oauth/login', {}],
    ['/auth/oauth/authorize/page', { base: '/auth/oauth' }],
    ['/auth/oauth/login', { base: '/auth/oauth' }],
  ])('of authorization are there by themselves: %s', async (path, paths) => {
    const site = await start(paths, {
      scopes: { read: 'Read your contract', payment: 'Pay your bills' },
      defaultScopes: ['read', 'payment'],
    })
    const { tokens } = await connect(site, { authorization_endpoint: site.issuer + path })
    expect(tokens.status).toBe(200)
    const unknown = await createBrowser(site.issuer, site.gatehouse.fetch).open(
      `${site.issuer}${path}?client_id=test&redirect_uri=https://example.com`,
    )
    expect(unknown.status).toBe(400)
    expect(unknown.text).toContain('Client Not Registered')
  })
})

describe('a request without PKCE at /auth/oauth/login', () => {
  const words = 'PKCE code_challenge and code_challenge_method=S256 are required'

  it('is told so before it is asked who it is (S4)', async () => {
    const site = await start({ base: '/auth/oauth' })
    const bare = await site.send('/auth/oauth/login')
    expect([bare.status, await bare.json()]).toEqual([
      400,
      { error: 'invalid_request', error_description: words },
    ])
  })

  it('is told so in exactly that JSON, and a person in a page with the same words (S4)', async () => {
    const site = await start({ base: '/auth/oauth' })
    const { client } = await connect(site)
    const url = `/auth/oauth/login?response_type=code&client_id=${client.client_id}`
    for (const accept of [undefined, '*/*', 'application/json']) {
      const answer = await site.send(url, accept === undefined ? {} : { headers: { accept } })
      expect([answer.status, await answer.text()]).toEqual([
        400,
        `{"error":"invalid_request","error_description":"${words}"}`,
      ])
    }
    const page = await createBrowser(site.issuer, site.gatehouse.fetch).open(site.issuer + url)
    expect([page.status, page.text.includes(words)]).toEqual([400, true])
  })
})

it('registers at the well-known address of each MCP server too (S2)', async () => {
  const site = await start(
    { base: '/auth/oauth' },
    {
      backends: [
        { id: 'a', path: '/mcp' },
        { id: 'b', path: '/files/mcp' },
      ],
    },
  )
  for (const path of ['/mcp', '/files/mcp']) {
    const asked = {
      client_name: 'ChatGPT MCP Client',
      redirect_uris: ['https://chat.openai.com/oauth/callback'],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      scope: 'user:email',
    }
    const answer = await site.send(`/.well-known/oauth-registration${path}`, post(asked))
    expect(answer.status).toBe(201)
    const { client_id, client_secret, redirect_uris, client_name } =
      (await answer.json()) as Registered
    expect([client_id, client_secret]).toEqual([expect.any(String), expect.any(String)])
    expect([redirect_uris, client_name]).toEqual([asked.redirect_uris, asked.client_name])
  }
  expect((await site.send('/.well-known/oauth-registration/other', post({}))).status).toBe(404)
})

describe('paths that cannot be', () => {
  const backends = [{ id: 'notes', path: '/mcp' }]
  it.each<[string, EndpointPathOptions, string]>([
    [
      'two endpoints at one path',
      { token: '/authorize' },
      'paths.authorize and paths.token are both /authorize',
    ],
    ['an alias of another one', { aliases: { '/token': 'authorize' } }, 'paths.aliases["/token"]'],
    ['that of a health check', { token: '/healthz' }, 'the fixed /healthz and paths.token'],
    ['an MCP server’s', { jwks: '/mcp' }, 'paths.jwks and backend notes are both /mcp'],
    ['one below an MCP server', { base: '/mcp' }, 'and backend notes (/mcp) take each other'],
    ['one below registration', { token: '/register/token' }, 'and paths.register (/register)'],
    ['one below the callbacks', { token: '/callback/token' }, '(/callback/token)'],
    [
      'well-known ones',
      { token: '/.well-known/token' },
      'paths.token "/.well-known/token" is under',
    ],
    ['a well-known base', { base: '/.well-known' }, 'paths.base "/.well-known" is under'],
    ['an address', { token: 'https://x/token' }, 'paths.token "https://x/token" must look like'],
    ['one with a parameter', { token: '/:id' }, 'paths.token "/:id" must look like'],
    ['upwards', { base: '/a/..' }, 'paths.base "/a/.." must look like'],
    ['a slash at the end', { base: '/oauth/' }, 'paths.base "/oauth/" must look like'],
    ['an alias of callbacks', { aliases: { '/cb': 'callback' } }, 'set the callbackPath'],
    ['an alias of nothing', { aliases: { '/x': 'nothing' as 'token' } }, 'not "nothing"'],
  ])('are refused at construction, naming both: %s', async (_, paths, message) => {
    await expect(start(paths, { backends })).rejects.toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(message) }),
    )
  })

  it('are refused at construction: a callback at an endpoint', async () => {
    const upstreams = [provider('/oauth/token')]
    await expect(start({ base: '/oauth' }, { upstreams })).rejects.toThrow(
      'Upstream github: callbackPath "/oauth/token" must be a path of its own',
    )
  })
})
