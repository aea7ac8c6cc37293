/** Nothing that a server does can hold a visit up. */
import { createServer as createRawServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { diagnose } from '../../src/doctor/checks.ts'
import { start } from './recording.ts'
import { visit } from './visiting.ts'

describe('a server that keeps a visit waiting', () => {
  it('by a stream that stays open: what came counts', async () => {
    const origin = await start((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: {"jsonrpc":"2.0"}\n\n')
    })
    const { shared } = await visit(`${origin}/mcp`, { profiles: [], deadlineSeconds: 2 })
    expect(shared.get.response).toMatchObject({ status: 200, body: 'data: {"jsonrpc":"2.0"}\n\n' })
  })

  it('by a stream that says nothing but comments after its answer', async () => {
    const answer = 'data: {"jsonrpc":"2.0"}\n\n'
    const origin = await start((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(answer)
      const comments = setInterval(() => response.write(': ping\n\n'), 20)
      response.on('close', () => clearInterval(comments))
    })
    const { shared } = await visit(`${origin}/mcp`, { profiles: [], deadlineSeconds: 2 })
    expect(shared.post.response?.body.startsWith(answer)).toBe(true)
    expect(shared.post.milliseconds).toBeLessThan(1500)
  })

  it('by an answer that comes late in its stream', async () => {
    const origin = await start((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      setTimeout(() => response.end('data: {"jsonrpc":"2.0"}\n\n'), 800)
    })
    const { shared } = await visit(`${origin}/mcp`, { profiles: [], deadlineSeconds: 2 })
    expect(shared.post.response?.body).toContain('jsonrpc')
  })

  it('by a stream that never says anything', async () => {
    const origin = await start((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    })
    const { shared } = await visit(`${origin}/mcp`, { profiles: [], deadlineSeconds: 2 })
    expect(shared.get.response).toMatchObject({ status: 200, body: '' })
  })

  it('by no answer to GET alone, which is no challenge', async () => {
    const origin = await start(({ method }, response) => {
      if (method === 'GET') return
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    })
    const visited = await visit(`${origin}/mcp`, { profiles: [], deadlineSeconds: 0.5 })
    expect(diagnose(visited).map(({ id }) => id)).toContain('get-without-challenge')
  })

  it('and that somebody does not want to wait for', async () => {
    const origin = await start(() => {})
    const signal = AbortSignal.timeout(50)
    const { shared, clients } = await visit(`${origin}/mcp`, { deadlineSeconds: 5, signal })
    expect(shared.post.milliseconds).toBeLessThan(2000)
    expect(clients).toEqual([])
  })

  it('by no answer', async () => {
    const origin = await start(() => {})
    const { shared } = await visit(`${origin}/mcp`, { profiles: [], deadlineSeconds: 0.3 })
    expect(shared.post.failure?.kind).toBe('silent')
  })

  it('by a body that trickles', async () => {
    const origin = await start((_, response) => {
      response.writeHead(401, { 'content-type': 'application/json' })
      const trickle = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(trickle))
    })
    const { shared } = await visit(`${origin}/mcp`, { profiles: [], deadlineSeconds: 0.3 })
    expect(shared.post.failure?.kind).toBe('silent')
  })

  it('by a body without end: 64 KiB are read', async () => {
    const origin = await start((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' })
      const pouring = setInterval(() => response.write('x'.repeat(16_384)), 1)
      response.on('close', () => clearInterval(pouring))
    })
    const { shared } = await visit(`${origin}/mcp`, { profiles: [], deadlineSeconds: 2 })
    expect(shared.post.response?.body).toHaveLength(65_536)
  })

  it('by something that is not HTTP', async () => {
    const server = createRawServer((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'))
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
    onTestFinished(() => void server.close())
    const { shared } = await visit(`http://127.0.0.1:${port}/mcp`, { profiles: [] })
    expect(shared.post.failure?.kind).toBe('broken-answer')
  })
})
