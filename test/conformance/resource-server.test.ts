/** What MCP 2026-07-28 asks of a resource server, seen from outside: one Gatehouse, one backend that records. */
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { startTestGatehouse, type TestGatehouse } from '../helpers/gatehouse.ts'
import { redeem, registerClient } from '../helpers/oauth-client.ts'
import { createPerson } from '../helpers/person.ts'
import { verifies } from '../verifies.ts'

let running: TestGatehouse
/** Requests that reached the backend. */
let seen: Request[]

beforeEach(async () => {
  seen = []
  running = await startTestGatehouse({
    fetch: async (input, init) => {
      seen.push(new Request(input, init))
      return Response.json({ jsonrpc: '2.0', id: 1, result: {} })
    },
  })
})
afterEach(() => running.close())

/** A token as a client would get it. */
async function getToken(gatehouse = running): Promise<string> {
  const client = await registerClient(gatehouse.send)
  const person = await createPerson(gatehouse)
  const { body } = await redeem(gatehouse.send, client, await person.authorize(client))
  return body.access_token ?? ''
}

function call(headers: Record<string, string> = {}, path = '/mcp'): Promise<Response> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  return running.send(path, { method: 'POST', headers: { ...json, ...headers }, body })
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

async function readJson(path: string): Promise<Record<string, unknown>> {
  const response = await running.send(path)
  expect(response.status).toBe(200)
  return (await response.json()) as Record<string, unknown>
}

const metadataPath = '/.well-known/oauth-protected-resource/mcp'

describe('metadata and challenge', () => {
  verifies('D40', async () => {
    const metadata = await readJson(metadataPath)
    expect(metadata.authorization_servers).toEqual([running.issuer])
    expect(metadata.resource).toBe(`${running.issuer}/mcp`)
  })

  verifies('D41', async () => {
    for (const method of ['GET', 'POST', 'HEAD', 'DELETE']) {
      const response = await running.send('/mcp', { method })
      expect(response.status).toBe(401)
      const challenge = response.headers.get('www-authenticate') ?? ''
      const named = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? ''
      expect(await readJson(named)).toEqual(await readJson(metadataPath))
    }
  })

  verifies('D42', async () => {
    const challenge = (await call()).headers.get('www-authenticate')
    expect(challenge).toMatch(/\bscope="notes:read"/)
  })

  verifies('D48', async () => {
    const metadata = await readJson(metadataPath)
    expect(JSON.stringify(metadata)).not.toContain('offline_access')
    expect((await call()).headers.get('www-authenticate')).not.toContain('offline_access')
    const server = await readJson('/.well-known/oauth-authorization-server')
    expect(server.scopes_supported).toContain('offline_access')
  })

  verifies('K12', async () => {
    expect((await call()).headers.get('www-authenticate')).not.toContain('error')
    const refused = await call(bearer('nonsense'))
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })
})

describe('tokens', () => {
  verifies('D46', async () => {
    const token = await getToken()
    expect((await call(bearer(token))).status).toBe(200)
    const [header, claims, signature = ''] = token.split('.')
    const forged = `${header}.${claims}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    expect((await call(bearer(forged))).status).toBe(401)
    running.clock.advance(3601)
    expect((await call(bearer(token))).status).toBe(401)
    expect(seen).toHaveLength(1)
  })

  verifies('D47', async () => {
    const other = await startTestGatehouse({ issuer: 'https://other.example' })
    try {
      expect((await call(bearer(await getToken(other)))).status).toBe(401)
    } finally {
      await other.close()
    }
    expect(seen).toEqual([])
  })

  verifies('R5', async () => {
    const to = 'http://127.0.0.1:9/mcp'
    const backends = [
      { id: 'notes', path: '/mcp', to },
      { id: 'mail', path: '/mail', to },
    ]
    await running.close()
    running = await startTestGatehouse({
      backends,
      fetch: async () => Response.json({ jsonrpc: '2.0', id: 1, result: {} }),
    })
    const client = await registerClient(running.send)
    const person = await createPerson(running)
    const resource = `${running.issuer}/mail`
    const code = await person.authorize(client, { resource })
    const { body } = await redeem(running.send, client, code, { resource })
    const token = bearer(body.access_token ?? '')
    expect((await call(token, '/mail')).status).toBe(200)
    expect((await call(token, '/mcp')).status).toBe(401)
  })

  verifies('D49', async () => {
    expect((await call()).status).toBe(401)
    expect((await call(bearer('nonsense'))).status).toBe(401)
    const token = await getToken()
    expect((await call(bearer(token), `/mcp?access_token=${token}`)).status).toBe(400)
    expect(seen).toEqual([])
  })

  verifies('D57', async () => {
    const attempts = [{}, bearer('nonsense'), { authorization: `Basic ${btoa('a:b')}` }]
    for (const headers of attempts) {
      const response = await call(headers)
      expect(response.status).toBe(401)
      expect(await response.text()).not.toContain('result')
    }
    expect((await call({}, `/mcp?access_token=${await getToken()}`)).status).toBe(401)
    expect(seen).toEqual([])
  })

  verifies('D58', async () => {
    const token = await getToken()
    await call({ ...bearer(token), 'x-custom': 'kept' })
    const both = await call(bearer(token), `/mcp?access_token=${token}`)
    expect(both.status).toBe(400)
    expect(seen).toHaveLength(1)
    const sent = [...(seen[0]?.headers ?? [])]
    expect(sent).toContainEqual(['x-custom', 'kept'])
    expect(`${seen[0]?.url} ${sent.flat().join(' ')}`).not.toContain(token)
  })
})
