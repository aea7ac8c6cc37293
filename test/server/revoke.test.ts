/** POST /revoke (RFC 7009, catalogue §11). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/storage/memory.ts'
import { endedGrants, grants } from '../../src/storage/records/grant.ts'
import type { Store } from '../../src/storage/store.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import {
  basic,
  postForm,
  type Registered,
  readClaims,
  redeem,
  refresh,
  registerClient,
  type TokenAnswer,
} from '../helpers/oauth-client.ts'
import { createPerson, type Person } from '../helpers/person.ts'
import { verifiesThat } from '../verifies.ts'

let store: Store
let server: TestGatehouse
let other: TestGatehouse
let person: Person
let client: Registered
beforeAll(async () => {
  const clock = testClock()
  store = memoryStore({ clock })
  const options = { store, clock, lifetimes: { sessionSeconds: 86_400 * 30 } }
  server = await startTestGatehouse(options)
  other = await startTestGatehouse(options)
  person = await createPerson(server)
  client = await registerClient(server.send)
})
afterAll(async () => {
  await server.close()
  await other.close()
})

async function begin(app = client) {
  const { body } = await redeem(server.send, app, await person.authorize(app))
  const { access_token: accessToken = '', refresh_token: refreshToken = '' } = body
  return { accessToken, refreshToken, gid: String(readClaims(accessToken).gid) }
}

function revoke(
  token: string | undefined,
  extra: Record<string, string | undefined> = {},
  headers: Record<string, string> = {},
): Promise<TokenAnswer> {
  const fields = { token, client_id: client.client_id, ...extra }
  return postForm(server.send, '/revoke', fields, headers)
}

function expectDone({ status, headers, body }: TokenAnswer): void {
  expect(status).toBe(200)
  expect(body).toEqual({})
  expect(headers.get('cache-control')).toBe('no-store')
}

/** What a gate says to a token: 502, because nobody runs the backend, or 401. */
async function knock(token: string, at = server): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return (await at.send('/mcp', { method: 'POST', headers, body: '{}' })).status
}

describe('giving up a refresh token', () => {
  verifiesThat('A2', 'the whole grant ends at once', async () => {
    const { accessToken, refreshToken } = await begin()
    expect(await knock(accessToken)).toBe(502)
    expectDone(await revoke(refreshToken))
    expect((await refresh(server.send, client, refreshToken)).body.error).toBe('invalid_grant')
    expect(await knock(accessToken)).toBe(401)
  })

  verifiesThat(
    'X6',
    'in this process at once, in others as soon as they hear (RV-04)',
    async () => {
      const { accessToken, refreshToken } = await begin()
      expect(await knock(accessToken, other)).toBe(502)
      expectDone(await revoke(refreshToken))
      expect(await knock(accessToken)).toBe(401)
      await expect.poll(() => knock(accessToken, other)).toBe(401)
    },
  )

  it('needs no hint of the store to be known in this process (RV-04)', async () => {
    const deaf = { ...store, subscribe: () => () => {} }
    const alone = await startTestGatehouse({ store: deaf, clock: server.clock })
    await alone.gatehouse.context.revocations.ready
    const [grant, single] = [await begin(), await begin()]
    const { client_id } = client
    await postForm(alone.send, '/revoke', { client_id, token: grant.refreshToken })
    expect(await knock(grant.accessToken, alone)).toBe(401)
    await postForm(alone.send, '/revoke', { client_id, token: single.accessToken })
    expect(await knock(single.accessToken, alone)).toBe(401)
    await alone.close()
  })

  it('ends access tokens for as long as they would have lived (RV-04)', async () => {
    const { accessToken, refreshToken, gid } = await begin()
    await revoke(refreshToken)
    const again = await startTestGatehouse({ store, clock: server.clock })
    await again.gatehouse.context.revocations.ready
    server.clock.advance(3599)
    expect(await knock(accessToken, again)).toBe(401)
    expect(await endedGrants.find(store, gid)).toBeDefined()
    await again.close()
  })

  it('ends the grant also by a token that was rotated long ago', async () => {
    const { refreshToken } = await begin()
    const second = await refresh(server.send, client, refreshToken)
    const third = await refresh(server.send, client, second.body.refresh_token)
    expectDone(await revoke(refreshToken))
    const dead = await refresh(server.send, client, third.body.refresh_token)
    expect(dead.body.error).toBe('invalid_grant')
  })

  it('ends one grant of the client and no other', async () => {
    const [mine, sibling] = [await begin(), await begin()]
    expectDone(await revoke(mine.refreshToken))
    expect((await refresh(server.send, client, sibling.refreshToken)).status).toBe(200)
    expect(await knock(sibling.accessToken)).toBe(502)
  })

  it('may be repeated', async () => {
    const { refreshToken, gid } = await begin()
    expectDone(await revoke(refreshToken))
    expectDone(await revoke(refreshToken))
    const ends = server.audit.filter(
      ({ event, grantId }) => event === 'grant.ended' && grantId === gid,
    )
    expect(ends).toHaveLength(1)
  })

  it('is one event of the audit log', async () => {
    const { refreshToken, gid } = await begin()
    server.audit.length = 0
    await revoke(refreshToken)
    expect(server.audit).toEqual([
      expect.objectContaining({ event: 'grant.ended', reason: 'revoked', grantId: gid }),
      expect.objectContaining({ event: 'token.revoked', clientId: client.client_id, grantId: gid }),
    ])
  })
})

describe('giving up an access token', () => {
  it('ends that one, everywhere; the grant lives (RV-04, RV-05)', async () => {
    const { accessToken, refreshToken } = await begin()
    expect(await knock(accessToken)).toBe(502)
    expectDone(await revoke(accessToken))
    expect(await knock(accessToken)).toBe(401)
    await expect.poll(() => knock(accessToken, other)).toBe(401)
    const again = await refresh(server.send, client, refreshToken)
    expect(again.status).toBe(200)
    expect(await knock(again.body.access_token ?? '')).toBe(502)
  })

  it('lasts over a restart (RF-09)', async () => {
    const { accessToken } = await begin()
    await revoke(accessToken)
    const again = await startTestGatehouse({ store, clock: server.clock })
    await again.gatehouse.context.revocations.ready
    expect(await knock(accessToken, again)).toBe(401)
    await again.close()
  })
})

describe('what revokes nothing', () => {
  it("is another client's token; the answer is 200 all the same (RV-01)", async () => {
    const thief = await registerClient(server.send)
    const { accessToken, refreshToken, gid } = await begin()
    for (const token of [accessToken, refreshToken]) {
      expectDone(await revoke(token, { client_id: thief.client_id }))
    }
    expect(await grants.find(store, gid)).toBeDefined()
    expect(await knock(accessToken)).toBe(502)
    expect((await refresh(server.send, client, refreshToken)).status).toBe(200)
  })

  it.each([
    ['nonsense', () => 'nonsense'],
    ['an unknown refresh token', () => `ghr_${'g'.repeat(22)}_${'s'.repeat(43)}_${'t'.repeat(22)}`],
    ['a code', () => `ghc_${'c'.repeat(43)}`],
    ['a broken JWT', () => 'eyJhbGciOiJub25lIn0.e30.'],
  ])('is %s; the answer is 200 all the same (RV-02)', async (_, token) => {
    expectDone(await revoke(token()))
  })

  it('is a token that somebody made up from a grant id (RV-01)', async () => {
    const { accessToken, refreshToken, gid } = await begin()
    expectDone(await revoke(`ghr_${gid}_${'s'.repeat(43)}_${'t'.repeat(22)}`))
    expect(await knock(accessToken)).toBe(502)
    expect((await refresh(server.send, client, refreshToken)).status).toBe(200)
  })

  it('is an expired access token (RV-02)', async () => {
    const { accessToken } = await begin()
    server.clock.advance(3600)
    expectDone(await revoke(accessToken))
    expect(await endedGrants.find(store, String(readClaims(accessToken).jti))).toBeUndefined()
  })
})

describe('the request', () => {
  it.each(['access_token', 'refresh_token', 'pct_token'])(
    'may hint %s, rightly or wrongly (RV-02)',
    async (token_type_hint) => {
      const { accessToken, refreshToken } = await begin()
      expectDone(await revoke(refreshToken, { token_type_hint }))
      expect(await knock(accessToken)).toBe(401)
    },
  )

  it('needs a token and an authenticated client', async () => {
    expect(await revoke(undefined)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    })
    const nobody = await revoke('x', { client_id: undefined })
    expect(nobody).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    const unknown = await revoke('x', { client_id: `mcp_${'0'.repeat(32)}` })
    expect(unknown).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })

  it('of a confidential client needs its secret (TK-13)', async () => {
    const app = await registerClient(server.send, {
      token_endpoint_auth_method: 'client_secret_basic',
    })
    const { accessToken, refreshToken } = await begin(app)
    const bare = await revoke(refreshToken, { client_id: app.client_id })
    expect(bare).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect(await knock(accessToken)).toBe(502)
    const headers = basic(app.client_id, app.client_secret ?? '')
    expectDone(await revoke(refreshToken, { client_id: undefined }, headers))
    expect(await knock(accessToken)).toBe(401)
  })
})

it.each(['/userinfo', '/debug', '/me', '/tokens'])(
  'nothing tells of tokens at %s (RV-07)',
  async (path) => {
    const { accessToken } = await begin()
    const headers = { authorization: `Bearer ${accessToken}`, accept: 'application/json' }
    expect((await server.send(path, { headers })).status).toBe(404)
  },
)
