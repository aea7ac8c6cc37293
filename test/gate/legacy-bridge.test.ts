/** The two transports bridged, by hand: what each side must not notice, and how it ends (N2, X10). */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createEventReader } from '../../src/gate/backends/legacy/events.ts'
import { bearer, type GateUnderTest, post, startBackend, startGate } from './harness.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const each of open.splice(0).reverse()) await each.close()
})

const ssePath = '/mcp/sse'

/** The messages of an answer, one by one, whether it is JSON or a stream; undefined at its end. */
function readStream(response: Response) {
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  const whole = isJson ? [response.json()] : undefined
  const reader = isJson ? undefined : response.body?.getReader()
  const read = createEventReader()
  const events: ReturnType<typeof read> = []
  return {
    response,
    async next(): Promise<unknown> {
      if (whole) return whole.shift()
      while (events.length === 0) {
        const { done, value } = (await reader?.read()) ?? { done: true }
        if (done || !value) return undefined
        events.push(...read(value))
      }
      const { data = '' } = events.shift() ?? {}
      return data.startsWith('{') ? JSON.parse(data) : data
    },
    leave: () => reader?.cancel(),
  }
}

type Answering = (
  message: { id?: unknown; method?: string },
  at: { incoming: IncomingMessage; outgoing: ServerResponse },
) => void

const request = (id: unknown, method = 'tools/list') => ({ jsonrpc: '2.0', id, method })
const result = (id: unknown, value: unknown = {}) => ({ jsonrpc: '2.0', id, result: value })
const notification = (method: string) => ({ jsonrpc: '2.0', method })

function sendJson(outgoing: ServerResponse, body: string, headers: Record<string, string> = {}) {
  outgoing.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body)
}

describe('an old client of a Streamable HTTP server', () => {
  /** A gate, a client's stream at it, and a backend that answers each POST as it is told. */
  async function start(answer: Answering, onGet?: RequestListener) {
    const seen: { method?: string; headers: IncomingMessage['headers']; body: string }[] = []
    const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
      const body = await text(incoming)
      seen.push({ method: incoming.method ?? '', headers: incoming.headers, body })
      if (incoming.method === 'GET' && onGet) return onGet(incoming, outgoing)
      if (incoming.method !== 'POST') return void outgoing.writeHead(405).end()
      return answer(JSON.parse(body), { incoming, outgoing })
    }
    const backend = await startBackend((incoming, outgoing) => void serve(incoming, outgoing))
    const gate = await startGate({ to: backend.origin, backend: { ssePath } })
    open.push(backend, gate)
    const token = await gate.mint()
    const stream = readStream(await fetch(gate.url + ssePath, { headers: bearer(token) }))
    const address = gate.url + String(await stream.next())
    const say = (message: object, as = token) => fetch(address, post(message, bearer(as)))
    return { gate, seen, stream, say, address }
  }

  it('cannot make the gate keep answers without end by not reading them (DS-02, ST-02)', async () => {
    const { seen, say } = await start(({ id }, { outgoing }) =>
      sendJson(outgoing, JSON.stringify(result(id, { text: 'x'.repeat(70_000) }))),
    )
    const statuses: number[] = []
    for (let id = 0; id < 250; id += 1) statuses.push((await say(request(id))).status)
    expect(statuses.at(0)).toBe(202)
    expect(statuses.at(-1)).toBe(429)
    expect(seen.length).toBeLessThan(250)
  })

  it('hears every answer on its stream, whether it came as JSON or as events', async () => {
    const { stream, say } = await start(({ id }, { outgoing }) => {
      if (id === 1) return sendJson(outgoing, JSON.stringify(result(1, { a: 'é' }), null, 2))
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
      outgoing.write('id: 1\ndata: \n\n')
      outgoing.write(`event: message\ndata: ${JSON.stringify(notification('notifications/x'))}\n\n`)
      outgoing.write('event: other\ndata: {"not":"ours"}\n\n')
      return outgoing.end(`data: ${JSON.stringify(result(2))}\n\n`)
    })
    expect((await say(request(1))).status).toBe(202)
    expect(await stream.next()).toEqual(result(1, { a: 'é' }))
    await say(request(2))
    expect(await stream.next()).toEqual(notification('notifications/x'))
    expect(await stream.next()).toEqual(result(2))
  })

  it('never sees the session and revision that are kept for it at the server', async () => {
    const { stream, say, seen, gate } = await start(
      ({ id, method }, { outgoing }) => {
        if (id === undefined) return void outgoing.writeHead(202).end()
        const body = JSON.stringify(result(id, { protocolVersion: '2025-06-18' }))
        const headers = method === 'initialize' ? { 'mcp-session-id': 'backend-session' } : {}
        return sendJson(outgoing, body, headers as Record<string, string>)
      },
      (_incoming, outgoing) => {
        outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
        outgoing.write(`data: ${JSON.stringify(notification('notifications/news'))}\n\n`)
      },
    )
    const first = await say(request(0, 'initialize'))
    expect(first.headers.get('mcp-session-id')).toBeNull()
    await stream.next()
    await say(notification('notifications/initialized'))
    expect(await stream.next()).toEqual(notification('notifications/news'))
    await say(request(1))
    await stream.next()
    const later = seen.slice(1)
    expect(later.filter(({ method }) => method === 'GET')).toHaveLength(1)
    expect(later).toHaveLength(3)
    for (const { headers } of later)
      expect(headers).toMatchObject({
        'mcp-session-id': 'backend-session',
        'mcp-protocol-version': '2025-06-18',
      })
    expect(seen.every(({ headers }) => headers.authorization === undefined)).toBe(true)
    await stream.leave()
    await expect.poll(() => seen.at(-1)?.method).toBe('DELETE')
    expect(gate.logs).toEqual([])
  })

  it('gets an answer to each request even when there is none, with the request’s own id', async () => {
    const { stream, say } = await start(({ id }, { outgoing }) => {
      if (id === 'gone') return void outgoing.destroy()
      if (id === 'refused') {
        outgoing.writeHead(400, { 'content-type': 'application/json' })
        return void outgoing.end('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"No"}}')
      }
      if (id === 'unauthorized') return void outgoing.writeHead(401).end()
      if (id === 'odd') return sendJson(outgoing, 'not json')
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
      return void outgoing.end(': nothing\n\n')
    })
    for (const id of ['gone', 'refused', 'unauthorized', 'odd', 'silent']) {
      expect((await say(request(id))).status).toBe(202)
      expect(await stream.next()).toMatchObject({ id, error: { code: -32603 } })
    }
    expect((await say(result('gone'))).status, 'what has no answer').toBe(502)
  })

  it('gets the rest of an answer whose stream the server ended in between (MCP 2025-11-25)', async () => {
    const { stream, say, seen } = await start(
      (_message, { outgoing }) => {
        outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
        outgoing.end('id: 7\nretry: 1\ndata: \n\n')
      },
      (incoming, outgoing) => {
        outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
        const after = incoming.headers['last-event-id']
        outgoing.end(`id: 8\ndata: ${JSON.stringify(result(1, { after }))}\n\n`)
      },
    )
    await say(request(1))
    expect(await stream.next()).toEqual(result(1, { after: '7' }))
    expect(seen.map(({ method }) => method)).toEqual(['POST', 'GET'])
  })

  it('loses its stream when the server forgets the session, so that it begins again', async () => {
    const { stream, say } = await start(({ id, method }, { outgoing }) => {
      if (method !== 'initialize') return void outgoing.writeHead(404).end()
      return sendJson(outgoing, JSON.stringify(result(id)), { 'mcp-session-id': 's' })
    })
    await say(request(0, 'initialize'))
    await stream.next()
    await say(request(1))
    expect(await stream.next()).toMatchObject({ id: 1, error: {} })
    expect(await stream.next()).toBeUndefined()
    expect((await say(request(2))).status).toBe(404)
  })

  it('is alone in its session, at this instance (RS-17)', async () => {
    const { gate, say, seen, address } = await start(({ id }, { outgoing }) =>
      sendJson(outgoing, JSON.stringify(result(id))),
    )
    expect((await say(request(1), await gate.mint({ sub: 'user-2' }))).status).toBe(404)
    expect((await say(request(1), await gate.mint({ client_id: 'other' }))).status).toBe(404)
    const token = await gate.mint()
    const elsewhere = address.replace(/session=.*/, 'session=elsewhere')
    expect((await fetch(elsewhere, post(request(1), bearer(token)))).status).toBe(404)
    expect((await fetch(address, post({ no: 'rpc' }, bearer(token)))).status).toBe(400)
    expect(seen).toEqual([])
  })
})

describe('a Streamable HTTP client of an old server', () => {
  /** A gate, and a backend whose stream is in the hands of the test. */
  async function start(options: { endpoint?: string; status?: number } = {}) {
    const { endpoint = '/messages', status = 202 } = options
    const streams: ServerResponse[] = []
    const said: { id?: unknown; method?: string }[] = []
    const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
      if (incoming.method === 'POST') {
        said.push(JSON.parse(await text(incoming)))
        return void outgoing.writeHead(status).end()
      }
      streams.push(outgoing)
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
      return void outgoing.write(`event: endpoint\ndata: ${endpoint}\n\n`)
    }
    const backend = await startBackend((incoming, outgoing) => void serve(incoming, outgoing))
    const gate = await startGate({
      to: `${backend.origin}/sse`,
      backend: { transport: 'sse', identity: 'headers' },
    })
    open.push(backend, gate)
    const answer = (message: object, stream = streams.at(-1)) =>
      stream?.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
    return { backend, gate, streams, said, answer }
  }

  const both = { accept: 'application/json, text/event-stream' }

  async function say(gate: GateUnderTest, message: object, headers: Record<string, string> = {}) {
    return fetch(gate.mcp, post(message, { ...bearer(await gate.mint()), ...both, ...headers }))
  }

  /** Begins a session; its id. */
  async function begin(at: Awaited<ReturnType<typeof start>>): Promise<Record<string, string>> {
    const response = await say(at.gate, request(0, 'initialize'))
    at.answer(result(0))
    const stream = readStream(response)
    expect(await stream.next()).toEqual(result(0))
    expect(await stream.next(), 'an answered POST is over').toBeUndefined()
    return { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '' }
  }

  it('gets its own answers, although all use the same ids (RS-18)', async () => {
    const at = await start()
    const sessions = [await begin(at), await begin(at), await begin(at)]
    const asked = await Promise.all(sessions.map((session) => say(at.gate, request(1), session)))
    await expect.poll(() => at.said).toHaveLength(6)
    for (const [index, stream] of [...at.streams.entries()].reverse())
      at.answer(result(1, { index }), stream)
    for (const [index, response] of asked.entries())
      expect(await readStream(response).next()).toEqual(result(1, { index }))
  })

  it('hears what nobody asked for on its own stream, and before that keeps it', async () => {
    const at = await start()
    const session = await begin(at)
    at.answer(notification('notifications/early'))
    const headers = { ...bearer(await at.gate.mint()), ...session }
    const stream = readStream(await fetch(at.gate.mcp, { headers }))
    expect(await stream.next()).toEqual(notification('notifications/early'))
    at.answer(notification('notifications/late'))
    expect(await stream.next()).toEqual(notification('notifications/late'))
  })

  it('without a stream hears it beside an answer that it waits for', async () => {
    const at = await start()
    const session = await begin(at)
    const stream = readStream(await say(at.gate, request(1), session))
    at.answer({ ...request('s1', 'sampling/createMessage') })
    expect(await stream.next()).toMatchObject({ id: 's1' })
    expect((await say(at.gate, result('s1'), session)).status).toBe(202)
    at.answer(result(1))
    expect(await stream.next()).toEqual(result(1))
    expect(at.said.map(({ id }) => id)).toEqual([0, 1, 's1'])
  })

  it('gets JSON when it takes nothing else, a batch for a batch (MCP 2025-03-26)', async () => {
    const at = await start()
    const session = { ...(await begin(at)), accept: 'application/json' }
    const single = say(at.gate, request('a'), session)
    await expect.poll(() => at.said).toHaveLength(2)
    at.answer(result('a'))
    expect(await (await single).json()).toEqual(result('a'))
    const batch = say(at.gate, [request(1), request('1'), notification('notifications/x')], session)
    await expect.poll(() => at.said).toHaveLength(5)
    at.answer(result('1', 'text'))
    at.answer(result(1, 'number'))
    expect(await (await batch).json()).toEqual([result('1', 'text'), result(1, 'number')])
  })

  it('must have a session, and it must be its own (RS-17)', async () => {
    const at = await start()
    const session = await begin(at)
    expect((await say(at.gate, request(1))).status, 'later revisions try initialize then').toBe(400)
    expect((await say(at.gate, request(1), { 'mcp-session-id': 'elsewhere' })).status).toBe(404)
    for (const whose of [{ sub: 'user-2' }, { client_id: 'mcp_other' }])
      for (const method of ['GET', 'DELETE'])
        expect(
          (
            await fetch(at.gate.mcp, {
              method,
              headers: { ...session, ...bearer(await at.gate.mint(whose)) },
            })
          ).status,
        ).toBe(404)
    const waiting = await say(at.gate, request(1), session)
    expect((await say(at.gate, request(1), session)).status, 'an id that waits').toBe(400)
    at.answer(result(1))
    expect(await readStream(waiting).next()).toEqual(result(1))
  })

  it('loses its session with the server’s stream: what waits is answered, what comes is 404', async () => {
    const at = await start()
    const session = await begin(at)
    const waiting = readStream(await say(at.gate, request(1), session))
    at.streams[0]?.destroy()
    expect(await waiting.next()).toMatchObject({ id: 1, error: { code: -32603 } })
    expect(await waiting.next()).toBeUndefined()
    expect((await say(at.gate, request(2), session)).status).toBe(404)
  })

  it('ends the server’s stream by DELETE, by revocation, and by never coming back', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const at = await start()
    const gone = (index: number) =>
      new Promise<void>((resolve) => at.streams[index]?.on('close', resolve))
    const headers = { ...(await begin(at)), ...bearer(await at.gate.mint()) }
    const deleted = gone(0)
    expect((await fetch(at.gate.mcp, { method: 'DELETE', headers })).status).toBe(204)
    await deleted
    await begin(at)
    const idle = gone(1)
    vi.advanceTimersByTime(700_000)
    await idle
    await begin(at)
    const revoked = gone(2)
    at.gate.context.revocations.add('grant-1')
    vi.advanceTimersByTime(2000)
    await revoked
  })

  it('never locks itself out by sessions that it forgets: the oldest of 32 makes room', async () => {
    const at = await start()
    const first = await begin(at)
    for (let count = 0; count < 32; count += 1) await begin(at)
    expect((await say(at.gate, request(1), first)).status).toBe(404)
    await expect.poll(() => at.streams.filter(({ closed }) => !closed).length).toBe(32)
  })

  it('is told of a server that wants messages elsewhere, or does not take them', async () => {
    const foreign = await start({ endpoint: 'https://evil.example/messages' })
    const refused = await say(foreign.gate, request(0, 'initialize'))
    expect(refused.status).toBe(502)
    expect(await refused.text()).not.toContain('evil.example')
    const broken = await start({ status: 500 })
    const stream = readStream(await say(broken.gate, request(0, 'initialize')))
    expect(await stream.next()).toMatchObject({ id: 0, error: { code: -32603 } })
  })
})
