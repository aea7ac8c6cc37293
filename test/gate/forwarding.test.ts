import { request } from 'node:http'
import { compactVerify, createLocalJWKSet, decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bearer,
  type GateUnderTest,
  post,
  type RecordingBackend,
  sendRaw,
  startBackend,
  startGate,
} from './harness.ts'

let backend: RecordingBackend
let gate: GateUnderTest

beforeAll(async () => {
  backend = await startBackend()
  gate = await startGate({ to: `${backend.origin}/inner/mcp?fixed=1` })
})
afterAll(async () => {
  await gate.close()
  await backend.close()
})

async function sendHeaders(headers: Record<string, string>, through = gate) {
  const response = await fetch(
    through.mcp,
    post({ id: 1 }, { ...bearer(await through.mint()), ...headers }),
  )
  return { response, seen: backend.seen.at(-1) }
}

/** Sends header lines that `fetch` would not. */
async function sendLines(lines: string[], through = gate): Promise<string> {
  const all = [
    'POST /mcp HTTP/1.1',
    'Host: gate.example',
    `Authorization: Bearer ${await through.mint()}`,
    'Content-Type: application/json',
    'Content-Length: 2',
    ...lines,
  ]
  const closing = lines.some((line) => /^connection/i.test(line)) ? [] : ['Connection: close']
  return sendRaw(through.port, `${[...all, ...closing].join('\r\n')}\r\n\r\n{}`)
}

describe('what reaches the backend', () => {
  it('is the method, body, query and MCP fields of the client, at the configured URL (T17)', async () => {
    const token = await gate.mint()
    const body = { jsonrpc: '2.0', id: 'ä', method: 'tools/call' }
    const mcp = {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
      'mcp-method': 'tools/call',
      'mcp-name': '=?base64?w6Q=?=',
      'mcp-param-Region_Code': 'eu',
      'last-event-id': '7',
      'x-custom': 'kept',
    }
    const response = await fetch(
      `${gate.mcp}?a=1&b=%2F&a=2`,
      post(body, { ...bearer(token), ...mcp }),
    )
    const seen = backend.seen.at(-1)
    expect(await response.json()).toEqual(body)
    expect(seen).toMatchObject({ method: 'POST', url: '/inner/mcp?fixed=1&a=1&b=%2F&a=2' })
    expect(seen?.headers).toMatchObject({
      ...Object.fromEntries(
        Object.entries(mcp).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      'content-type': 'application/json',
      host: new URL(backend.origin).host,
    })
  })

  it('has no credentials of the client (RS-07)', async () => {
    const { seen } = await sendHeaders({ dpop: 'x', 'proxy-authorization': 'Basic x' })
    await sendLines(['Cookie: a=b'])
    for (const name of ['authorization', 'dpop', 'cookie', 'proxy-authorization']) {
      expect(seen?.headers).not.toHaveProperty(name)
      expect(backend.seen.at(-1)?.headers).not.toHaveProperty(name)
    }
  })

  it('has no identity that we did not give, in any spelling (RS-20)', async () => {
    await sendLines([
      'X-Forwarded-User: admin',
      'x_forwarded_user: admin',
      'X_Forwarded-Email: admin',
      'X-AUTH-SUB: admin',
      'X-Auth-Request-User: admin',
      'X-Gatehouse-Scope: all',
      'x_gatehouse_assertion: e30',
      'Remote-User: admin',
      'REMOTE_USER: admin',
      'X-Goog-Authenticated-User-Email: admin',
      'mcp_session_id: stolen',
    ])
    const seen = backend.seen.at(-1)
    expect(seen?.rawHeaders.join('\n')).not.toMatch(/admin|stolen|all$|e30/)
  })

  it('says where the client came to and from as we know it, whatever the client says (G2, EN-02)', async () => {
    await sendLines([
      'X-Forwarded-For: 1.2.3.4',
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Proto: gopher',
      'X-Forwarded-Prefix: /evil',
      'Forwarded: for=1.2.3.4',
      'X-Real-IP: 1.2.3.4',
      'Via: 1.1 evil',
    ])
    const headers = backend.seen.at(-1)?.headers
    expect(headers).toMatchObject({
      'x-forwarded-host': 'gate.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '127.0.0.1',
    })
    for (const name of ['forwarded', 'x-forwarded-prefix', 'x-real-ip', 'via'])
      expect(headers).not.toHaveProperty(name)
  })

  it('lets nothing change the method (RS-09)', async () => {
    await sendLines(['X-HTTP-Method-Override: DELETE', 'X-Method-Override: DELETE'])
    const seen = backend.seen.at(-1)
    expect(seen?.method).toBe('POST')
    expect(seen?.rawHeaders.join()).not.toContain('DELETE')
  })

  it('loses what Connection names, but never what we add (PX-02)', async () => {
    const secret = await startGate({
      to: backend.origin,
      backend: { headers: { 'x-api-key': 'ours' }, identity: 'headers' },
    })
    await sendLines(
      [
        'Connection: close, X-Api-Key, X-Forwarded-User, X-Forwarded-For, X-Custom',
        'X-Custom: 1',
        'X-Api-Key: theirs',
        'Keep-Alive: timeout=5',
        'TE: trailers',
        'Proxy-Connection: close',
      ],
      secret,
    )
    const headers = backend.seen.at(-1)?.headers
    expect(headers).toMatchObject({
      'x-api-key': 'ours',
      'x-forwarded-user': 'user-1',
      'x-forwarded-for': '127.0.0.1',
    })
    for (const name of ['x-custom', 'te', 'keep-alive', 'proxy-connection'])
      expect(headers).not.toHaveProperty(name)
    await secret.close()
  })

  it('has our value alone where the client sends the same field', async () => {
    const secret = await startGate({
      to: backend.origin,
      backend: { headers: { 'x-api-key': 'ours' } },
    })
    await sendLines(['X-Api-Key: theirs', 'x-API-key: again'], secret)
    expect(backend.seen.at(-1)?.headers['x-api-key']).toBe('ours')
    await secret.close()
  })

  it('cannot be a second line of the client (PX-05)', async () => {
    const before = backend.seen.length
    for (const line of ['X-A: a\0b', 'X-A: a\rX-B: b', 'X A: b', 'X-A\0: b'])
      expect(await sendLines([line])).toMatch(/^HTTP\/1\.1 400 /)
    expect(backend.seen.length).toBe(before)
  })

  it('is not disturbed by names that objects have (PX-05)', async () => {
    expect(await sendLines(['__proto__: x', 'constructor: y'])).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('does not have the stray token of the query (RS-04)', async () => {
    const before = backend.seen.length
    await fetch(`${gate.mcp}?access%5Ftoken=x&a=1`, post({}, bearer(await gate.mint())))
    await fetch(`${gate.mcp}?access_token=x&a=1`, post({}, bearer(await gate.mint())))
    expect(backend.seen.length).toBe(before)
  })

  it('is not told of Expect and Upgrade, which concern this hop (PX-14)', async () => {
    const answer = await sendLines([
      'Expect: 100-continue',
      'Connection: close, Upgrade',
      'Upgrade: h2c',
    ])
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /)
    expect(backend.seen.at(-1)?.headers).not.toHaveProperty('expect')
    expect(backend.seen.at(-1)?.headers).not.toHaveProperty('upgrade')
  })

  it('is refused when it is larger than allowed, whatever its framing says (PX-15)', async () => {
    const small = await startGate({ to: backend.origin, config: { gateBodyLimitBytes: 1000 } })
    const before = backend.seen.length
    const headers = { ...bearer(await small.mint()), 'content-type': 'application/json' }
    const big = 'x'.repeat(1001)
    const chunked = new ReadableStream({
      start(controller) {
        for (let part = 0; part < 3; part += 1)
          controller.enqueue(new TextEncoder().encode(big.slice(500)))
        controller.close()
      },
    })
    const declared = await fetch(small.mcp, { method: 'POST', headers, body: big })
    expect(declared.status).toBe(413)
    const counted = await fetch(small.mcp, {
      method: 'POST',
      headers,
      body: chunked,
      duplex: 'half',
    } as RequestInit)
    expect(counted.status).toBe(413)
    expect(await counted.json()).toMatchObject({ jsonrpc: '2.0', error: { code: -32600 } })
    const exact = await fetch(small.mcp, { method: 'POST', headers, body: 'x'.repeat(1000) })
    expect(exact.status).toBe(200)
    expect(backend.seen.slice(before).map(({ body }) => body.length)).toEqual([1000])
    await small.close()
  })

  it('streams large bodies whole', async () => {
    const body = JSON.stringify({ text: 'ä'.repeat(1_500_000) })
    const headers = { ...bearer(await gate.mint()), 'content-type': 'application/json' }
    const response = await fetch(gate.mcp, { method: 'POST', headers, body })
    expect(await response.text()).toBe(body)
  })

  it('must not be compressed, nor anything but JSON (PX-15, RS-14)', async () => {
    const before = backend.seen.length
    const refused: Record<string, string>[] = [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/json-seq' },
      { 'content-type': '' },
      { 'content-encoding': 'gzip' },
    ]
    for (const headers of refused) {
      const { response } = await sendHeaders(headers)
      expect(response.status).toBe(415)
      expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code: -32600 } })
    }
    expect(backend.seen.length).toBe(before)
    const { response } = await sendHeaders({ 'content-type': 'Application/JSON; charset=utf-8' })
    expect(response.status).toBe(200)
  })

  it('belongs to a POST only: a backend could take another one for its next request (PX-15)', async () => {
    const before = backend.seen.length
    const smuggled = 'GET /mcp HTTP/1.1\r\nHost: x\r\nX-Forwarded-User: admin\r\n\r\n'
    for (const method of ['DELETE', 'GET']) {
      const response = await new Promise<number | undefined>((resolve, reject) => {
        const headers = { 'content-length': Buffer.byteLength(smuggled) }
        gate.mint().then((token) => {
          const sent = request(gate.mcp, { method, headers: { ...headers, ...bearer(token) } })
          sent.once('response', (answer) => resolve(answer.resume().statusCode))
          sent.once('error', reject).end(smuggled)
        }, reject)
      })
      expect(response).toBe(400)
    }
    expect(backend.seen.length).toBe(before)
  })

  it('never is a method that Streamable HTTP does not have', async () => {
    for (const method of ['PUT', 'PATCH', 'OPTIONS', 'PROPFIND']) {
      const response = await fetch(gate.mcp, { method, headers: bearer(await gate.mint()) })
      expect(response.status).toBe(405)
      expect(response.headers.get('allow')).toBe('GET, HEAD, POST, DELETE')
    }
    for (const method of ['GET', 'HEAD', 'DELETE']) {
      const response = await fetch(gate.mcp, { method, headers: bearer(await gate.mint()) })
      expect(response.status).toBe(200)
      expect(backend.seen.at(-1)?.method).toBe(method)
    }
  })
})

describe('what a backend is told about the caller', () => {
  it('is nothing by default', async () => {
    const { seen } = await sendHeaders({})
    expect(seen?.rawHeaders.join()).not.toMatch(/user-1|mcp_client/)
  })

  it('are header fields, encoded when they are not ASCII (RS-20)', async () => {
    const told = await startGate({ to: backend.origin, backend: { identity: 'headers' } })
    const user = await told.context.users.admit('github', {
      subject: '42',
      login: 'Jörg\r\nX-Evil: 1',
      email: 'joerg@example.com',
      emailVerified: true,
    })
    const token = await told.mint({ sub: user.record.value.id })
    await fetch(told.mcp, post({}, bearer(token)))
    expect(backend.seen.at(-1)?.headers).toMatchObject({
      'x-forwarded-user': user.record.value.id,
      'x-forwarded-email': 'joerg@example.com',
      'x-forwarded-preferred-username': "UTF-8''J%C3%B6rg%0D%0AX-Evil%3A%201",
      'x-gatehouse-client-id': 'mcp_client',
      'x-gatehouse-scope': 'read write',
    })
    await told.close()
  })

  it('is no address that nobody verified: a backend would take it for the person (UP-08)', async () => {
    const told = await startGate({ to: backend.origin, backend: { identity: 'headers' } })
    const { users } = told.context
    const profile = { login: 'eve', email: 'ceo@corp.example' }
    const local = await users.addLocal('ada@example.com', 'correct horse battery', 'user')
    const ids = [
      await users.admit('oidc', { subject: '1', ...profile, emailVerified: false }),
      await users.admit('oidc', { subject: '2', ...profile }),
      local,
    ].map(({ record }) => record.value.id)
    const seen: unknown[] = []
    for (const sub of ids) {
      await fetch(told.mcp, post({}, bearer(await told.mint({ sub }))))
      seen.push(backend.seen.at(-1)?.headers['x-forwarded-email'])
    }
    expect(seen).toEqual([undefined, undefined, 'ada@example.com'])
    await told.close()
  })

  it('is an assertion that our keys verify and that lives a minute at most', async () => {
    const told = await startGate({
      to: `${backend.origin}/inner`,
      backend: { identity: 'assertion' },
    })
    const { seen } = await sendHeaders({ 'x-gatehouse-assertion': 'forged' }, told)
    const assertion = String(seen?.headers['x-gatehouse-assertion'])
    await compactVerify(assertion, createLocalJWKSet(told.context.keys.jwks()))
    const claims = decodeJwt(assertion)
    expect(decodeProtectedHeader(assertion).typ).toBe('gatehouse-assertion+jwt')
    expect(claims).toMatchObject({
      iss: 'https://gate.example',
      aud: backend.origin,
      sub: 'user-1',
      client_id: 'mcp_client',
      scope: 'read write',
    })
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBeLessThanOrEqual(60)
    await expect(told.context.accessTokens.verify(assertion)).rejects.toThrow()
    await told.close()
  })
})
