/** The visit itself: how often it asks, what it leaves behind, and that nothing a server does can hold it up. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createRawServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { diagnose } from '../../src/doctor/checks.ts'
import { limitRequests } from '../../src/doctor/observe.ts'
import { listObservations } from '../../src/doctor/report.ts'
import { profiles } from '../../src/profiles/registry.ts'
import { createCertificate } from '../helpers/certificate.ts'
import { startLive } from '../helpers/live.ts'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'
import { userAgent, visit } from './visiting.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

async function start(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  closing.push(() => closeNow(server))
  return listenOnLoopback(server)
}

const chatgpt = profiles.filter(({ id }) => id === 'chatgpt')
const secret = 'sEcReT-VaLuE-0123456789abcdef'

/** An authorization server and MCP server in one that keeps a list of what it was asked. */
async function startRecording(
  answer: (request: IncomingMessage, origin: string) => object | undefined = () => undefined,
) {
  const asked: { line: string; agent: string; authorization: string }[] = []
  const registered = new Set<string>()
  const origin: string = await start((request, response) => {
    const { method = '', url = '', headers } = request
    const line = `${method} ${url.split('?')[0]}`
    asked.push({
      line,
      agent: headers['user-agent'] ?? '',
      authorization: headers.authorization ?? '',
    })
    const reply = (status: number, body: object, more: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...more })
      response.end(method === 'HEAD' ? undefined : JSON.stringify(body))
    }
    if (line === 'POST /register') {
      const id = `client-${registered.size}`
      registered.add(id)
      return reply(201, {
        client_id: id,
        redirect_uris: [],
        client_secret: secret,
        registration_access_token: secret,
        registration_client_uri: `${origin}/register/${id}`,
        ...answer(request, origin),
      })
    }
    if (method === 'DELETE') {
      registered.delete(url.split('/').at(-1) ?? '')
      response.writeHead(204).end()
      return
    }
    if (line === 'GET /authorize') {
      const location = `/sign-in?code=${secret}&state=open`
      response.writeHead(303, { location, 'set-cookie': `session=${secret}; Path=/` }).end()
      return
    }
    if (url.startsWith('/.well-known/oauth-protected')) {
      return reply(200, { resource: `${origin}/mcp`, authorization_servers: [`${origin}/tenant`] })
    }
    if (url.startsWith('/.well-known/')) {
      return reply(200, {
        issuer: `${origin}/tenant`,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        registration_endpoint: `${origin}/register`,
        jwks_uri: `${origin}/jwks`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
      })
    }
    const challenge = `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/x"`
    reply(401, {}, { 'www-authenticate': challenge })
  })
  return { origin, asked, registered }
}

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

describe('what a visit leaves behind', () => {
  it('is nothing where registrations can be removed (RFC 7592)', async () => {
    const { origin, registered, asked } = await startRecording()
    const seen = await visit(`${origin}/mcp`, { profiles: chatgpt })
    expect(seen.clients[0]?.removal?.response?.status).toBe(204)
    expect(registered.size).toBe(0)
    expect(asked.at(-1)).toMatchObject({ authorization: `Bearer ${secret}` })
  })

  it('is nothing without registering', async () => {
    const { origin, asked } = await startRecording()
    const seen = await visit(`${origin}/mcp`, { mayRegister: false })
    expect(asked.map(({ line }) => line)).not.toContain('POST /register')
    const ways = new Set(seen.clients.map(({ identification }) => identification))
    expect(ways).toEqual(new Set(['skipped', 'typed-in', 'none']))
  })

  it('is removed at the origin that gave the token alone: it is sent nowhere else', async () => {
    const other: string[] = []
    const elsewhere = await start((request, response) => {
      other.push(request.headers.authorization ?? '')
      response.end()
    })
    const { origin } = await startRecording(() => ({
      registration_client_uri: `${elsewhere}/register/1`,
    }))
    const seen = await visit(`${origin}/mcp`, { profiles: chatgpt })
    expect(seen.clients[0]?.removal).toBeUndefined()
    expect(other).toEqual([])
  })

  it('has no secret in it', async () => {
    const { origin } = await startRecording()
    const seen = await visit(`${origin}/mcp`, { profiles: chatgpt })
    const text = JSON.stringify(listObservations(seen))
    expect(text).not.toContain(secret)
    expect(seen.clients[0]?.authorize?.response?.headers).toMatchObject({
      location: '/sign-in?code=[masked]&state=open',
      'set-cookie': 'session=[masked]; Path=/',
    })
    expect(seen.clients[0]?.registration?.response?.json).toMatchObject({
      client_id: 'client-0',
      client_secret: '[masked]',
      registration_access_token: '[masked]',
    })
    expect(seen.shared.post.response?.headers['www-authenticate']).toContain('resource_metadata="')
  })

  it('is nothing at a real server', async () => {
    const live = await startLive({ clientMetadataDocuments: false })
    closing.push(() => live.close())
    await visit(live.url)
    const registered = live.audit.filter(({ event }) => event === 'client.registered')
    const removed = live.audit.filter(({ event }) => event === 'client.removed')
    expect(registered.length).toBeGreaterThan(5)
    expect(removed).toHaveLength(registered.length)
  })
})

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
    closing.push(async () => void server.close())
    const { shared } = await visit(`http://127.0.0.1:${port}/mcp`, { profiles: [] })
    expect(shared.post.failure?.kind).toBe('broken-answer')
  })
})

describe('a certificate that nobody trusts', () => {
  it('is described; the server is read all the same, and no client played', async () => {
    const lines: string[] = []
    const server = createTlsServer(createCertificate(), (request, response) => {
      lines.push(request.method ?? '')
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    })
    closing.push(() => closeNow(server))
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
      closing.push(() => closeNow(server))
      const { port } = new URL(await listenOnLoopback(server))
      const url = `http://${host}:${port}/mcp`
      const { shared } = await visit(url, { profiles: chatgpt, isPublicOnly: true })
      expect(shared.post.failure?.kind).toBe('not-sent')
      expect(connections).toBe(0)
    },
  )
})
