/** The visit itself: how often it asks, where it does not go, and what it does over a bad certificate. */
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { describe, expect, it, onTestFinished } from 'vitest'
import { limitRequests } from '../../src/doctor/observe.ts'
import { listObservations } from '../../src/doctor/report.ts'
import { profiles } from '../../src/profiles/registry.ts'
import { createCertificate } from '../helpers/certificate.ts'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'
import { start, startRecording } from './recording.ts'
import { userAgent, visit } from './visiting.ts'

const chatgpt = profiles.filter(({ id }) => id === 'chatgpt')

describe('the requests of a visit', () => {
  it('are at most 12 for all and 4 for each client, counted at the server', async () => {
    const { origin, asked } = await startRecording()
    const seen = await visit(`${origin}/mcp`, { profiles: profiles.slice(0, 1) })
    const own = asked.filter(({ line }) => /register|authorize|sign-in/.test(line))
    expect(own.map(({ line }) => line)).toEqual([
      'POST /register',
      'GET /authorize',
      'GET /sign-in',
      'DELETE /register/client-0',
    ])
    expect(asked.length - own.length).toBe(12)
    expect(listObservations(seen)).toHaveLength(asked.length)
  })

  it('say who asks', async () => {
    const { origin, asked } = await startRecording()
    await visit(`${origin}/mcp`, { profiles: chatgpt })
    expect(new Set(asked.map(({ agent }) => agent))).toEqual(new Set([userAgent]))
  })

  it('cannot become more than were promised', async () => {
    const send = limitRequests(async () => ({ milliseconds: 0 }), 1)
    const request = { method: 'GET', url: 'http://127.0.0.1/', headers: {} }
    await send(request)
    expect(() => send(request)).toThrow(TypeError)
  })

  it('end after the first when nobody answers', async () => {
    const seen = await visit('http://127.0.0.1:1/mcp', { profiles: chatgpt })
    expect(seen.shared.post.failure?.kind).toBe('refused')
    expect(seen.shared.get.failure?.kind).toBe('not-sent')
    expect(seen.clients[0]?.identification).toBe('none')
  })

  it('follow no redirect', async () => {
    const paths: string[] = []
    const origin = await start((request, response) => {
      paths.push(request.url ?? '')
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    const seen = await visit(`${origin}/mcp`, { profiles: [] })
    expect(seen.shared.post.response?.status).toBe(302)
    expect(paths).not.toContain('/elsewhere')
  })
})

describe('a certificate that nobody trusts', () => {
  it('is described; the server is read all the same, and no client played', async () => {
    const lines: string[] = []
    const server = createTlsServer(createCertificate(), (request, response) => {
      lines.push(request.method ?? '')
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    })
    onTestFinished(() => closeNow(server))
    const port = new URL(await listenOnLoopback(server)).port
    const { shared, clients } = await visit(`https://localhost:${port}/mcp`, { profiles: chatgpt })
    expect(shared.host).toMatchObject({
      certificate: { problem: expect.stringMatching(/certificate/) },
      protocol: 'http/1.1',
    })
    expect(shared.post.response?.status).toBe(401)
    expect(clients[0]?.identification).toBe('skipped')
    // initialize and server/discover; a registration would be the third.
    expect(lines.filter((method) => method === 'POST')).toHaveLength(2)
  })
})

describe('a public checker', () => {
  it.each(['127.0.0.1', 'localhost', '[::1]', '2130706433', '0x7f.1', '169.254.169.254'])(
    'does not connect to %s (CM-03, CM-04)',
    async (host) => {
      let connections = 0
      const server = createServer((_, response) => response.end())
      server.on('connection', () => {
        connections += 1
      })
      onTestFinished(() => closeNow(server))
      const { port } = new URL(await listenOnLoopback(server))
      const url = `http://${host}:${port}/mcp`
      const { shared } = await visit(url, { profiles: chatgpt, isPublicOnly: true })
      expect(shared.post.failure?.kind).toBe('not-sent')
      expect(connections).toBe(0)
    },
  )
})
