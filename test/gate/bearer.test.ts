import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unavailable } from '../../src/errors.ts'
import { grantUses } from '../../src/storage/records/grant.ts'
import {
  bearer,
  type GateUnderTest,
  post,
  type RecordingBackend,
  startBackend,
  startGate,
} from './harness.ts'

let backend: RecordingBackend
let gate: GateUnderTest
const metadata = 'https://gate.example/.well-known/oauth-protected-resource/mcp'

beforeAll(async () => {
  backend = await startBackend()
  gate = await startGate({ to: `${backend.origin}/inner` })
})
afterAll(async () => {
  await gate.close()
  await backend.close()
})

const call = (headers: Record<string, string>, path = '/mcp') =>
  fetch(gate.url + path, post({ jsonrpc: '2.0', id: 1, method: 'ping' }, headers))

describe('a request without a token', () => {
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    it(`gets 401 with a challenge and no error on ${method} (RS-01, RS-19)`, async () => {
      const response = await fetch(gate.mcp, { method, headers: { accept: 'image/png' } })
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toBe(
        `Bearer resource_metadata="${metadata}", scope="read write"`,
      )
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(backend.seen).toEqual([])
    })

  it('is told apart before the body is read or judged', async () => {
    const response = await fetch(gate.mcp, {
      method: 'POST',
      headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' },
      body: 'x'.repeat(5_000_000),
    })
    expect(response.status).toBe(401)
  })

  it('is not an audit event', () => expect(gate.audits).toEqual([]))

  it('stays without a token when it stands in the query (RS-04)', async () => {
    const response = await call({}, `/mcp?access_token=${await gate.mint()}`)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).not.toContain('error=')
  })

  it('stays without a token under another scheme (RS-06)', async () => {
    const token = await gate.mint()
    for (const scheme of ['Basic', 'Token', 'Bearer2', 'JWT']) {
      const response = await call({ authorization: `${scheme} ${token}` })
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).not.toContain('error=')
    }
  })
})

describe('a bad token', () => {
  it.each([
    ['of another resource (JW-07)', { aud: 'https://gate.example/mcp2' }],
    ['of a prefix of the resource (JW-07)', { aud: 'https://gate.example/mc' }],
    ['of the bare issuer (JW-07)', { aud: 'https://gate.example' }],
  ])('%s is invalid_token and the backend hears nothing (RS-02)', async (_name, overrides) => {
    const response = await call(bearer(await gate.mint(overrides)))
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
    expect(response.headers.get('www-authenticate')).toContain(`resource_metadata="${metadata}"`)
    expect(await response.json()).toMatchObject({ error: 'invalid_token' })
    expect(backend.seen).toEqual([])
    expect(gate.audits.at(-1)).toMatchObject({
      event: 'gate.refused',
      reason: 'audience_mismatch',
      userId: 'user-1',
      grantId: 'grant-1',
    })
  })

  it.each(['x', 'a.b.c', '""', 'eyJhbGciOiJub25lIn0.e30.'])('%s is 401 (RS-02)', async (token) => {
    const response = await call({ authorization: `Bearer ${token}` })
    expect(response.status).toBe(401)
    expect(backend.seen).toEqual([])
  })

  it('of an ended grant is refused at once (RS-02)', async () => {
    const token = await gate.mint({ gid: 'grant-over' })
    expect((await call(bearer(token))).status).toBe(200)
    gate.context.revocations.add('grant-over')
    const response = await call(bearer(token))
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ error: 'invalid_token' })
  })
})

describe('several tokens are 400 (RS-05)', () => {
  it('in two Authorization headers', async () => {
    const token = await gate.mint()
    const headers: [string, string][] = [
      ['content-type', 'application/json'],
      ['authorization', `Bearer ${token}`],
      ['authorization', `Bearer ${token}`],
    ]
    const response = await fetch(gate.mcp, { method: 'POST', headers, body: '{}' })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: 'invalid_request' })
  })

  it('in header and query', async () => {
    const token = await gate.mint()
    const response = await call(bearer(token), `/mcp?access_token=${token}`)
    expect(response.status).toBe(400)
  })
})

it('takes the scheme in any case (RS-06)', async () => {
  const response = await call({ authorization: `bEaReR ${await gate.mint()}` })
  expect(response.status).toBe(200)
})

describe('while something is unknown', () => {
  it('answers 503 with Retry-After until the ended grants are known (RS-11, RS-12)', async () => {
    const revocations = {
      isEnded: () => false,
      add: () => {},
      isReady: () => false,
      ageSeconds: () => Number.POSITIVE_INFINITY,
      ready: new Promise<void>(() => {}),
      close: () => {},
    }
    const early = await startGate({ to: backend.origin, context: { revocations } })
    const before = backend.seen.length
    const response = await fetch(early.mcp, post({}, bearer(await early.mint())))
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).not.toBeNull()
    expect(response.headers.get('www-authenticate')).toBeNull()
    expect(backend.seen.length).toBe(before)
    await early.close()
  })

  it.each([
    ['a fault of the verifier', new TypeError('broken')],
    ['a transient fault', unavailable('keys')],
  ])('answers 503 and never forwards on %s (RS-11)', async (_name, fault) => {
    const broken = await startGate({
      to: backend.origin,
      context: {
        accessTokens: {
          mint: async () => 'a.b.c',
          verify: () => Promise.reject(fault),
          isStanding: () => false,
        },
      },
    })
    const before = backend.seen.length
    const response = await fetch(broken.mcp, post({}, bearer('a.b.c')))
    expect(response.status).toBe(503)
    expect(backend.seen.length).toBe(before)
    await broken.close()
  })
})

describe('the use of a token', () => {
  const findUse = async (gid: string) =>
    (await grantUses.find(gate.context.store, gid))?.value.issuedAt

  it('is recorded once, with the newest iat (design §1)', async () => {
    const first = await gate.mint({ gid: 'used-1' })
    const firstAt = gate.context.clock.now()
    gate.advance(5)
    const second = await gate.mint({ gid: 'used-1' })
    await call(bearer(second))
    await expect.poll(() => findUse('used-1')).toBe(firstAt + 5)
    await call(bearer(first))
    await call(bearer(second))
    expect(await findUse('used-1')).toBe(firstAt + 5)
  })

  it('that another gate recorded later is not taken back', async () => {
    const token = await gate.mint({ gid: 'used-2' })
    const newer = { issuedAt: gate.context.clock.now() + 100 }
    await gate.context.store.commit({
      set: [grantUses.write(grantUses.key('used-2'), newer)],
    })
    await call(bearer(token))
    await call(bearer(token))
    expect(await findUse('used-2')).toBe(newer.issuedAt)
  })

  it('fails no request when the store is down, and is tried again', async () => {
    let commits = 0
    const store = {
      ...gate.context.store,
      get: () => {
        commits += 1
        return Promise.reject(unavailable('store'))
      },
      close: async () => {},
    }
    const down = await startGate({ to: backend.origin, context: { store } })
    const token = await down.mint()
    expect((await fetch(down.mcp, post({}, bearer(token)))).status).toBe(200)
    await expect.poll(() => down.logs.length).toBe(1)
    expect((await fetch(down.mcp, post({}, bearer(token)))).status).toBe(200)
    await expect.poll(() => commits).toBe(2)
    await down.close()
  })
})
