/** HTTP+SSE through the gate (MCP 2024-11-05): whose a stream is, what leaves us, and how it ends. */
import type { RequestListener, ServerResponse } from 'node:http'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createEventOutlet } from '../../src/gate/backends/bridge/event-outlet.ts'
import { createEventReader } from '../../src/gate/backends/legacy/events.ts'
import {
  bearer,
  type GateOptions,
  type GateUnderTest,
  post,
  startBackend,
  startGate,
} from './harness.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const each of open.splice(0).reverse()) await each.close()
})

const ssePath = '/mcp/sse'

/** A backend that opens a stream on GET, hands it to the test, and takes messages. */
async function startLegacy(endpoint: string, options: Partial<GateOptions> = {}) {
  const streams: ServerResponse[] = []
  const gone: Promise<void>[] = []
  const handler: RequestListener = (incoming, outgoing) => {
    if (incoming.method === 'POST') return void outgoing.writeHead(202).end('Accepted')
    outgoing.writeHead(200, { 'Content-Type': 'text/event-stream' })
    outgoing.write(`event: endpoint\r\ndata: ${endpoint}\r\n\r\n`)
    streams.push(outgoing)
    gone.push(new Promise((resolve) => outgoing.on('close', resolve)))
  }
  const backend = await startBackend(handler)
  const gate = await startGate({
    to: `${backend.origin}/sse`,
    ...options,
    backend: { transport: 'sse', ssePath, identity: 'headers', ...options.backend },
  })
  open.push(backend, gate)
  return { backend, gate, streams, gone }
}

async function openStream(
  gate: GateUnderTest,
  token: string,
  headers: Record<string, string> = {},
) {
  const leave = new AbortController()
  const response = await fetch(gate.url + ssePath, {
    headers: { ...bearer(token), ...headers },
    signal: leave.signal,
  })
  if (!response.body) throw new Error('no body')
  const reader = response.body.getReader()
  const read = createEventReader()
  const events: ReturnType<typeof read> = []
  let raw = ''
  const next = async () => {
    while (events.length === 0) {
      const { done, value } = await reader.read()
      if (done) return undefined
      raw += new TextDecoder().decode(value)
      events.push(...read(value))
    }
    return events.shift()
  }
  return { response, reader, next, leave: () => leave.abort(), raw: () => raw }
}

/** The address for messages, as the stream says it. */
async function readAddress(stream: Awaited<ReturnType<typeof openStream>>): Promise<string> {
  const event = await stream.next()
  expect(event?.type).toBe('endpoint')
  return event?.data ?? ''
}

const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' }

for (const exchange of ['node', 'web'] as const)
  describe(`an HTTP+SSE stream through the ${exchange} exchange`, () => {
    it('names a place of ours for messages, which reach the backend at its own', async () => {
      const { backend, gate, streams } = await startLegacy('/messages?sessionId=secret-id', {
        exchange,
      })
      const token = await gate.mint()
      const stream = await openStream(gate, token)
      expect(stream.response.headers.get('content-type')).toBe('text/event-stream')
      expect(stream.response.headers.get('cache-control')).toBe('no-cache, no-transform')
      const address = await readAddress(stream)
      expect(address).toMatch(/^\/mcp\/sse\/messages\?session=[\w.-]+$/)
      expect(stream.raw()).not.toContain('secret-id')
      const answer = await fetch(gate.url + address, post(message, bearer(token)))
      expect([answer.status, await answer.text()]).toEqual([202, 'Accepted'])
      expect(backend.seen.at(-1)).toMatchObject({
        method: 'POST',
        url: '/messages?sessionId=secret-id',
        body: JSON.stringify(message),
      })
      streams[0]?.write('id: 5\ndata: {"answer":\ndata: 1}\n\n')
      expect(await stream.next()).toEqual({ type: 'message', data: '{"answer":\n1}', id: '5' })
    })

    it('is closed at the backend when the client leaves, within a second (PX-16)', async () => {
      const { gate, gone } = await startLegacy('/messages', { exchange })
      const stream = await openStream(gate, await gate.mint())
      await readAddress(stream)
      const left = performance.now()
      stream.leave()
      await gone[0]
      expect(performance.now() - left).toBeLessThan(1000)
    })

    it('ends with the backend (ST-03)', async () => {
      const { gate, streams } = await startLegacy('/messages', { exchange })
      const stream = await openStream(gate, await gate.mint())
      await readAddress(stream)
      streams[0]?.destroy()
      expect(await stream.next()).toBeUndefined()
      await expect.poll(() => gate.logs).toHaveLength(1)
    })
  })

describe('a client that does not read', () => {
  it('holds the backend back, until it reads or leaves', async () => {
    const outlet = createEventOutlet()
    let sent = 0
    const send = async () => {
      for (; sent < 3; sent += 1) await outlet.send({ type: 'message', data: 'x'.repeat(100_000) })
    }
    const sending = send()
    const reader = outlet.response.body?.getReader()
    await new Promise((resolve) => setImmediate(resolve))
    expect(sent).toBe(0)
    await reader?.read()
    await reader?.read()
    await expect.poll(() => sent).toBe(1)
    await reader?.cancel()
    await sending
    expect(outlet.over.aborted).toBe(true)
  })
})

describe('the place for messages', () => {
  it('is never another origin, and nobody learns which', async () => {
    for (const endpoint of [
      'http://127.0.0.1:1/messages',
      'https://evil.example/m',
      '//evil.example/m',
      'javascript:alert(1)',
      `/${'x'.repeat(3000)}`,
    ]) {
      const { gate } = await startLegacy(endpoint)
      const stream = await openStream(gate, await gate.mint())
      expect(await stream.next()).toBeUndefined()
      expect(stream.raw()).toBe(': keep-alive\n\n')
      expect(gate.logs[0]?.fields).toMatchObject({ reason: 'backend_endpoint_foreign' })
    }
  })

  it('is for whoever opened the stream alone: not for another user or client (RS-17)', async () => {
    const { backend, gate } = await startLegacy('/messages')
    const address = await readAddress(await openStream(gate, await gate.mint()))
    const posted = async (overrides: object, at = address) =>
      (await fetch(gate.url + at, post(message, bearer(await gate.mint(overrides))))).status
    expect(await posted({ sub: 'user-2' })).toBe(404)
    expect(await posted({ client_id: 'mcp_other' })).toBe(404)
    expect(await posted({}, address.slice(0, -2))).toBe(404)
    expect(await posted({}, '/mcp/sse/messages')).toBe(404)
    expect(await posted({}, `${address}&session=x`)).toBe(404)
    expect(backend.seen.filter(({ method }) => method === 'POST')).toEqual([])
    expect(await posted({ gid: 'grant-2' })).toBe(202)
  })

  it('needs a token, whose challenge names the metadata of the path (RS-01)', async () => {
    const { gate } = await startLegacy('/messages')
    const address = await readAddress(await openStream(gate, await gate.mint()))
    for (const [path, init] of [
      [address, post(message)],
      [ssePath, {}],
    ] as const) {
      const answer = await fetch(gate.url + path, init)
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toContain(
        'resource_metadata="https://gate.example/.well-known/oauth-protected-resource/mcp/sse"',
      )
    }
  })

  it('is known to every instance, without asking the store', async () => {
    const { backend, gate } = await startLegacy('/messages?sessionId=1')
    const { store, ...shared } = gate.context
    const get = vi.spyOn(store, 'get')
    const other = await startGate({
      to: `${backend.origin}/sse`,
      backend: { transport: 'sse', ssePath },
      context: shared,
    })
    open.push(other)
    const token = await gate.mint()
    const address = await readAddress(await openStream(gate, token))
    get.mockClear()
    const answer = await fetch(other.url + address, post(message, bearer(token)))
    expect(answer.status).toBe(202)
    expect(get).not.toHaveBeenCalled()
    expect(backend.seen.at(-1)?.url).toBe('/messages?sessionId=1')
  })

  it('is bounded and strict about what is posted, as every way is (OP-09, PX-15, RS-14)', async () => {
    const { gate } = await startLegacy('/messages', { config: { gateBodyLimitBytes: 1024 } })
    const token = await gate.mint()
    const address = await readAddress(await openStream(gate, token))
    const send = async (init: RequestInit) => (await fetch(gate.url + address, init)).status
    expect(await send(post({ long: 'x'.repeat(2000) }, bearer(token)))).toBe(413)
    const plain = { ...bearer(token), 'content-type': 'text/plain' }
    expect(await send({ method: 'POST', headers: plain, body: '{}' })).toBe(415)
    expect(await send({ headers: bearer(token) })).toBe(405)
    const gone = await fetch(gate.url + ssePath, post(message, bearer(token)))
    expect(gone.status, 'clients that try Streamable HTTP first fall back on 405').toBe(405)
  })
})

describe('what the backend is told', () => {
  it('is the same on both requests: who it is, and nothing of the client’s credentials', async () => {
    const { backend, gate } = await startLegacy('/messages')
    const token = await gate.mint()
    const fake = {
      'x-forwarded-user': 'root',
      'x-auth-request-user': 'root',
      cookie: 'a=b',
      'mcp-session-id': 'theirs',
    }
    const address = await readAddress(await openStream(gate, token, fake))
    await fetch(gate.url + address, post(message, { ...bearer(token), ...fake }))
    expect(backend.seen.map(({ method }) => method)).toEqual(['GET', 'POST'])
    for (const { headers } of backend.seen) {
      expect(headers).toMatchObject({
        'x-forwarded-user': 'user-1',
        'x-forwarded-host': 'gate.example',
      })
      for (const name of ['authorization', 'cookie', 'x-auth-request-user', 'mcp-session-id'])
        expect(headers[name], name).toBeUndefined()
    }
  })

  it('an answer that is no stream is 502, and a 401 of its own never costs the client its token', async () => {
    for (const status of [200, 401, 404, 500]) {
      const backend = await startBackend(
        (_incoming, outgoing) => void outgoing.writeHead(status).end('{}'),
      )
      const gate = await startGate({ to: backend.origin, backend: { transport: 'sse', ssePath } })
      open.push(backend, gate)
      const answer = await fetch(gate.url + ssePath, { headers: bearer(await gate.mint()) })
      expect(answer.status, `for ${status}`).toBe(502)
    }
  })
})

describe('the life of a stream', () => {
  it('ends when its grant is revoked (ST-06)', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const { gate, gone } = await startLegacy('/messages')
    const stream = await openStream(gate, await gate.mint())
    await readAddress(stream)
    gate.context.revocations.add('grant-1')
    vi.advanceTimersByTime(2000)
    expect(await stream.next()).toBeUndefined()
    await gone[0]
  })

  it('ends after its token, unless the client came with a newer one (ST-06)', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const { gate, streams } = await startLegacy('/messages')
    const idle = await openStream(gate, await gate.mint())
    await readAddress(idle)
    const used = await openStream(gate, await gate.mint())
    const address = await readAddress(used)
    gate.advance(3000)
    const answer = await fetch(gate.url + address, post(message, bearer(await gate.mint())))
    expect(answer.status).toBe(202)
    gate.advance(631)
    vi.advanceTimersByTime(2000)
    expect(await idle.next()).toBeUndefined()
    streams[1]?.write('data: still here\n\n')
    expect((await used.next())?.data).toBe('still here')
  })

  it('is kept alive by comments in a silence (ST-05)', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const { gate } = await startLegacy('/messages')
    const stream = await openStream(gate, await gate.mint())
    await readAddress(stream)
    vi.advanceTimersByTime(45_000)
    const { value } = await stream.reader.read()
    expect(new TextDecoder().decode(value)).toBe(': keep-alive\n\n')
  })

  it('counts: a user of a client has 32 at once, and each that ends makes room (DS-02, ST-02)', async () => {
    const { gate, gone } = await startLegacy('/messages')
    const token = await gate.mint()
    const streams = []
    for (let count = 0; count < 32; count += 1) streams.push(await openStream(gate, token))
    const refused = await fetch(gate.url + ssePath, { headers: bearer(token) })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30'])
    const other = await openStream(gate, await gate.mint({ sub: 'user-2' }))
    expect(other.response.status).toBe(200)
    streams[0]?.leave()
    await gone[0]
    await expect
      .poll(async () => {
        const again = await openStream(gate, token)
        return again.response.status
      })
      .toBe(200)
  })
})
