/** A backend answers 401 to the token of the provider: one more attempt with another one, where there is one. */
import { request } from 'node:http'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../../src/platform/node-server.ts'
import { type CustodySite, startCustodySite } from '../server/custody-site.ts'

const forward = { forward: 'upstream-token' } as const
const message = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
const youngSeconds = 60

let refused = new Set<string>()
afterEach(() => {
  refused = new Set()
})
const start = (options = {}) =>
  startCustodySite({ backend: forward, accepts: (token) => !refused.has(token), ...options })

/** The token that the backend has got last. */
const lastToken = (site: CustodySite) => site.lastAuthorization()?.slice('Bearer '.length) ?? ''

interface Sent {
  readonly status: number
  readonly text: string
  readonly headers: Record<string, unknown>
}

/** Calls over a socket, as clients do. */
async function callOverSocket(site: CustodySite, token: string, body = message) {
  const server = await listen(site.gatehouse.fetch, { host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.close(0))
  return new Promise<Sent>((resolve, reject) => {
    const headers = {
      host: new URL(site.issuer).host,
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    const options = { port: server.port, host: '127.0.0.1', path: '/mcp', method: 'POST', headers }
    const call = request(options, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers })
      })
    })
    call.on('error', reject).end(body)
  })
}

/** Calls without a socket, as on other runtimes. */
async function callWithoutSocket(site: CustodySite, token: string, body = message): Promise<Sent> {
  const answer = await site.send('/mcp', {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    },
    body,
  })
  return {
    status: answer.status,
    text: await answer.text(),
    headers: Object.fromEntries(answer.headers),
  }
}

describe.each([
  ['over a socket', callOverSocket],
  ['without a socket', callWithoutSocket],
])('a refused token, %s', (_, call) => {
  it('is refreshed once, and the same request goes out again (X2)', async () => {
    const site = await start()
    const { accessToken } = await site.connect()
    await call(site, accessToken)
    const first = lastToken(site)
    refused.add(first)
    site.clock.advance(youngSeconds)
    const answer = await call(site, accessToken)
    expect([answer.status, answer.text]).toEqual([200, '{"ok":true}'])
    expect(site.backend.seen.slice(-2).map(({ body }) => body)).toEqual([message, message])
    expect(lastToken(site)).not.toBe(first)
    expect(site.provider.seen.refresh).toBe(1)
    await call(site, accessToken)
    expect([site.backend.seen.length, site.provider.seen.refresh]).toEqual([4, 1])
  })

  it('is 502 when the next one is refused as well, and costs nobody a token', async () => {
    const site = await start({ accepts: () => false })
    const connected = await site.connect()
    site.clock.advance(youngSeconds)
    for (let count = 0; count < 5; count += 1) {
      const { status, headers } = await call(site, connected.accessToken)
      expect([status, headers['www-authenticate']]).toEqual([502, undefined])
    }
    expect(site.provider.seen.refresh).toBe(1)
    expect(site.backend.seen).toHaveLength(6)
    const messages = site.log.lines.map((line) => line.message)
    expect(messages).toContainEqual(
      expect.stringMatching(/look at their scopes and their audience/),
    )
    expect(JSON.stringify(site.log.lines)).toContain('backend_unauthorized')
    expect(JSON.stringify(site.log.lines)).not.toContain('upstream-access-token')
    expect((await connected.refresh()).status).toBe(200)
  })

  it('is 401 for the client when the provider says that it is over', async () => {
    const site = await start({ accepts: () => false })
    const connected = await site.connect()
    site.provider.forget()
    site.clock.advance(youngSeconds)
    const { status, headers } = await call(site, connected.accessToken)
    expect(status).toBe(401)
    expect(headers['www-authenticate']).toContain('error="invalid_token"')
    expect(site.audit).toContainEqual(
      expect.objectContaining({ event: 'gate.refused', reason: 'upstream_tokens_refused' }),
    )
    expect((await connected.refresh()).body).toMatchObject({ error: 'invalid_grant' })
  })

  it('that cannot be refreshed is asked about at the provider: good there is 502, dead is 401', async () => {
    const site = await startCustodySite({ backend: forward, accepts: () => false, gives: false })
    site.provider.gives = true
    site.provider.lifetimeSeconds = undefined
    const { accessToken } = await site.connect()
    site.clock.advance(youngSeconds)
    expect((await call(site, accessToken)).status).toBe(502)
    expect((await call(site, accessToken)).status).toBe(502)
    expect(site.provider.seen.ask).toBe(1)
    site.provider.forget()
    site.clock.advance(youngSeconds)
    expect((await call(site, accessToken)).status).toBe(401)
  })

  it('is 503 while the provider cannot be asked, and everything stays', async () => {
    const site = await start()
    const connected = await site.connect()
    await call(site, connected.accessToken)
    refused.add(lastToken(site))
    site.clock.advance(youngSeconds)
    site.provider.fail('refresh', 'before', 'before')
    const { status, headers } = await call(site, connected.accessToken)
    expect([status, headers['retry-after']]).toEqual([503, '2'])
    site.clock.advance(5)
    expect((await call(site, connected.accessToken)).status).toBe(200)
  })

  it('of a body that nobody keeps is renewed, and the client asked to repeat its request', async () => {
    const site = await start()
    const { accessToken } = await site.connect()
    await call(site, accessToken)
    refused.add(lastToken(site))
    site.clock.advance(youngSeconds)
    const long = JSON.stringify({ jsonrpc: '2.0', id: 1, params: 'x'.repeat(70_000) })
    const { status, headers } = await call(site, accessToken, long)
    expect([status, headers['retry-after']]).toEqual([503, '1'])
    expect((await call(site, accessToken, long)).status).toBe(200)
    expect(site.provider.seen.refresh).toBe(1)
  })
})

it('a hundred calls with a refused token refresh it once (X2)', async () => {
  const site = await start()
  const { accessToken } = await site.connect()
  await callWithoutSocket(site, accessToken)
  refused.add(lastToken(site))
  site.clock.advance(youngSeconds)
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => callWithoutSocket(site, accessToken)),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(site.provider.seen.refresh).toBe(1)
})

it('a 401 of a backend that gets no token of the provider stays 502 at once', async () => {
  const site = await startCustodySite({ accepts: () => false })
  const { accessToken } = await site.connect()
  expect((await callWithoutSocket(site, accessToken)).status).toBe(502)
  expect(site.backend.seen).toHaveLength(1)
})
