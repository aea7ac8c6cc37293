import type { RequestListener } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import {
  bearer,
  type GateOptions,
  type GateUnderTest,
  post,
  type RecordingBackend,
  startBackend,
  startGate,
} from './harness.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

async function start(
  handler: RequestListener,
  options: Partial<GateOptions> = {},
): Promise<{ gate: GateUnderTest; backend: RecordingBackend }> {
  const backend = await startBackend(handler)
  const gate = await startGate({ to: `${backend.origin}/inner`, ...options })
  open.push(backend, gate)
  return { gate, backend }
}

const call = async (gate: GateUnderTest, init: RequestInit = post({ id: 1 })) =>
  fetch(gate.mcp, {
    redirect: 'manual',
    ...init,
    headers: { ...init.headers, ...bearer(await gate.mint()) },
  })

for (const exchange of ['node', 'web'] as const)
  describe(`through the ${exchange} exchange`, () => {
    it('passes the bytes of answers on untouched, 4xx included (T28)', async () => {
      const body = '{"jsonrpc":"2.0",\n "error":{"code":-32022,"message":"ü"}}'
      for (const status of [200, 202, 400, 403, 404, 405, 406, 409, 422, 500, 503]) {
        const { gate } = await start(
          (_incoming, outgoing) => {
            outgoing
              .writeHead(status, { 'content-type': 'application/json', 'x-own': 'a' })
              .end(body)
          },
          { exchange },
        )
        const response = await call(gate)
        expect(response.status).toBe(status)
        expect(response.headers.get('x-own')).toBe('a')
        expect(await response.text()).toBe(body)
      }
    })

    it('passes an empty 202 and 204 on', async () => {
      for (const status of [202, 204]) {
        const { gate } = await start(
          (_incoming, outgoing) => void outgoing.writeHead(status).end(),
          {
            exchange,
          },
        )
        const response = await call(gate)
        expect(response.status).toBe(status)
        expect(await response.text()).toBe('')
      }
    })

    it('keeps what would act on our origin (G3, PX-02, PX-07)', async () => {
      const { gate } = await start(
        (_incoming, outgoing) => {
          outgoing.writeHead(403, {
            'WWW-Authenticate': 'Bearer resource_metadata="https://evil.example"',
            'Set-Cookie': ['a=1', 'b=2'],
            'Access-Control-Allow-Origin': 'https://evil.example',
            'Access-Control-Allow-Credentials': 'true',
            'Strict-Transport-Security': 'max-age=1',
            'Clear-Site-Data': '"*"',
            'X-Named': 'gone',
            Connection: 'close, X-Named',
          })
          outgoing.end('no')
        },
        { exchange },
      )
      const response = await call(gate)
      expect(response.status).toBe(403)
      expect(await response.text()).toBe('no')
      for (const name of [
        'www-authenticate',
        'set-cookie',
        'access-control-allow-credentials',
        'strict-transport-security',
        'clear-site-data',
        'x-named',
      ])
        expect(response.headers.get(name), name).toBeNull()
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(response.headers.get('access-control-expose-headers')).toBe(
        'WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version',
      )
    })

    it('turns a 401 of the backend into 502, so that no client signs in again (G3)', async () => {
      const { gate } = await start(
        (_incoming, outgoing) =>
          void outgoing.writeHead(401, { 'WWW-Authenticate': 'Basic' }).end('{}'),
        { exchange },
      )
      const response = await call(gate)
      expect(response.status).toBe(502)
      expect(response.headers.get('www-authenticate')).toBeNull()
      expect(await response.json()).toMatchObject({
        jsonrpc: '2.0',
        error: { data: { error: 'temporarily_unavailable' } },
      })
    })

    it('lets no cache keep an answer the backend is silent about (RS-22)', async () => {
      const { gate } = await start(
        (incoming, outgoing) => {
          if (incoming.headers['x-say'] === 'yes') outgoing.setHeader('Cache-Control', 'max-age=5')
          outgoing.setHeader('Vary', 'Accept')
          outgoing.end('{}')
        },
        { exchange },
      )
      const silent = await call(gate)
      expect(silent.headers.get('cache-control')).toBe('no-store, private')
      expect(silent.headers.get('vary')).toBe('Accept, Authorization')
      const spoken = await call(gate, post({}, { 'x-say': 'yes' }))
      expect(spoken.headers.get('cache-control')).toBe('max-age=5')
    })

    it('follows no redirect and shows no inner address (PX-08)', async () => {
      let asked = 0
      const { gate, backend } = await start(
        (incoming, outgoing) => {
          asked += 1
          const targets = { '/inner?own': '/inner?next=1', '/inner?aside': '/admin' }
          const found = Object.entries(targets).find(([url]) => url === incoming.url)
          outgoing.writeHead(307, { Location: found?.[1] ?? 'http://10.0.0.1/evil' }).end()
        },
        { exchange },
      )
      const away = await call(gate)
      expect(away.status).toBe(502)
      expect(await away.text()).not.toContain('10.0.0.1')
      const own = await fetch(`${gate.mcp}?own`, {
        redirect: 'manual',
        ...post({}, bearer(await gate.mint())),
      })
      expect(own.status).toBe(307)
      expect(own.headers.get('location')).toBe('https://gate.example/mcp?next=1')
      const aside = await fetch(`${gate.mcp}?aside`, {
        redirect: 'manual',
        ...post({}, bearer(await gate.mint())),
      })
      expect(aside.status).toBe(502)
      expect(asked).toBe(3)
      expect(backend.seen.length).toBe(3)
    })

    it('answers 502 at once when the backend is down, and not with 401 (PX-10)', async () => {
      const { gate, backend } = await start(() => {}, { exchange })
      await backend.close()
      for (const init of [post({ big: 'x'.repeat(200_000) }), post({}), { method: 'GET' }]) {
        const response = await call(gate, init)
        expect(response.status).toBe(502)
        expect(response.headers.get('retry-after')).not.toBeNull()
        expect(response.headers.get('access-control-allow-origin')).toBe('*')
        expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code: -32603 } })
      }
    })

    it('answers 502 when the backend speaks no HTTP or hangs up (PX-12)', async () => {
      for (const words of ['garbage\r\n\r\n', '']) {
        const tcp = createTcpServer((socket) => {
          socket.on('error', () => {})
          socket.once('data', () => socket.end(words))
        })
        await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
        const address = tcp.address()
        const port = typeof address === 'object' && address ? address.port : 0
        const gate = await startGate({ to: `http://127.0.0.1:${port}/`, exchange })
        open.push({ close: () => new Promise((resolve) => tcp.close(() => resolve())) }, gate)
        expect((await call(gate)).status).toBe(502)
      }
    })

    it('sends a POST once even when the connection breaks (PX-13)', async () => {
      let asked = 0
      const { gate } = await start(
        (incoming) => {
          asked += 1
          incoming.socket.destroy()
        },
        { exchange },
      )
      expect((await call(gate)).status).toBe(502)
      expect(asked).toBe(1)
    })
  })

describe('sessions of the older revisions (RS-17)', () => {
  const sessionBackend: RequestListener = (incoming, outgoing) => {
    const given = incoming.headers['mcp-session-id']
    if (given === undefined) outgoing.setHeader('Mcp-Session-Id', 'low-1')
    outgoing.setHeader('Content-Type', 'application/json')
    outgoing.end(JSON.stringify({ session: given ?? null }))
  }

  async function openSession() {
    const { gate, backend } = await start(sessionBackend)
    const response = await call(gate)
    return { gate, backend, id: response.headers.get('mcp-session-id') ?? '' }
  }

  it('reach the backend under its own id, from whom it was given to', async () => {
    const { gate, id } = await openSession()
    expect(id).toMatch(/^low-1\.[\x21-\x7e]{22}$/)
    const response = await call(gate, post({}, { 'mcp-session-id': id }))
    expect(await response.json()).toEqual({ session: 'low-1' })
  })

  it.each([
    ['another user', { sub: 'user-2' }],
    ['another client of the same user', { client_id: 'mcp_other' }],
  ])('are unknown to %s', async (_name, other) => {
    const { gate, backend, id } = await openSession()
    const token = await gate.mint(other)
    const response = await fetch(gate.mcp, post({}, { ...bearer(token), 'mcp-session-id': id }))
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code: -32600 } })
    expect(backend.seen.length).toBe(1)
  })

  it.each(['low-1', 'low-1.AAAAAAAAAAAAAAAAAAAAAA', 'x', '.'])(
    'are not guessed: %s',
    async (guess) => {
      const { gate, backend } = await openSession()
      const response = await call(gate, post({}, { 'mcp-session-id': guess }))
      expect(response.status).toBe(404)
      expect(backend.seen.length).toBe(1)
    },
  )

  it('mean nothing from 2026-07-28 on (T25)', async () => {
    const { gate } = await openSession()
    const headers = { 'mcp-session-id': 'any', 'mcp-protocol-version': '2026-07-28' }
    expect(await (await call(gate, post({}, headers))).json()).toEqual({ session: null })
  })
})
