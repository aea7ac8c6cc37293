/** Which endpoints browsers of other origins may call, and how (catalogue DI-09, A10). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGatehouse, type TestGatehouse } from '../helpers/gatehouse.ts'
import { verifiesThat } from '../verifies.ts'

const origin = 'https://inspector.example'

let server: TestGatehouse
beforeAll(async () => {
  server = await startTestGatehouse()
})
afterAll(() => server.close())

const documents = [
  '/.well-known/oauth-authorization-server',
  '/.well-known/oauth-authorization-server/mcp',
  '/mcp/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-protected-resource/mcp',
  '/jwks',
]
const forms = ['/register', '/token', '/revoke']
const own = [
  '/',
  '/authorize',
  '/consent',
  '/sign-in',
  '/callback/github',
  '/setup',
  '/introspect',
  '/healthz',
  '/readyz',
  '/metrics',
]

function preflight(path: string, method: string, headers = 'content-type'): Promise<Response> {
  return server.send(path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': headers,
    },
  })
}

function expectOpen({ headers }: Response): void {
  expect(headers.get('access-control-allow-origin')).toBe('*')
  expect(headers.get('access-control-allow-credentials')).toBeNull()
}

function expectClosed({ headers }: Response): void {
  expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
}

describe('documents', () => {
  it.each(documents)('at %s may be read from everywhere (A10, DI-09)', async (path) => {
    expectOpen(await server.send(path, { headers: { origin } }))
    const asked = await preflight(path, 'GET', 'mcp-protocol-version')
    expect(asked.status).toBe(204)
    expectOpen(asked)
    expect(asked.headers.get('access-control-allow-methods')).toContain('GET')
    expect(asked.headers.get('access-control-allow-headers')).toContain('mcp-protocol-version')
  })
})

describe('clients', () => {
  it.each(forms)('may post to %s from everywhere, and read refusals too (A10)', async (path) => {
    const asked = await preflight(path, 'POST', 'authorization, content-type')
    expect(asked.status).toBe(204)
    expectOpen(asked)
    expect(asked.headers.get('access-control-allow-methods')).toContain('POST')
    expect(asked.headers.get('access-control-allow-headers')).toMatch(/authorization.*content-type/)
    const refused = await server.send(path, { method: 'POST', headers: { origin }, body: '' })
    expect(refused.status).toBeGreaterThanOrEqual(400)
    expectOpen(refused)
    expectOpen(await server.send(path, { headers: { origin } }))
  })
})

describe('pages and operations', () => {
  it.each(own)('at %s are nobody else’s business (A10)', async (path) => {
    expectClosed(await server.send(path, { headers: { origin } }))
    expectClosed(await preflight(path, 'POST'))
    expectClosed(await server.send(path, { method: 'POST', headers: { origin }, body: '' }))
  })
})

describe('a preflight', () => {
  it('is told to vary by what it was asked, whatever the request says (DI-09)', async () => {
    const response = await server.send('/token', {
      method: 'OPTIONS',
      headers: {
        origin,
        vary: 'cookie',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-one',
      },
    })
    expect(response.headers.get('vary')).toBe('Access-Control-Request-Headers')
  })

  it('of 64 KB is neither repeated nor slow (DI-09)', async () => {
    const names = Array.from({ length: 8000 }, (_, n) => `x-${n}`).join(',')
    const started = performance.now()
    const response = await preflight('/token', 'POST', names)
    expect(performance.now() - started).toBeLessThan(500)
    expect((response.headers.get('access-control-allow-headers') ?? '').length).toBeLessThan(1000)
  })
})

verifiesThat('A10', 'answers are no-store', async () => {
  for (const path of ['/.well-known/oauth-authorization-server', '/healthz', '/nothing']) {
    const headers = { accept: 'application/json' }
    expect((await server.send(path, { headers })).headers.get('cache-control')).toBe('no-store')
  }
  for (const path of [...forms, '/introspect']) {
    const response = await server.send(path, { method: 'POST', body: '' })
    expect(response.headers.get('cache-control')).toBe('no-store')
  }
})
