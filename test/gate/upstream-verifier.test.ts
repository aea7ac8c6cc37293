/** Verify mode: another issuer's tokens at our gate, and nothing else of an authorization server (R8). */
import { createServer } from 'node:http'
import { decodeJwt, exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { GatehouseOptions, RegistrationOptions } from '../../src/options.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'
import { verifies, verifiesThat } from '../verifies.ts'

const clock = testClock()
const resource = 'https://mcp.example.com/mcp'

type Keys = Awaited<ReturnType<typeof createKeys>>

/** A key pair and its public half as it stands in a key set. */
async function createKeys(alg: string, kid: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  return { alg, kid, jwk, privateKey, publicKey }
}

/** An issuer whose documents a test can replace. */
async function startIssuer() {
  const documents = new Map<string, unknown>()
  const requests: string[] = []
  let isDown = false
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    const document = documents.get(request.url ?? '')
    if (isDown) return response.destroy()
    if (document === undefined) return response.writeHead(404).end()
    const isText = typeof document === 'string'
    response.writeHead(200, { 'content-type': 'application/json' })
    return response.end(isText ? document : JSON.stringify(document))
  })
  const url = await listenOnLoopback(server)
  const setDown = (down: boolean) => {
    isDown = down
  }
  return { url, documents, requests, setDown, close: () => closeNow(server) }
}

/** An MCP server that tells what it was sent. */
async function startBackend() {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(request.headers))
  })
  return { url: await listenOnLoopback(server), close: () => closeNow(server) }
}

let issuer: Awaited<ReturnType<typeof startIssuer>>
let backend: Awaited<ReturnType<typeof startBackend>>
let keys: Keys
let others: Keys
beforeAll(async () => {
  issuer = await startIssuer()
  backend = await startBackend()
  keys = await createKeys('RS256', 'first')
  others = await createKeys('ES256', 'second')
})
afterAll(async () => {
  await issuer.close()
  await backend.close()
})
beforeEach(() => {
  issuer.setDown(false)
  issuer.requests.length = 0
  issuer.documents.clear()
  publish()
})

const discovery = '/.well-known/openid-configuration'

function publish(jwks: object[] = [keys.jwk, others.jwk]): void {
  const metadata = { issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` }
  issuer.documents.set(discovery, metadata)
  issuer.documents.set('/jwks', { keys: jwks })
}

type Verification = Partial<Extract<RegistrationOptions, { mode: 'verify' }>>

function start(verification: Verification = {}, options: Partial<GatehouseOptions> = {}) {
  const { clock: _, ...rest } = options
  return startTestGatehouse({
    backends: [{ name: 'Notes', to: `${backend.url}/mcp`, identity: 'headers' }],
    scopes: {},
    defaultScopes: [],
    ...rest,
    clock,
    registration: { mode: 'verify', issuer: issuer.url, ...verification },
  })
}

/** Runs a test against a server of its own. */
async function withServer(
  work: (server: TestGatehouse) => Promise<void>,
  verification?: Verification,
  options?: Partial<GatehouseOptions>,
): Promise<void> {
  const server = await start(verification, options)
  try {
    await work(server)
  } finally {
    await server.close()
  }
}

function sign(claims: JWTPayload = {}, header: object = {}, by: Keys = keys): Promise<string> {
  const now = clock.now()
  const payload = {
    iss: issuer.url,
    sub: 'auth0|ada',
    aud: resource,
    iat: now,
    exp: now + 3600,
    client_id: 'some-client',
    scope: 'notes:read',
    ...claims,
  }
  return new SignJWT(payload)
    .setProtectedHeader({ alg: by.alg, kid: by.kid, typ: 'at+jwt', ...header })
    .sign(by.privateKey)
}

async function call(server: TestGatehouse, token: string, path = '/mcp') {
  const response = await server.send(path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{}',
  })
  const body = (await response.json()) as Record<string, string>
  return { status: response.status, headers: response.headers, body }
}

/** Fields about the caller that the gate sets. */
const callerFields = ['x-forwarded-user', 'x-gatehouse-client-id', 'x-gatehouse-scope']

verifies('R8', () =>
  withServer(async (server) => {
    const { status, body } = await call(server, await sign())
    expect(status).toBe(200)
    expect(callerFields.map((name) => body[name])).toEqual([
      'auth0|ada',
      'some-client',
      'notes:read',
    ])
    expect(body).not.toHaveProperty('authorization')
  }),
)

describe('what is served', () => {
  verifiesThat('R8', 'the metadata names the upstream as authorization server', () =>
    withServer(async (server) => {
      const invited = await server.send('/mcp', { method: 'POST' })
      expect(invited.status).toBe(401)
      const challenge = invited.headers.get('www-authenticate') ?? ''
      const url = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? ''
      for (const path of [new URL(url).pathname, '/.well-known/oauth-protected-resource']) {
        const metadata = await (await server.send(path)).json()
        expect(metadata).toEqual({
          resource,
          authorization_servers: [issuer.url],
          bearer_methods_supported: ['header'],
          resource_name: 'Notes',
        })
      }
    }),
  )

  it('is nothing of an authorization server (R8)', () =>
    withServer(async (server) => {
      const paths = ['/', '/authorize', '/consent', '/sign-in', '/callback/x', '/setup']
      const posted = ['/token', '/register', '/revoke', '/introspect', '/authorize', '/setup']
      const documents = ['/.well-known/oauth-authorization-server', discovery]
      for (const path of [...paths, ...documents, ...documents.map((one) => `${one}/mcp`)]) {
        expect([path, (await server.send(path)).status]).toEqual([path, 404])
      }
      for (const path of [...posted, '/register/mcp_x']) {
        const { status } = await server.send(path, { method: 'POST' })
        expect([path, status]).toEqual([path, 404])
      }
      expect((await server.send('/readyz')).status).toBe(200)
      expect((await server.send('/jwks')).status).toBe(200)
    }))

  it('is no set-up link: nobody signs in here', () =>
    withServer(async ({ gatehouse }) => {
      expect(await gatehouse.createSetupLink()).toBeUndefined()
    }))

  it('asks nothing of the issuer before the first token', () =>
    withServer(async (server) => {
      await server.send('/mcp', { method: 'POST' })
      expect(issuer.requests).toEqual([])
      await call(server, await sign())
      expect(issuer.requests).toEqual([discovery, '/jwks'])
    }))
})

it('a token for several resources opens each of them, and no other (R5, R8)', () =>
  withServer(
    async (server) => {
      const aud = [
        'https://mcp.example.com/a',
        'https://other.example',
        'https://mcp.example.com/b',
      ]
      const token = await sign({ aud })
      for (const path of ['/a', '/b', '/b', '/a']) {
        expect([path, (await call(server, token, path)).status]).toEqual([path, 200])
      }
      expect((await call(server, token, '/c')).status).toBe(401)
      const headers = { authorization: `Bearer ${token}` }
      const request = new Request('https://mcp.example.com/b', { method: 'POST', headers })
      const guarded = await server.gatehouse.guard(request, { backend: 'b' })
      expect(guarded).toMatchObject({ auth: { resource: new URL('https://mcp.example.com/b') } })
    },
    {},
    {
      backends: ['a', 'b', 'c'].map((id) => ({ id, path: `/${id}`, to: `${backend.url}/mcp` })),
    },
  ))

describe('a token is refused', () => {
  const now = clock.now()
  const refusals: [string, () => Promise<string>][] = [
    ['of another issuer', () => sign({ iss: 'https://evil.example' })],
    ['of the issuer with a slash', () => sign({ iss: `${issuer.url}/` })],
    ['for another resource (R5)', () => sign({ aud: 'https://mcp.example.com/other' })],
    ['for a resource with a slash', () => sign({ aud: `${resource}/` })],
    ['for nobody', () => sign({ aud: [] })],
    ['without an audience', () => sign({ aud: undefined })],
    ['without a subject', () => sign({ sub: undefined })],
    ['with an empty subject', () => sign({ sub: '' })],
    ['with a subject that is no text', () => sign({ sub: { name: 'ada' } as never })],
    ['without an end', () => sign({ exp: undefined })],
    ['that has just expired', () => sign({ exp: now })],
    ['from the future', () => sign({ iat: now + 31 })],
    ['that is not valid yet', () => sign({ nbf: now + 31 })],
    ['of an unknown key', () => sign({}, { kid: 'unknown' })],
    ['of another key', () => sign({}, { kid: others.kid, alg: keys.alg })],
    ['that is an ID token by its type', () => sign({}, { typ: 'id_token+jwt' })],
    ['that is a logout token', () => sign({}, { typ: 'logout+jwt' })],
    ['with critical extensions', () => sign({}, { crit: ['x'], x: 1 }).catch(() => 'a.b.c')],
    ['that is no token', async () => 'nonsense'],
    ['of three dots', async () => 'e30.e30.e30'],
    ['longer than eight thousand characters', () => sign({ padding: 'x'.repeat(8200) })],
    [
      'with its own key inside',
      async () => {
        const own = await createKeys('RS256', 'own')
        return sign({}, { jwk: own.jwk, kid: 'own', jku: `${issuer.url}/jwks` }, own)
      },
    ],
    [
      'without a signature',
      async () => {
        const claims = { iss: issuer.url, sub: 'x', aud: resource, exp: now + 60 }
        return new UnsecuredJWT(claims).encode()
      },
    ],
    [
      'signed with the public key as a secret',
      async () => {
        const secret = new TextEncoder().encode(JSON.stringify(keys.jwk))
        return new SignJWT({ iss: issuer.url, sub: 'x', aud: resource, exp: now + 60 })
          .setProtectedHeader({ alg: 'HS256', kid: keys.kid })
          .sign(secret)
      },
    ],
    [
      'whose claims were changed',
      async () => {
        const [header, , signature] = (await sign()).split('.')
        const claims = { iss: issuer.url, sub: 'root', aud: resource, exp: now + 60 }
        const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
        return `${header}.${payload}.${signature}`
      },
    ],
  ]
  it.each(refusals)('%s (JW-01 to JW-16)', async (_, make) => {
    await withServer(async (server) => {
      const { status, headers, body } = await call(server, await make())
      expect([status, body.error]).toEqual([401, 'invalid_token'])
      expect(headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/)
      const audit = server.audit.find(({ event }) => event === 'gate.refused')
      expect(audit?.outcome).toBe('refused')
    })
  })

  it('when it expires, though it was good before', () =>
    withServer(async (server) => {
      const token = await sign({ exp: clock.now() + 60 })
      expect((await call(server, token)).status).toBe(200)
      clock.advance(60)
      expect((await call(server, token)).status).toBe(401)
    }))

  it('of an algorithm that the owner did not list', () =>
    withServer(
      async (server) => {
        expect((await call(server, await sign())).status).toBe(401)
        expect((await call(server, await sign({}, {}, others))).status).toBe(200)
      },
      { algorithms: ['ES256'] },
    ))

  verifiesThat('R8', 'a token without a required scope gets 403, naming it', () =>
    withServer(
      async (server) => {
        const refused = await call(server, await sign({ scope: 'notes:read' }))
        expect([refused.status, refused.body.error]).toEqual([403, 'insufficient_scope'])
        expect(refused.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
        expect(refused.headers.get('www-authenticate')).toContain('notes:write')
        expect((await call(server, await sign({ scope: 'notes:read notes:write' }))).status).toBe(
          200,
        )
      },
      { requiredScopes: ['notes:write'] },
      { scopes: { 'notes:write': 'Change your notes' }, defaultScopes: ['notes:write'] },
    ),
  )

  it('lets a broader scope of the issuer do for a required one (D54)', () =>
    withServer(
      async (server) => {
        expect((await call(server, await sign({ scope: 'notes:all' }))).status).toBe(200)
        expect((await call(server, await sign({ scope: 'notes:write' }))).status).toBe(403)
      },
      { requiredScopes: ['notes:read'] },
      {
        scopes: { 'notes:read': 'Read', 'notes:all': 'All', 'notes:write': 'Write' },
        defaultScopes: ['notes:read'],
        scopeHierarchy: { 'notes:all': ['notes:read'] },
      },
    ))

  it('never because one of our own grants ended under the same name', () =>
    withServer(async (server) => {
      const { store } = server.gatehouse.context
      await call(server, await sign({ jti: 'some-id' }))
      expect(await store.list('used/')).toEqual([])
      expect(await store.list('user/')).toEqual([])
    }))
})

it('a caller cannot say who they are themselves, nor be taken for a user of ours (RS-20)', () =>
  withServer(async (server) => {
    const user = await server.gatehouse.context.users.addLocal(
      'ada@example.com',
      'x'.repeat(12),
      'user',
    )
    const sub = user.record.value.id
    const response = await server.send('/mcp', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await sign({ sub })}`,
        'content-type': 'application/json',
        'x-forwarded-email': 'root@example.com',
      },
      body: '{}',
    })
    const seen = (await response.json()) as Record<string, string>
    expect(seen['x-forwarded-user']).toBe(sub)
    expect(seen).not.toHaveProperty('x-forwarded-email')
  }))

it('two people whose tokens an issuer gave one `jti` are two people to the backend (RS-20)', () =>
  withServer(
    async (server) => {
      const subjects: unknown[] = []
      for (const sub of ['alice', 'bob', 'alice']) {
        const { body } = await call(server, await sign({ sub, jti: '1' }))
        subjects.push(decodeJwt(body['x-gatehouse-assertion'] ?? '').sub)
      }
      expect(subjects).toEqual(['alice', 'bob', 'alice'])
    },
    {},
    { backends: [{ name: 'Notes', to: `${backend.url}/mcp`, identity: 'assertion' }] },
  ))

describe('the shapes of other providers', () => {
  it.each([
    ['Auth0', { scope: 'a', permissions: ['a', 'b'], azp: 'app' }, 'a b', 'app'],
    ['Entra v2', { scope: undefined, scp: 'a b', azp: 'app' }, 'a b', 'app'],
    ['Entra v1', { scope: undefined, scp: 'a', appid: 'app' }, 'a', 'app'],
    ['Okta', { scope: undefined, scp: ['a', 'b'], cid: 'app' }, 'a b', 'app'],
    ['one without scopes', { scope: undefined, client_id: undefined }, undefined, undefined],
    ['one that writes nonsense', { scope: 7, permissions: [{}, 'a'], azp: [] }, 'a', undefined],
  ])('%s are understood', async (_, claims, scope, client) => {
    await withServer(async (server) => {
      const { status, body } = await call(server, await sign({ client_id: undefined, ...claims }))
      expect(status).toBe(200)
      expect(body['x-gatehouse-scope']).toBe(scope)
      expect(body['x-gatehouse-client-id']).toBe(client)
    })
  })

  it('a list of audiences opens what is in it', () =>
    withServer(async (server) => {
      const aud = [`${issuer.url}/userinfo`, resource]
      expect((await call(server, await sign({ aud }))).status).toBe(200)
    }))

  it('a configured audience takes the place of the resource', () =>
    withServer(
      async (server) => {
        expect((await call(server, await sign({ aud: 'https://api.example' }))).status).toBe(200)
        expect((await call(server, await sign())).status).toBe(401)
      },
      { audience: 'https://api.example' },
    ))

  it('a token for one backend does not open another (R5)', () =>
    withServer(
      async (server) => {
        const token = await sign({ aud: 'https://mcp.example.com/b' })
        expect((await call(server, token, '/b')).status).toBe(200)
        expect((await call(server, token, '/a')).status).toBe(401)
      },
      {},
      {
        backends: [
          { id: 'a', path: '/a', to: `${backend.url}/mcp` },
          { id: 'b', path: '/b', to: `${backend.url}/mcp` },
        ],
      },
    ))

  it('an issuer with a path is found by RFC 8414 (DI-02)', async () => {
    const name = `${issuer.url}/tenant`
    const metadata = { issuer: name, jwks_uri: `${issuer.url}/jwks` }
    issuer.documents.set('/.well-known/oauth-authorization-server/tenant', metadata)
    await withServer(
      async (server) => {
        expect((await call(server, await sign({ iss: name }))).status).toBe(200)
      },
      { issuer: name },
    )
  })

  it('an issuer that writes itself with a slash keeps it (Auth0)', async () => {
    const name = `${issuer.url}/`
    issuer.documents.set(discovery, { issuer: name, jwks_uri: `${issuer.url}/jwks` })
    await withServer(
      async (server) => {
        expect((await call(server, await sign({ iss: name }))).status).toBe(200)
        expect((await call(server, await sign())).status).toBe(401)
      },
      { issuer: name },
    )
  })
})

describe('the keys of the issuer', () => {
  const readings = () => issuer.requests.filter((path) => path === '/jwks').length

  it('are read once for many tokens at once', () =>
    withServer(async (server) => {
      const tokens = await Promise.all(Array.from({ length: 10 }, (_, n) => sign({ sub: `u${n}` })))
      const answers = await Promise.all(tokens.map((token) => call(server, token)))
      expect(answers.map(({ status }) => status)).toEqual(tokens.map(() => 200))
      expect(readings()).toBe(1)
    }))

  it('are read again for a key that is new, but not for every made-up one', () =>
    withServer(async (server) => {
      publish([keys.jwk])
      expect((await call(server, await sign())).status).toBe(200)
      publish()
      expect((await call(server, await sign({}, {}, others))).status).toBe(401)
      clock.advance(30)
      expect((await call(server, await sign({}, {}, others))).status).toBe(200)
      for (let count = 0; count < 5; count++) {
        expect((await call(server, await sign({}, { kid: `made-up-${count}` }))).status).toBe(401)
      }
      expect(readings()).toBe(2)
    }))

  it('are forgotten when they are withdrawn: within a quarter of an hour', () =>
    withServer(async (server) => {
      const token = await sign({ exp: clock.now() + 7200 })
      expect((await call(server, token)).status).toBe(200)
      publish([others.jwk])
      clock.advance(600)
      await call(server, token)
      await expect.poll(readings).toBe(2)
      clock.advance(300)
      await expect.poll(async () => (await call(server, token)).status).toBe(401)
    }))

  it('go on opening while the issuer is away, for a day (RS-11)', () =>
    withServer(async (server) => {
      await call(server, await sign())
      issuer.setDown(true)
      clock.advance(86_399)
      expect((await call(server, await sign())).status).toBe(200)
      clock.advance(10)
      const refused = await call(server, await sign())
      expect(refused.status).toBe(503)
      expect(refused.headers.get('retry-after')).not.toBeNull()
      issuer.setDown(false)
      clock.advance(5)
      expect((await call(server, await sign())).status).toBe(200)
    }))

  it.each<[string, () => void]>([
    ['is away', () => issuer.setDown(true)],
    ['has no metadata', () => issuer.documents.clear()],
    [
      'calls itself otherwise',
      () =>
        issuer.documents.set(discovery, {
          issuer: `${issuer.url}/`,
          jwks_uri: `${issuer.url}/jwks`,
        }),
    ],
    ['names no keys', () => issuer.documents.set(discovery, { issuer: issuer.url })],
    ['answers nonsense', () => issuer.documents.set(discovery, '<html>')],
    ['has no keys', () => issuer.documents.delete('/jwks')],
    ['has keys that are none', () => issuer.documents.set('/jwks', '[]')],
    ['sends ten megabytes', () => issuer.documents.set('/jwks', 'x'.repeat(10_000_000))],
  ])('an issuer that %s is 503, never 401, and is asked again soon (RS-11)', async (_, spoil) => {
    await withServer(async (server) => {
      spoil()
      const refused = await call(server, await sign())
      expect(refused.status).toBe(503)
      expect(refused.headers.get('www-authenticate')).toBeNull()
      const asked = issuer.requests.length
      expect((await call(server, await sign())).status).toBe(503)
      expect(issuer.requests).toHaveLength(asked)
      expect(server.log.lines.map(({ message }) => message)).toContain(
        'The keys of the issuer cannot be read',
      )
      issuer.setDown(false)
      publish()
      clock.advance(5)
      expect((await call(server, await sign())).status).toBe(200)
    })
  })
})

it('keys without TLS elsewhere are never asked for', async () => {
  const asked: string[] = []
  const spy: typeof fetch = (input, init) => {
    const { url } = new Request(input)
    asked.push(url)
    return url.startsWith(issuer.url) ? fetch(input, init) : Promise.reject(new TypeError('no'))
  }
  const elsewhere = { issuer: issuer.url, jwks_uri: 'http://keys.example/jwks' }
  issuer.documents.set(discovery, elsewhere)
  await withServer(
    async (server) => {
      expect((await call(server, await sign())).status).toBe(503)
      expect(asked).toEqual([issuer.url + discovery])
    },
    {},
    { fetch: spy },
  )
})

describe('verify mode does not start', () => {
  it.each<[string, Verification, Partial<GatehouseOptions>]>([
    ['with an issuer that is no URL', { issuer: 'tenant' }, {}],
    ['with an issuer without TLS', { issuer: 'http://tenant.example' }, {}],
    ['with a symmetric algorithm', { algorithms: ['HS256'] }, {}],
    ['with none', { algorithms: ['none'] }, {}],
    ['without an algorithm', { algorithms: [] }, {}],
    [
      'with one audience for two backends',
      { audience: 'x' },
      {
        backends: [
          { id: 'a', path: '/a' },
          { id: 'b', path: '/b' },
        ],
      },
    ],
    ['with accounts of its own', {}, { localSignIn: true }],
    ['without sign-in', {}, { noSignIn: true }],
  ])('%s', async (_, verification, options) => {
    await expect(start(verification, options)).rejects.toThrow(TypeError)
  })
})
