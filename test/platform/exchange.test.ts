import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OAuthError } from '../../src/errors.ts'
import { toNodeListener } from '../../src/platform/adapters/node.ts'
import { createBackendAgent } from '../../src/platform/backend-agent.ts'
import type { Exchange } from '../../src/platform/exchange.ts'
import { createNodeExchange, findSockets } from '../../src/platform/node-exchange.ts'
import { createWebExchange } from '../../src/platform/web-exchange.ts'

const agent = createBackendAgent()
const random = (bytes: number) => 'r'.repeat(bytes)
const limit = 1000

for (const kind of ['node', 'web'] as const)
  describe(`the ${kind} exchange`, () => {
    let server: Server
    let url: string
    const asked: { exchange: Exchange; outcome: Promise<unknown> }[] = []

    beforeAll(async () => {
      server = createServer(
        toNodeListener(async (request, env) => {
          const sockets = kind === 'node' ? findSockets(env) : undefined
          const exchange = sockets
            ? createNodeExchange(sockets, { random, openAgent: async () => agent })
            : createWebExchange(request, { random, fetch })
          const outcome = exchange.readBody(limit)
          asked.push({ exchange, outcome: outcome.catch((error: unknown) => error) })
          return outcome.then(
            (text) => new Response(text),
            (error: unknown) =>
              error instanceof OAuthError
                ? new Response(error.reason, { status: error.status })
                : new Response(String(error), { status: 500 }),
          )
        }),
      )
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const address = server.address()
      url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
    })
    afterAll(async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })

    const send = (body: BodyInit, headers: Record<string, string> = {}) =>
      fetch(url, { method: 'POST', body, headers, duplex: 'half' } as RequestInit)
    const chunks = (...parts: Uint8Array[]) =>
      new ReadableStream({
        start(controller) {
          for (const part of parts) controller.enqueue(part)
          controller.close()
        },
      })

    it('reads a body, and none as empty text', async () => {
      expect(await (await send('a=ü&b=€')).text()).toBe('a=ü&b=€')
      expect(await (await send('')).text()).toBe('')
      expect(await (await fetch(url)).text()).toBe('')
    })

    it('keeps a character whole that arrives in two chunks', async () => {
      const euro = new TextEncoder().encode('€')
      const response = await send(chunks(euro.slice(0, 1), euro.slice(1)))
      expect(await response.text()).toBe('€')
    })

    it('takes exactly the limit and refuses one byte more, declared or not (PX-15)', async () => {
      expect((await send('x'.repeat(limit))).status).toBe(200)
      expect((await send('x'.repeat(limit + 1))).status).toBe(413)
      const bytes = new TextEncoder().encode('x'.repeat(limit))
      expect((await send(chunks(bytes))).status).toBe(200)
      const tooMany = await send(chunks(bytes, bytes.slice(0, 1)))
      expect([tooMany.status, await tooMany.text()]).toEqual([413, 'body_too_large'])
    })

    it('counts bytes, not characters (PX-15)', async () => {
      expect((await send('€'.repeat(334))).status).toBe(413)
    })

    it('refuses a compressed body and one that is not UTF-8 (PX-15)', async () => {
      for (const coding of ['gzip', 'br', 'identity, gzip', 'x'])
        expect((await send('x', { 'content-encoding': coding })).status).toBe(415)
      expect((await send('x', { 'content-encoding': 'identity' })).status).toBe(200)
      const response = await send(new Uint8Array([0x61, 0xff, 0xfe]))
      expect([response.status, await response.text()]).toEqual([400, 'body_not_utf8'])
    })

    it('refuses a body that ends too early', async () => {
      const before = asked.length
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345')
      await expect.poll(() => asked.length).toBe(before + 1)
      socket.destroy()
      expect(await asked.at(-1)?.outcome).toMatchObject({ code: 'invalid_request', status: 400 })
    })

    it('names the request at random and its peer by the socket', async () => {
      await fetch(url, { headers: { 'x-request-id': 'theirs', 'x-forwarded-for': '1.2.3.4' } })
      expect(asked.at(-1)?.exchange.requestId).toBe('rrrrrrrrr')
      expect(asked.at(-1)?.exchange.peer).toBe(kind === 'node' ? '127.0.0.1' : 'unknown')
    })
  })

it('finds sockets only where there are some', () => {
  for (const env of [undefined, null, 1, {}, { incoming: {}, outgoing: {} }])
    expect(findSockets(env)).toBeUndefined()
})

describe('a backend that takes too long (PX-11)', () => {
  it.each(['node', 'web'] as const)('is 504 on the %s exchange', async (kind) => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const target = {
      url: new URL(
        `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`,
      ),
      method: 'GET',
      headers: [],
      respond: () => [],
      headersTimeoutSeconds: 0.1,
    }
    const outcomes: string[] = []
    const server = createServer(
      toNodeListener(async (request, env) => {
        const sockets = kind === 'node' ? findSockets(env) : undefined
        const exchange = sockets
          ? createNodeExchange(sockets, { random, openAgent: async () => agent })
          : createWebExchange(request, { random, fetch })
        const onEnd = (outcome: string) => void outcomes.push(outcome)
        return exchange
          .forward({ ...target, onEnd })
          .catch((error: unknown) =>
            Response.json({}, { status: error instanceof OAuthError ? error.status : 500 }),
          )
      }),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const own = server.address()
    const port = typeof own === 'object' && own ? own.port : 0
    expect((await fetch(`http://127.0.0.1:${port}`)).status).toBe(504)
    expect(outcomes).toEqual(['refused'])
    for (const each of [server, silent]) {
      each.closeAllConnections()
      await new Promise((resolve) => each.close(resolve))
    }
  })
})

it('is 503 while the connections are being closed', async () => {
  const closing = createBackendAgent()
  await closing.close()
  const server = createServer(
    toNodeListener(async (_request, env) => {
      const sockets = findSockets(env)
      if (!sockets) throw new Error('no sockets')
      const url = new URL('http://127.0.0.1:9/')
      const target = { url, method: 'GET', headers: [], respond: () => [] }
      return createNodeExchange(sockets, { random, openAgent: async () => closing })
        .forward(target)
        .catch((error: unknown) =>
          Response.json({}, { status: error instanceof OAuthError ? error.status : 500 }),
        )
    }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const own = server.address()
  const port = typeof own === 'object' && own ? own.port : 0
  expect((await fetch(`http://127.0.0.1:${port}`)).status).toBe(503)
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
