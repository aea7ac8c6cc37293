import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type GateUnderTest,
  type RecordingBackend,
  sendRaw,
  startBackend,
  startGate,
} from './harness.ts'

let backend: RecordingBackend
let gate: GateUnderTest

beforeAll(async () => {
  backend = await startBackend()
  gate = await startGate({ to: `${backend.origin}/inner` })
})
afterAll(async () => {
  await gate.close()
  await backend.close()
})
beforeEach(() => {
  backend.seen.length = 0
})

const paths = [
  '/mcp',
  '//mcp',
  '/mcp/',
  '/MCP',
  '/mcp;x',
  '/%6dcp',
  '/mcp%2f',
  '/x/../mcp',
  '/mcp%00',
  '/mcp?',
  '/mcp#frag',
  '/mcp%20',
  '/./mcp',
  '/mcp/..',
  '/mcp//',
  '/m%63p',
  '/mcp%3f',
  '\\mcp',
  '/\\mcp',
  '/mcp\\',
  '/%2e%2e/mcp',
  '*',
  'http://gate.example/mcp',
  'https://gate.example/mcp',
  'http://evil.example/mcp',
  'http://a@gate.example/mcp',
  '/m\xc3\xa7p',
  '/mcp\t',
  '/healthz/../mcp',
  '/.well-known/../mcp',
  '/mcp?access_token=x.y.z',
]
const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'get',
  'PROPFIND',
  'QUERY',
]
const extras = [
  '',
  'X-HTTP-Method-Override: GET',
  'Authorization: Bearer',
  'Authorization: Bearer x.y.z',
  'Authorization: Basic YTpi',
  'X-Forwarded-User: admin',
  'X-Original-URL: /mcp',
  'User-Agent: kube-probe/1.0',
  'Mcp-Method: initialize',
  'Connection: close, Authorization',
  'X-Forwarded-Uri: /healthz',
  'Authorization: Bearer x.y.z\r\nAuthorization: Bearer a.b.c',
  'Origin: https://gate.example',
  'Transfer-Encoding: chunked',
  'Expect: 100-continue',
  'Upgrade: websocket',
  'Cookie: session=x',
]

it('lets no request without a valid token reach the backend, however it is written (RS-09, RS-19, PX-03, PX-04)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...methods),
      fc.constantFrom(...paths),
      fc.constantFrom(...extras),
      fc.constantFrom('gate.example', '127.0.0.1', 'evil.example', 'gate.example@evil'),
      async (method, path, extra, host) => {
        const lines = [
          `${method} ${path} HTTP/1.1`,
          `Host: ${host}`,
          'Connection: close',
          'Content-Type: application/json',
        ]
        if (extra) lines.push(extra)
        const body = extra.startsWith('Transfer') ? '0\r\n\r\n' : ''
        const answer = await sendRaw(gate.port, `${lines.join('\r\n')}\r\n\r\n${body}`)
        expect(answer.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '')).toMatch(
          /^(HTTP\/1\.[01] 4\d\d |HTTP\/1\.1 204 |$)/,
        )
        expect(backend.seen).toEqual([])
      },
    ),
    { numRuns: 400 },
  )
})

it('serves with a token exactly the one path, and the one it was asked for (RS-09)', async () => {
  const token = await gate.mint()
  for (const path of paths) {
    backend.seen.length = 0
    const request = [
      `GET ${path} HTTP/1.1`,
      'Host: gate.example',
      `Authorization: Bearer ${token}`,
      'Connection: close',
    ]
    const answer = await sendRaw(gate.port, `${request.join('\r\n')}\r\n\r\n`)
    for (const { url } of backend.seen) expect(url).toMatch(/^\/inner(\?|$)/)
    if (!answer.startsWith('HTTP/1.1 200')) expect(backend.seen, path).toEqual([])
  }
})

it.each(['/MCP', '/mcp/', '//mcp', '/mcp;x', '/%6dcp', '/mcp%2f', '/mcp%00', '/mcp%20', '/m%63p'])(
  'takes %s for another path than /mcp, token or not (RS-09, PX-04)',
  async (path) => {
    const token = await gate.mint()
    const lines = [`GET ${path} HTTP/1.1`, 'Host: gate.example', 'Connection: close']
    const known = [...lines, `Authorization: Bearer ${token}`]
    for (const request of [lines, known])
      expect(await sendRaw(gate.port, `${request.join('\r\n')}\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 404 /,
      )
    expect(backend.seen).toEqual([])
  },
)

describe('Host and Origin', () => {
  const ask = (port: number, headers: string[]) =>
    sendRaw(port, `${['GET /mcp HTTP/1.1', ...headers, 'Connection: close'].join('\r\n')}\r\n\r\n`)
  const status = (answer: string) => Number(answer.split(' ')[1])

  it.each([
    ['missing', []],
    ['twice', ['Host: gate.example', 'Host: evil.example']],
    ['with a path', ['Host: gate.example/x?y=']],
    ['with user information', ['Host: a@gate.example']],
    ['with a space', ['Host: gate example']],
    ['with a fragment', ['Host: gate.example#']],
  ])('a Host %s is 400 (EN-01)', async (_name, headers) => {
    expect(status(await ask(gate.port, headers))).toBe(400)
  })

  it('a foreign Host is 421 before anything else (RS-13, DI-04)', async () => {
    const answer = await ask(gate.port, ['Host: evil.example'])
    expect(status(answer)).toBe(421)
    expect(answer).not.toContain('evil.example')
    expect(gate.audits.at(-1)).toMatchObject({ event: 'gate.refused', reason: 'foreign_host' })
  })

  it.each([
    'Host: gate.example',
    'Host: gate.example:443',
    'Host: GATE.example',
    'Host: 127.0.0.1:1',
    'Host: localhost',
  ])('%s is ours', async (host) => expect(status(await ask(gate.port, [host]))).toBe(401))

  it.each(['https://any.example', 'null', 'vscode-webview://abc', 'http://localhost:6274'])(
    'a page of %s may ask a public issuer, and needs a token like everyone (RS-13)',
    async (origin) =>
      expect(status(await ask(gate.port, ['Host: gate.example', `Origin: ${origin}`]))).toBe(401),
  )

  it.each([
    'https://a@b.example',
    'https://a.example/path',
    'nonsense',
    'https://a.example, https://b.example',
    'https://a b',
  ])('the malformed Origin %s is 403 with a JSON-RPC error without id (RS-13)', async (origin) => {
    const answer = await ask(gate.port, ['Host: gate.example', `Origin: ${origin}`])
    expect(status(answer)).toBe(403)
    const body: unknown = JSON.parse(answer.split('\r\n\r\n')[1] ?? '')
    expect(body).toMatchObject({ jsonrpc: '2.0', error: { code: -32600 } })
    expect(body).not.toHaveProperty('id')
  })

  it('a loopback issuer is only for pages of the machine itself (RS-13)', async () => {
    const local = await startGate({ to: backend.origin, issuer: 'http://localhost:8787' })
    const from = async (origin: string) =>
      status(await ask(local.port, ['Host: localhost:8787', `Origin: ${origin}`]))
    for (const origin of [
      'http://evil.example',
      'https://localhost.evil.example',
      'null',
      'http://127.0.0.1.evil.example',
    ])
      expect(await from(origin), origin).toBe(403)
    for (const origin of [
      'http://localhost:6274',
      'http://127.0.0.1:1',
      'http://[::1]:3000',
      'vscode-webview://abc',
    ])
      expect(await from(origin), origin).toBe(401)
    expect(status(await ask(local.port, ['Host: evil.example']))).toBe(421)
    await local.close()
  })
})

describe('CORS', () => {
  it('answers a preflight without a token and allows what it names (DI-09)', async () => {
    const response = await fetch(gate.mcp, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, mcp-param-Region, bad name, x-é'.replace(
          'é',
          'e',
        ),
      },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
    const allowed = response.headers.get('access-control-allow-headers')?.split(', ') ?? []
    for (const name of [
      'authorization',
      'content-type',
      'mcp-protocol-version',
      'mcp-session-id',
      'mcp-param-region',
    ])
      expect(allowed).toContain(name)
    expect(allowed).not.toContain('bad name')
    expect(response.headers.get('access-control-allow-methods')).toBe('GET, HEAD, POST, DELETE')
  })

  it('lets a page read the challenge', async () => {
    const response = await fetch(gate.mcp, { headers: { origin: 'https://app.example' } })
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate')
  })
})
