import type { RequestListener, ServerResponse } from 'node:http'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { revokeKey } from '../../src/tokens/key-rotation.ts'
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

async function start(handler: RequestListener, options: Partial<GateOptions> = {}) {
  const backend = await startBackend(handler)
  const gate = await startGate({ to: backend.origin, ...options })
  open.push(backend, gate)
  return gate
}

/** A backend that answers every request with a stream and hands it to the test. */
function streamingBackend() {
  const streams: ServerResponse[] = []
  const gone: Promise<void>[] = []
  const handler: RequestListener = (_incoming, outgoing) => {
    outgoing.writeHead(200, { 'Content-Type': 'text/event-stream', 'Content-Encoding': 'identity' })
    outgoing.flushHeaders()
    streams.push(outgoing)
    gone.push(new Promise((resolve) => outgoing.on('close', resolve)))
  }
  return { streams, gone, handler }
}

async function openStream(gate: GateUnderTest, signal?: AbortSignal) {
  const response = await fetch(gate.mcp, {
    headers: { ...bearer(await gate.mint()), accept: 'text/event-stream' },
    ...(signal && { signal }),
  })
  if (!response.body) throw new Error('no body')
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  return { response, reader }
}

for (const exchange of ['node', 'web'] as const)
  describe(`an event stream through the ${exchange} exchange`, () => {
    it('begins before its first event and passes each event at once (ST-04)', async () => {
      const backend = streamingBackend()
      const gate = await start(backend.handler, { exchange })
      const { response, reader } = await openStream(gate)
      expect(response.headers.get('cache-control')).toBe('no-cache, no-transform')
      expect(response.headers.get('x-accel-buffering')).toBe('no')
      const delays: number[] = []
      for (let event = 0; event < 20; event += 1) {
        const sent = performance.now()
        backend.streams[0]?.write(`data: ${event}\n\n`)
        expect((await reader.read()).value).toBe(`data: ${event}\n\n`)
        delays.push(performance.now() - sent)
      }
      // The median, because a busy machine delays one or the other; each came before the next was sent.
      expect(delays.sort((a, b) => a - b)[10]).toBeLessThan(100)
    })

    it('asks the backend for no compression (ST-04)', async () => {
      let asked: unknown
      const gate = await start(
        (incoming, outgoing) => {
          asked = incoming.headers['accept-encoding']
          outgoing.end('{}')
        },
        { exchange },
      )
      await fetch(
        gate.mcp,
        post({}, { ...bearer(await gate.mint()), 'accept-encoding': 'gzip, br' }),
      )
      expect(asked).toBe('identity')
    })

    it('stops at the backend when the client leaves, within a second (PX-16)', async () => {
      const backend = streamingBackend()
      const gate = await start(backend.handler, { exchange })
      const leave = new AbortController()
      await openStream(gate, leave.signal)
      const left = performance.now()
      leave.abort()
      await backend.gone[0]
      expect(performance.now() - left).toBeLessThan(1000)
    })

    it('stops at the backend when the client leaves before any answer (PX-16)', async () => {
      let arrived = () => {}
      const arrival = new Promise<void>((resolve) => {
        arrived = resolve
      })
      let gone: Promise<unknown> = Promise.resolve()
      const gate = await start(
        (incoming) => {
          gone = new Promise((resolve) => incoming.socket.on('close', resolve))
          arrived()
        },
        { exchange },
      )
      const leave = new AbortController()
      const init = post({}, bearer(await gate.mint()))
      const pending = fetch(gate.mcp, { ...init, signal: leave.signal })
      await arrival
      leave.abort()
      await expect(pending).rejects.toThrow()
      await gone
    })

    it('ends when its grant is revoked (ST-06)', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
      const backend = streamingBackend()
      const gate = await start(backend.handler, { exchange })
      const { reader } = await openStream(gate)
      backend.streams[0]?.write('data: 1\n\n')
      await reader.read()
      gate.context.revocations.add('grant-1')
      vi.advanceTimersByTime(1000)
      expect((await reader.read()).done).toBe(true)
      await backend.gone[0]
    })

    it('ends when the key of its token is revoked (ST-06)', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
      const backend = streamingBackend()
      const gate = await start(backend.handler, { exchange })
      const { reader } = await openStream(gate)
      backend.streams[0]?.write('data: 1\n\n')
      await reader.read()
      const { context } = gate
      await revokeKey(context, context.keys.jwks().keys[0]?.kid ?? '', 'ES256')
      await context.keys.reread()
      vi.advanceTimersByTime(1000)
      expect((await reader.read()).done).toBe(true)
      await backend.gone[0]
    })

    it('ends 30 s after its token expired, not before (ST-06)', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
      const backend = streamingBackend()
      const gate = await start(backend.handler, { exchange })
      const { reader } = await openStream(gate)
      gate.advance(3629)
      vi.advanceTimersByTime(2000)
      backend.streams[0]?.write('data: alive\n\n')
      expect((await reader.read()).value).toBe('data: alive\n\n')
      gate.advance(1)
      vi.advanceTimersByTime(1000)
      await backend.gone[0]
    })
  })

describe('a backend that dies in the middle (ST-03)', () => {
  it('ends an event stream, logs once, and the gate lives on', async () => {
    const backend = streamingBackend()
    const gate = await start(backend.handler)
    const { reader } = await openStream(gate)
    backend.streams[0]?.write('data: 1\n\n')
    await reader.read()
    backend.streams[0]?.socket?.destroy()
    expect(await reader.read()).toEqual({ done: true, value: undefined })
    expect(gate.logs.map(({ message }) => message)).toEqual(['A backend broke off its answer'])
    expect((await openStream(gate)).response.status).toBe(200)
  })

  it('breaks off a JSON answer, so that half of it is not taken for all', async () => {
    const gate = await start((_incoming, outgoing) => {
      outgoing.writeHead(200, { 'Content-Type': 'application/json' })
      outgoing.write('{"half":')
      setImmediate(() => outgoing.socket?.destroy())
    })
    const answer = fetch(gate.mcp, post({}, bearer(await gate.mint())))
    await expect(answer.then((response) => response.text())).rejects.toThrow()
  })
})

it('leaves nothing behind after clients that came and left (ST-02)', async () => {
  const backend = streamingBackend()
  const gate = await start(backend.handler)
  for (let round = 0; round < 50; round += 1) {
    const leave = new AbortController()
    await openStream(gate, leave.signal)
    leave.abort()
  }
  await Promise.all(backend.gone)
  expect(backend.gone.length).toBe(50)
})

it('gives each of 200 interleaved clients its own answer to the same id (RS-18)', async () => {
  const waiting: (() => void)[] = []
  const gate = await start(
    (incoming, outgoing) => {
      const user = incoming.headers['x-forwarded-user']
      waiting.push(() => outgoing.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: user })))
      if (waiting.length < 200) return
      for (const answer of waiting.splice(0).reverse()) answer()
    },
    { backend: { identity: 'headers' } },
  )
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, client) => {
      const token = await gate.mint({ sub: `user-${client}` })
      const response = await fetch(gate.mcp, post({ jsonrpc: '2.0', id: 1 }, bearer(token)))
      return [client, await response.json()] as const
    }),
  )
  for (const [client, answer] of answers)
    expect(answer).toEqual({ jsonrpc: '2.0', id: 1, result: `user-${client}` })
})

it('keeps memory flat while a slow client reads a large answer (PX-12)', async () => {
  let written = 0
  const chunk = Buffer.alloc(64 * 1024)
  const gate = await start((_incoming, outgoing) => {
    const pump = () => {
      while (written < 512 && outgoing.write(chunk)) written += 1
      if (written >= 512) outgoing.end()
      else {
        written += 1
        outgoing.once('drain', pump)
      }
    }
    pump()
  })
  const response = await fetch(gate.mcp, post({}, bearer(await gate.mint())))
  const reader = response.body?.getReader()
  await reader?.read()
  await new Promise((resolve) => setImmediate(resolve))
  expect(written).toBeLessThan(400)
  let length = 0
  for (;;) {
    const part = await reader?.read()
    if (!part || part.done) break
    length += part.value.length
  }
  expect(length).toBeGreaterThan(500 * chunk.length)
})
