/** POST /introspect (RFC 7662) and the owner's admin token. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLimits } from '../../src/operate/limits.ts'
import { registerClient as registerOwnClient } from '../../src/server/clients/register.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { grantUses } from '../../src/storage/records/grant.ts'
import { installations } from '../../src/storage/records/key.ts'
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

const adminToken = `gha_${'a'.repeat(43)}`
const bearer = { authorization: `Bearer ${adminToken}` }

/** What happens in the store before a commit goes through; set by a test about a race. */
let beforeCommit: (() => Promise<void>) | undefined

let store: Store
let server: TestGatehouse
let person: Person
let client: Registered
let backend: { authorization: string }
beforeAll(async () => {
  const clock = testClock()
  const inner = memoryStore({ clock })
  const commit: Store['commit'] = async (change) => {
    await beforeCommit?.()
    return inner.commit(change)
  }
  store = { ...inner, commit }
  server = await startTestGatehouse({ store, clock, lifetimes: { sessionSeconds: 86_400 * 30 } })
  person = await createPerson(server)
  client = await registerClient(server.send)
  const metadata = {
    redirect_uris: ['https://backend.example/unused'],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic' as const,
  }
  const { context } = server.gatehouse
  const made = await registerOwnClient(metadata, { origin: 'preregistered' }, context)
  backend = basic(made?.client.id ?? '', made?.secret ?? '')

  const installation = await installations.find(store, 'self')
  if (!installation) throw new Error('No installation')
  const adminTokenHash = context.sealer.index('admin-token', adminToken)
  const value = { ...installation.value, adminTokenHash }
  await store.commit({ set: [installations.write(installation.key, value)] })
})
afterAll(() => server.close())

async function begin(app = client) {
  const { body } = await redeem(server.send, app, await person.authorize(app))
  const { access_token: accessToken = '', refresh_token: refreshToken = '' } = body
  return { accessToken, refreshToken, gid: String(readClaims(accessToken).gid) }
}

function ask(
  token: string | undefined,
  headers: Record<string, string> = backend,
  extra: Record<string, string | undefined> = {},
): Promise<TokenAnswer> {
  return postForm(server.send, '/introspect', { token, ...extra }, headers)
}

function expectInactive({ status, body, headers }: TokenAnswer): void {
  expect(body).toEqual({ active: false })
  expect(status).toBe(200)
  expect(headers.get('cache-control')).toBe('no-store')
}

describe('introspection', () => {
  verifiesThat('X6', 'a live access token is described', async () => {
    const { accessToken } = await begin()
    const { gid: _, ...claims } = readClaims(accessToken)
    const answer = await ask(accessToken)
    expect(answer.body).toEqual({ active: true, token_type: 'Bearer', ...claims })
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it('describes the current refresh token and no other of its family', async () => {
    const { refreshToken } = await begin()
    const now = server.clock.now()
    const answer = await ask(refreshToken)
    expect(answer.body).toEqual({
      active: true,
      token_type: 'refresh_token',
      iss: server.issuer,
      sub: person.userId,
      aud: `${server.issuer}/mcp`,
      client_id: client.client_id,
      scope: 'notes:read',
      iat: now,
      exp: now + 30 * 86_400,
    })
    const next = await refresh(server.send, client, refreshToken)
    expectInactive(await ask(refreshToken))
    expect((await ask(next.body.refresh_token)).body.active).toBe(true)
  })

  it.each([
    ['nonsense', 'x'],
    ['an unknown refresh token', `ghr_${'g'.repeat(22)}_${'s'.repeat(43)}_${'t'.repeat(22)}`],
    ['a code', `ghc_${'c'.repeat(43)}`],
    ['an unsigned JWT', 'eyJhbGciOiJub25lIn0.e30.'],
  ])('says only that %s is not active', async (_, token) => {
    expectInactive(await ask(token))
  })

  it('says so of tokens that expired or were revoked (RV-04, RV-05)', async () => {
    const [grant, single, late] = [await begin(), await begin(), await begin()]
    const { client_id } = client
    await postForm(server.send, '/revoke', { client_id, token: grant.refreshToken })
    expectInactive(await ask(grant.accessToken))
    expectInactive(await ask(grant.refreshToken))
    await postForm(server.send, '/revoke', { client_id, token: single.accessToken })
    expectInactive(await ask(single.accessToken))
    expect((await ask(single.refreshToken)).body.active).toBe(true)
    server.clock.advance(3600)
    expectInactive(await ask(late.accessToken))
  })

  it('knows at once what another instance revoked (RV-04)', async () => {
    const [grant, single] = [await begin(), await begin()]
    const deaf = { ...store, subscribe: () => () => {} }
    const other = await startTestGatehouse({ store: deaf, clock: server.clock })
    await other.gatehouse.context.revocations.ready
    const { client_id } = client
    await postForm(server.send, '/revoke', { client_id, token: grant.refreshToken })
    await postForm(server.send, '/revoke', { client_id, token: single.accessToken })
    for (const token of [grant.accessToken, single.accessToken]) {
      expectInactive(await postForm(other.send, '/introspect', { token }, backend))
    }
    await other.close()
  })
})

describe('a caller', () => {
  it('that the owner registered may ask about every token, by either secret method', async () => {
    const { accessToken } = await begin()
    expect((await ask(accessToken)).body.active).toBe(true)
    const [id, secret] = Buffer.from(backend.authorization.slice(6), 'base64').toString().split(':')
    const inBody = await ask(accessToken, {}, { client_id: id, client_secret: secret })
    expect(inBody.body.active).toBe(true)
  })

  it('that registered itself may ask about its own tokens only', async () => {
    const curious = await registerClient(server.send, {
      token_endpoint_auth_method: 'client_secret_post',
    })
    const { client_id, client_secret } = curious
    const [own, foreign] = [await begin(curious), await begin()]
    const asking = (token: string) => ask(token, {}, { client_id, client_secret })
    expect((await asking(own.accessToken)).body.active).toBe(true)
    expect((await asking(own.refreshToken)).body.active).toBe(true)
    expectInactive(await asking(foreign.accessToken))
    expectInactive(await asking(foreign.refreshToken))
    expect(await grantUses.find(store, foreign.gid)).toBeUndefined()
  })

  it('without a secret learns nothing (TK-08)', async () => {
    const { accessToken } = await begin()
    const { client_id } = client
    const wrong = basic(client_id, 'wrong')
    for (const answer of [
      await ask(accessToken, {}, { client_id }),
      await ask(accessToken, {}),
      await ask(accessToken, wrong),
      await ask(accessToken, { authorization: `Bearer gha_${'b'.repeat(43)}` }),
      await ask(accessToken, { authorization: `Bearer ${accessToken}` }),
    ]) {
      expect(answer.status).toBe(401)
      expect(answer.body.error).toBe('invalid_client')
    }
  })

  it('with the admin token may ask about every token', async () => {
    const { accessToken } = await begin()
    expect((await ask(accessToken, bearer)).body.active).toBe(true)
    expectInactive(await ask('x', bearer))
  })

  it('must name a token', async () => {
    expect(await ask(undefined)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })
})

describe('introspection counts as use of the access token (P3)', () => {
  it('so that a late predecessor is reuse', async () => {
    const { refreshToken } = await begin()
    const next = await refresh(server.send, client, refreshToken)
    expect((await ask(next.body.access_token)).body.active).toBe(true)
    server.clock.advance(121)
    const late = await refresh(server.send, client, refreshToken)
    expect(late.body.error).toBe('invalid_grant')
  })

  it('and an older token that is seen later does not make that forgotten', async () => {
    const { refreshToken, accessToken } = await begin()
    server.clock.advance(60)
    const next = await refresh(server.send, client, refreshToken)
    expect((await ask(next.body.access_token)).body.active).toBe(true)
    expect((await ask(accessToken)).body.active).toBe(true)
    server.clock.advance(121)
    const late = await refresh(server.send, client, refreshToken)
    expect(late.body.error).toBe('invalid_grant')
  })

  it('and a use that is noted at the same moment is no fault', async () => {
    const { refreshToken, gid } = await begin()
    const older = server.clock.now()
    server.clock.advance(60)
    const next = await refresh(server.send, client, refreshToken)
    const key = grantUses.key(gid)
    beforeCommit = async () => {
      beforeCommit = undefined
      await store.commit({ set: [grantUses.write(key, { issuedAt: older }, older + 86_400)] })
    }
    expect((await ask(next.body.access_token)).body.active).toBe(true)
    expect((await grantUses.find(store, gid))?.value.issuedAt).toBe(older + 60)
  })

  it('but not when the new one was never seen', async () => {
    const { refreshToken, accessToken } = await begin()
    server.clock.advance(60)
    const next = await refresh(server.send, client, refreshToken)
    await ask(accessToken)
    server.clock.advance(121)
    const late = await refresh(server.send, client, refreshToken)
    expect(late.body.refresh_token).toBe(next.body.refresh_token)
  })
})

describe('the admin token', () => {
  it('opens the metrics, and nothing else does', async () => {
    const opened = await server.send('/metrics', { headers: bearer })
    expect(opened.status).toBe(200)
    expect(opened.headers.get('cache-control')).toBe('no-store')
    expect(await opened.text()).toContain('# TYPE')

    const { accessToken } = await begin()
    const wrong = [
      '',
      adminToken,
      `Bearer ${accessToken}`,
      `Bearer gha_${'b'.repeat(43)}`,
      'Bearer gha_',
    ]
    for (const authorization of [...wrong, `${bearer.authorization}a`, backend.authorization]) {
      const refused = await server.send('/metrics', { headers: { authorization } })
      expect(refused.status).toBe(401)
      expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="admin"')
    }
  })

  it('does not exist until the owner made one', async () => {
    const fresh = await startTestGatehouse()
    expect((await fresh.send('/metrics', { headers: bearer })).status).toBe(401)
    await fresh.close()
  })

  it('cannot be guessed for long (TK-20)', async () => {
    const limits = createLimits({ overrides: { 'client-auth': { points: 2, seconds: 60 } } })
    const limited = await startTestGatehouse({ store, clock: server.clock, limits })
    const guess = { authorization: `Bearer gha_${'b'.repeat(43)}` }
    const statuses = []
    for (let n = 0; n < 3; n++) {
      statuses.push((await limited.send('/metrics', { headers: guess })).status)
    }
    expect(statuses).toEqual([401, 401, 429])
    expect((await limited.send('/metrics', { headers: bearer })).status).toBe(200)
    await limited.close()
  })
})
