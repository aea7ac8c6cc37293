/** OAUTH_ENABLED=false: the backend without OAuth, and nothing of an authorization server (A1). */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { RequestContext } from '../../src/context.ts'
import { OAuthError } from '../../src/errors.ts'
import { toAnonymousClaims } from '../../src/gate/anonymous.ts'
import { createTokenWatch } from '../../src/gate/token-watch.ts'
import type { GatehouseOptions } from '../../src/options.ts'
import { type Live, startLive } from '../helpers/live.ts'
import { verifies } from '../verifies.ts'
import { type RecordingBackend, startBackend } from './harness.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function start(
  options: Partial<GatehouseOptions> = {},
  backend?: RecordingBackend,
): Promise<{ live: Live; backend: RecordingBackend }> {
  const server = backend ?? (await startBackend())
  const backendUrl = `${server.origin}/mcp`
  const live = await startLive({ backendUrl, oauthEnabled: false, ...options })
  cleanups.push(server.close, live.close)
  return { live, backend: server }
}

const post = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  })

describe('where OAuth is off', () => {
  verifies('A1', async () => {
    const { live, backend } = await start()
    const answer = await post(live.url)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ method: 'ping' })
    expect(backend.seen).toHaveLength(1)
    const stats = await fetch(`${live.issuer}/oauth/stats`)
    expect(await stats.json()).toMatchObject({ oauth_enabled: false })
    const warnings = live.log.lines.filter(({ level }) => level === 'warn')
    expect(warnings.map(({ message }) => message)).toContain(
      `OAUTH IS OFF: everyone who reaches ${live.url} uses the MCP server behind it`,
    )
  })

  it.each([
    '/authorize',
    '/token',
    '/register',
    '/jwks',
    '/sign-in',
    '/setup',
    '/',
    '/.well-known/oauth-authorization-server',
    '/.well-known/oauth-authorization-server/mcp',
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/openid-configuration',
  ])('there is nothing at %s', async (path) => {
    const { live } = await start()
    for (const method of ['GET', 'POST']) {
      expect((await fetch(live.issuer + path, { method })).status).toBe(404)
    }
    expect((await fetch(`${live.issuer}/healthz`)).status).toBe(200)
  })

  it('no credential of a client reaches the backend, and nobody is whom they say', async () => {
    const { live, backend } = await start()
    const headers = { authorization: 'Bearer a-token', 'x-forwarded-user': 'ada', cookie: 'a=b' }
    expect((await post(live.url, headers)).status).toBe(200)
    const [seen] = backend.seen
    expect(seen?.headers).not.toHaveProperty('authorization')
    expect(seen?.headers).not.toHaveProperty('x-forwarded-user')
    expect(seen?.headers).not.toHaveProperty('cookie')
  })

  it('pages of other sites are still kept out (RS-14)', async () => {
    const { live, backend } = await start()
    const answer = await post(live.url, { origin: 'null', host: 'evil.example' })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(backend.seen).toHaveLength(0)
  })

  it.each(['https://evil.example', 'http://192.168.0.9', 'null'])(
    'a page of %s cannot use the server through the network of whoever opens it (RS-13, DI-04)',
    async (origin) => {
      const issuer = 'https://gate.example'
      const { live } = await start({ issuer })
      const ask = (from: string) =>
        live.gatehouse.guard(new Request(`${issuer}/mcp`, { headers: { origin: from } }))
      const refused = await ask(origin)
      expect('response' in refused && refused.response.status).toBe(403)
      expect(await ask(issuer)).toHaveProperty('auth')
      expect(await ask('http://localhost:6274')).toHaveProperty('auth')
    },
  )

  it('a session id is good again, and a stream is not ended', async () => {
    const { live } = await start(
      {},
      await startBackend((_, outgoing) => {
        outgoing.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'one' })
        outgoing.end('{}')
      }),
    )
    const session = (await post(live.url)).headers.get('mcp-session-id') ?? ''
    expect(session).toMatch(/^one\./)
    expect((await post(live.url, { 'mcp-session-id': session })).status).toBe(200)

    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const { context } = live.gatehouse
    const [backend] = context.config.backends
    if (!backend) throw new Error('There is no backend')
    // What the gate hands over is a request's context; of it the watch looks at these parts only.
    const watched = createTokenWatch().watch(
      toAnonymousClaims(backend, context.config),
      context as RequestContext,
      (reason) => new OAuthError('invalid_token', reason),
    )
    vi.advanceTimersByTime(60_000)
    expect(watched.signal.aborted).toBe(false)
    watched.release()
    vi.useRealTimers()
  })

  it('a host that guards its own endpoint lets everyone through', async () => {
    const { live } = await start()
    const guarded = await live.gatehouse.guard(new Request(live.url), { scopes: ['notes:write'] })
    expect(guarded).toMatchObject({ auth: { clientId: 'anonymous' } })
  })

  it('a backend that is told who calls cannot be served', async () => {
    for (const told of [{ identity: 'headers' }, { identity: 'assertion' }] as const) {
      const backends = [{ to: 'http://127.0.0.1:9/mcp', ...told }]
      await expect(start({ backends })).rejects.toThrow('nobody signs in whom it could be told')
    }
  })
})
