import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { FetchHandler } from '../../src/platform/adapters/node.ts'
import { type ListenOptions, listen, type NodeServer } from '../../src/platform/node-server.ts'

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function start(
  fetch: FetchHandler,
  options: Partial<ListenOptions> = {},
): Promise<NodeServer> {
  const server = await listen(fetch, { host: '127.0.0.1', port: 0, ...options })
  open.push(() => server.close(0))
  return server
}

function openSocket(
  port: number,
): Promise<{ socket: Socket; read(): string; closed: Promise<void> }> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => {
      const closed = new Promise<void>((done) => socket.on('close', () => done()))
      resolve({ socket, read: () => text, closed })
    })
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    open.push(() => socket.destroy())
  })
}

async function exchange(port: number, bytes: string): Promise<string> {
  const { socket, read, closed } = await openSocket(port)
  socket.write(bytes)
  await closed
  return read()
}

/** Holds every answer back until told. */
function createHeld() {
  let release = () => {}
  let arrived = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve
  })
  return { held, arrival, release: () => release(), arrived: () => arrived() }
}

describe('a listening server', () => {
  it('says where it is and hands the sockets over', async () => {
    let env: unknown
    const server = await start(async (_request, given) => {
      env = given
      return new Response('hi')
    })
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
    expect(await (await fetch(server.url)).text()).toBe('hi')
    expect(Object.keys(env as object)).toEqual(['incoming', 'outgoing', 'takesAnswers'])
  })

  it('rejects when the port is taken', async () => {
    const server = await start(async () => new Response())
    await expect(start(async () => new Response(), { port: server.port })).rejects.toThrow(
      'EADDRINUSE',
    )
  })

  it('leaves the globals of the process alone', async () => {
    const before = [globalThis.Request, globalThis.Response]
    await start(async () => new Response())
    expect([globalThis.Request, globalThis.Response]).toEqual(before)
  })

  it.each([
    ['no HTTP at all', 'garbage\r\n\r\n', 400],
    [
      'a second Host behind 2 000 fields (EN-01)',
      `GET / HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(2200)}Host: a\r\n\r\n`,
      400,
    ],
    ['no Host (EN-01)', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['two Hosts (EN-01)', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'a 17 KiB header (PX-06)',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`,
      431,
    ],
    [
      '10 000 headers (PX-06)',
      `GET / HTTP/1.1\r\nHost: a\r\n${'a: b\r\n'.repeat(10_000)}\r\n`,
      431,
    ],
    [
      'another expectation (PX-14)',
      'GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\nConnection: close\r\n\r\n',
      417,
    ],
  ])('answers %s without asking the handler', async (_name, bytes, status) => {
    let asked = 0
    const server = await start(async () => {
      asked += 1
      return new Response()
    })
    expect(await exchange(server.port, bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(asked).toBe(0)
    expect((await fetch(server.url)).status).toBe(200)
  })

  it('times out a request that never becomes whole, but no response (ST-10)', async () => {
    const held = createHeld()
    const server = await start(
      async () => {
        await held.held
        return new Response('late')
      },
      { requestTimeoutSeconds: 0.2 },
    )
    const patient = fetch(server.url)
    const slow = await exchange(server.port, 'POST / HTTP/1.1\r\nHost: a\r\nX-Slow')
    expect(slow).toMatch(/^HTTP\/1\.1 408 /)
    held.release()
    expect(await (await patient).text()).toBe('late')
  })
})

describe('a server that drains (HA-10)', () => {
  const hello = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

  it('takes requests, and ends every connection with its answer', async () => {
    const server = await start(async () => new Response('hi'))
    const kept = await openSocket(server.port)
    kept.socket.write(hello)
    await expect.poll(kept.read).toContain('hi')
    server.drain()
    kept.socket.write(hello)
    await kept.closed
    expect(kept.read().match(/^Connection: close$/gim)).toHaveLength(1)
    expect(kept.read().match(/HTTP\/1\.1 200 /g)).toHaveLength(2)
    expect(await exchange(server.port, hello)).toMatch(/^Connection: close$/im)
  })

  it('does so too for answers that began before, and for those that need no handler', async () => {
    const held = createHeld()
    const server = await start(async () => {
      held.arrived()
      await held.held
      return new Response('done')
    })
    const pending = fetch(server.url)
    await held.arrival
    server.drain()
    held.release()
    expect((await pending).headers.get('connection')).toBe('close')
    const twoHosts = 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'
    expect(await exchange(server.port, twoHosts)).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('a stop (HA-10)', () => {
  it('lets a request in flight finish and accepts no other', async () => {
    const held = createHeld()
    const server = await start(async () => {
      held.arrived()
      await held.held
      return new Response('done')
    })
    const pending = fetch(server.url)
    await held.arrival
    const closed = server.close(5)
    await expect(fetch(server.url)).rejects.toThrow()
    held.release()
    const response = await pending
    expect(response.headers.get('connection')).toBe('close')
    expect(await response.text()).toBe('done')
    await closed
  })

  it('ends standing streams properly once the rest is done', async () => {
    const server = await start(
      async () =>
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
          }),
          { headers: { 'content-type': 'text/event-stream' } },
        ),
    )
    const { socket, read, closed } = await openSocket(server.port)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await expect.poll(read).toContain('data: 1')
    const began = performance.now()
    await server.close(10)
    await closed
    expect(read()).toMatch(/0\r\n\r\n$/)
    expect(performance.now() - began).toBeLessThan(5000)
  })

  it('does not wait its whole grace for a connection that never asked anything (HA-10)', async () => {
    const server = await start(async () => new Response('ok'))
    const { closed } = await openSocket(server.port)
    const began = performance.now()
    await server.close(30)
    await closed
    expect(performance.now() - began).toBeLessThan(15_000)
  })

  it('waits no longer than it may', async () => {
    const server = await start(() => new Promise(() => {}))
    const pending = fetch(server.url)
    pending.catch(() => {})
    await openSocket(server.port)
    await server.close(0.05)
    await expect(pending).rejects.toThrow()
    await server.close()
  })
})
