/** grant_type=refresh_token (catalogue §10, decision P3 with the windows of design §1). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/storage/memory.ts'
import { clients } from '../../src/storage/records/client.ts'
import { families } from '../../src/storage/records/family.ts'
import { endedGrants, grants, grantUses } from '../../src/storage/records/grant.ts'
import type { Store } from '../../src/storage/store.ts'
import { hashRefreshToken, mintRefreshToken } from '../../src/tokens/refresh-token.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import {
  postForm,
  type Registered,
  readClaims,
  redeem,
  refresh,
  registerClient,
  type TokenAnswer,
} from '../helpers/oauth-client.ts'
import { createPerson, type Person } from '../helpers/person.ts'
import { expectError } from '../helpers/token-error.ts'
import { verifiesThat } from '../verifies.ts'

const minute = 60
const hour = 3600
const day = 86_400
const lifetimes = { sessionSeconds: 4000 * day }

let store: Store
let server: TestGatehouse
let other: TestGatehouse
let person: Person
let client: Registered
beforeAll(async () => {
  const clock = testClock()
  store = memoryStore({ clock })
  server = await startTestGatehouse({ store, clock, lifetimes })
  other = await startTestGatehouse({ store, clock, lifetimes })
  person = await createPerson(server)
  client = await registerClient(server.send)
})
afterAll(async () => {
  await server.close()
  await other.close()
})

/** A grant with its first tokens. */
async function begin(extra: Record<string, string | undefined> = {}) {
  const { body } = await redeem(server.send, client, await person.authorize(client, extra))
  const token = body.refresh_token ?? ''
  return { token, accessToken: body.access_token, gid: String(readClaims(body.access_token).gid) }
}

/** Refreshes and expects tokens. */
async function rotate(token: string | undefined, at = server): Promise<TokenAnswer['body']> {
  const { status, body } = await refresh(at.send, client, token)
  expect(status).toBe(200)
  return body
}

/** What the gate writes when it sees an access token. */
async function recordUse(gid: string, issuedAt = server.clock.now()): Promise<void> {
  const expiresAt = server.clock.now() + day
  await store.commit({ set: [grantUses.write(grantUses.key(gid), { issuedAt }, expiresAt)] })
}

/** What the gate says to a token: 502, because nobody runs the backend, or 401. */
async function knock(token: string | undefined): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return (await server.send('/mcp', { method: 'POST', headers, body: '{}' })).status
}

async function expectEnded(gid: string): Promise<void> {
  expect(await families.find(store, gid)).toBeUndefined()
  expect(await grants.find(store, gid)).toBeUndefined()
  expect(await endedGrants.find(store, gid)).toBeDefined()
}

function eventsOf(gid: string): string[] {
  return server.audit.filter((event) => event.grantId === gid).map((event) => event.event)
}

describe('a refresh', () => {
  it('rotates: both tokens are new, the grant stays (D20, X1)', async () => {
    const { token, accessToken, gid } = await begin({ scope: 'notes:write notes:read' })
    server.clock.advance(30 * minute)
    const { status, headers, body } = await refresh(server.send, client, token)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('pragma')).toBe('no-cache')
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: expect.stringMatching(/^ghr_/),
      scope: 'notes:write notes:read',
    })
    expect(body.refresh_token).not.toBe(token)
    const [first, second] = [readClaims(accessToken), readClaims(body.access_token)]
    const now = server.clock.now()
    expect(second).toEqual({ ...first, iat: now, exp: now + 3600, jti: second.jti })
    expect(second.jti).not.toBe(first.jti)
    expect(eventsOf(gid).filter((event) => event === 'token.refreshed')).toHaveLength(1)
  })

  it('may narrow the scope for one access token (RF-12)', async () => {
    const { token } = await begin({ scope: 'notes:read notes:write' })
    const narrowed = await refresh(server.send, client, token, { scope: 'notes:read' })
    expect(narrowed.body.scope).toBe('notes:read')
    expect(readClaims(narrowed.body.access_token).scope).toBe('notes:read')
    const whole = await rotate(narrowed.body.refresh_token)
    expect(whole.scope).toBe('notes:read notes:write')
  })

  it('may repeat what the client once asked for and never got', async () => {
    const { token } = await begin({ scope: 'openid email notes:read offline_access' })
    const scope = 'openid email notes:read offline_access'
    const again = await refresh(server.send, client, token, { scope })
    expect(again.status).toBe(200)
    expect(String(again.body.scope).split(' ')).toContain('notes:read')
    expect(again.body.scope).not.toContain('openid')
  })

  it.each([
    ['scope that nobody ever asked for', { scope: 'notes:read notes:write' }, 'invalid_scope'],
    ['malformed scope', { scope: 'notes:"read"' }, 'invalid_scope'],
    ['resource of another server', { resource: 'https://evil.example/mcp' }, 'invalid_target'],
  ])('for a %s is refused and writes nothing (RF-12)', async (_, extra, code) => {
    const { token, gid } = await begin()
    const before = await families.find(store, gid)
    expectError(await refresh(server.send, client, token, extra), code)
    expect(await families.find(store, gid)).toEqual(before)
    await rotate(token)
  })

  it('for another resource of ours is refused, and for its own it may be named (RF-12)', async () => {
    const backends = [
      { id: 'mcp', to: 'http://127.0.0.1:9/mcp' },
      { id: 'b', path: '/b', to: 'http://127.0.0.1:9/mcp' },
    ]
    const two = await startTestGatehouse({ store, clock: server.clock, lifetimes, backends })
    const { token } = await begin()
    const elsewhere = { resource: `${server.issuer}/b` }
    expectError(await refresh(two.send, client, token, elsewhere), 'invalid_target')
    const here = { resource: `${server.issuer}/mcp` }
    const { status, body } = await refresh(two.send, client, token, here)
    expect(status).toBe(200)
    expect(readClaims(body.access_token).aud).toBe(here.resource)
    await two.close()
  })

  it('by another client is refused, and the owner notices nothing (RF-10, TK-12)', async () => {
    const thief = await registerClient(server.send)
    const { token } = await begin()
    const next = await rotate(token)
    server.clock.advance(2 * day)
    for (const stolen of [token, next.refresh_token]) {
      expectError(await refresh(server.send, thief, stolen), 'invalid_grant')
    }
    await rotate(next.refresh_token)
  })
})

describe('a lost response', () => {
  it.each([
    ['a second', 1],
    ['the whole grace', 2 * minute],
    ['ten minutes', 10 * minute],
    ['five hours', 5 * hour],
    ['a day', day],
  ])('is repeated for %s: the same successor again (RF-01)', async (_, seconds) => {
    const { token, gid } = await begin()
    const lost = await rotate(token)
    server.clock.advance(seconds)
    const repeated = await rotate(token)
    expect(repeated.refresh_token).toBe(lost.refresh_token)
    expect(readClaims(repeated.access_token)).toMatchObject({ gid, iat: server.clock.now() })
    await rotate(repeated.refresh_token)
    expect(eventsOf(gid)).toContain('token.retried')
  })

  it('is repeated no longer than a day (RF-01, RF-04)', async () => {
    const { token, gid } = await begin()
    await rotate(token)
    server.clock.advance(day + 1)
    expectError(await refresh(server.send, client, token), 'invalid_grant')
    await expectEnded(gid)
  })

  it('is repeated although the old access token is still in use', async () => {
    const { token, gid } = await begin()
    const issuedAt = server.clock.now()
    server.clock.advance(10 * minute)
    const lost = await rotate(token)
    server.clock.advance(10 * minute)
    await recordUse(gid, issuedAt)
    expect((await rotate(token)).refresh_token).toBe(lost.refresh_token)
  })

  it('is repeated for five minutes where backends verify tokens themselves', async () => {
    const backends = [{ name: 'Notes' }]
    const alone = await startTestGatehouse({ store, clock: server.clock, lifetimes, backends })
    const [inTime, late] = [await begin(), await begin()]
    const lost = await rotate(inTime.token, alone)
    await rotate(late.token, alone)
    server.clock.advance(5 * minute)
    expect((await rotate(inTime.token, alone)).refresh_token).toBe(lost.refresh_token)
    server.clock.advance(1)
    expectError(await refresh(alone.send, client, late.token), 'invalid_grant')
    await expectEnded(late.gid)
    await alone.close()
  })

  it('costs one grant and no more when its record was damaged (SG-11)', async () => {
    const [damaged, sound] = [await begin(), await begin()]
    const lost = await rotate(damaged.token)
    const next = await rotate(sound.token)
    const [mine, theirs] = [
      await families.find(store, damaged.gid),
      await families.find(store, sound.gid),
    ]
    if (!mine || !theirs) throw new Error('The families are gone')
    const { sealedSuccessor = '' } = theirs.value
    for (const swapped of [sealedSuccessor, 'v1.AAAA.AAAA', '']) {
      const family = { ...mine.value, sealedSuccessor: swapped }
      await store.commit({ set: [families.write(mine.key, family, family.idleExpiresAt)] })
      expectError(await refresh(server.send, client, damaged.token), 'invalid_grant')
    }
    expect(server.log.lines).toContainEqual(expect.objectContaining({ level: 'error' }))
    await rotate(lost.refresh_token)
    expect((await rotate(sound.token)).refresh_token).toBe(next.refresh_token)
  })
})

describe('many processes with one token', () => {
  it('all get the same successor, at two instances (RF-02)', async () => {
    const { token } = await begin()
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => refresh((n % 2 ? server : other).send, client, token)),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1)
    await rotate(answers[0]?.body.refresh_token)
  })

  it('still do within the grace when the first one already uses its tokens (RF-02)', async () => {
    const { token, gid } = await begin()
    const first = await rotate(token)
    expect(await knock(first.access_token)).toBe(502)
    await recordUse(gid)
    server.clock.advance(2 * minute)
    expect((await rotate(token)).refresh_token).toBe(first.refresh_token)
  })
})

describe('a token that comes back too late', () => {
  it('after the grace, when the new access token was used, ends the grant (RF-04, X1)', async () => {
    const { token, gid } = await begin()
    const next = await rotate(token)
    await recordUse(gid)
    server.clock.advance(2 * minute + 1)
    expect(await knock(next.access_token)).toBe(502)
    expectError(await refresh(server.send, client, token), 'invalid_grant')
    await expectEnded(gid)
    expectError(await refresh(server.send, client, next.refresh_token), 'invalid_grant')
    expect(await knock(next.access_token)).toBe(401)
    expect(eventsOf(gid)).toEqual(expect.arrayContaining(['grant.ended', 'token.reused']))
  })

  it('is caught by what the gate itself saw (RF-04)', async () => {
    const { token, gid } = await begin()
    const next = await rotate(token)
    expect(await knock(next.access_token)).toBe(502)
    await expect.poll(() => grantUses.find(store, gid)).toBeDefined()
    server.clock.advance(2 * minute + 1)
    expectError(await refresh(server.send, client, token), 'invalid_grant')
    await expectEnded(gid)
  })

  it('from two rotations ago ends the grant even within the grace (RF-05)', async () => {
    const { token, gid } = await begin()
    const second = await rotate(token)
    const third = await rotate(second.refresh_token)
    expectError(await refresh(server.send, client, token), 'invalid_grant')
    await expectEnded(gid)
    expectError(await refresh(server.send, client, third.refresh_token), 'invalid_grant')
  })

  it('is not excused any longer for having been repeated (RF-06)', async () => {
    const { token, gid } = await begin()
    await rotate(token)
    await recordUse(gid)
    for (const seconds of [60, 59, 1]) {
      server.clock.advance(seconds)
      await rotate(token)
    }
    server.clock.advance(1)
    expectError(await refresh(server.send, client, token), 'invalid_grant')
    await expectEnded(gid)
  })

  it('is refused and ends nothing where the owner chose that (RF-04)', async () => {
    const mild = await startTestGatehouse({
      store,
      clock: server.clock,
      lifetimes,
      refresh: { onReuse: 'refuse' },
    })
    const { token, gid } = await begin()
    const next = await rotate(token, mild)
    await recordUse(gid)
    server.clock.advance(hour)
    expectError(await refresh(mild.send, client, token), 'invalid_grant')
    expect(mild.audit.map(({ event }) => event)).toContain('token.reused')
    await rotate(next.refresh_token, mild)
    await mild.close()
  })

  it('ends nothing when somebody made it up from a grant id (RF-04, CD-07)', async () => {
    const { token, gid } = await begin()
    const next = await rotate(token)
    server.clock.advance(2 * day)
    const [, , secret = '', tag = ''] = /^ghr_(.{22})_(.{43})_(.{22})$/.exec(token) ?? []
    const elsewhere = await begin()
    const madeUp = [
      `ghr_${gid}_${'s'.repeat(43)}_${'t'.repeat(22)}`,
      `ghr_${gid}_${'s'.repeat(43)}_${tag}`,
      `ghr_${gid}_${secret}_${'t'.repeat(22)}`,
      elsewhere.token.replace(elsewhere.gid, gid),
    ]
    for (const guess of madeUp) {
      expectError(await refresh(server.send, client, guess), 'invalid_grant')
    }
    await rotate(next.refresh_token)
  })
})

describe('a dead refresh token', () => {
  it('is invalid_grant whatever it died of, in the same words (TK-21, TK-22)', async () => {
    const { token, gid } = await begin()
    const unknown = mintRefreshToken('A'.repeat(22), server.gatehouse.context)
    const answers = [await refresh(server.send, client, unknown)]
    for (const text of ['x', token.slice(0, -1), `${token}x`, `${token.slice(0, -1)}*`]) {
      answers.push(await refresh(server.send, client, text))
    }
    const stranger = await registerClient(server.send)
    answers.push(await refresh(server.send, stranger, token))
    await server.send('/revoke', {
      method: 'POST',
      body: new URLSearchParams({ token, client_id: client.client_id }),
    })
    answers.push(await refresh(server.send, client, token))
    await expectEnded(gid)
    for (const answer of answers) expectError(answer, 'invalid_grant')
    expect(new Set(answers.map(({ body }) => body.error_description)).size).toBe(1)
  })

  it('dies of thirty days without use, and lives on by use (RF-14)', async () => {
    const [idle, used] = [await begin(), await begin()]
    let { token } = used
    for (let round = 0; round < 3; round++) {
      server.clock.advance(29 * day)
      token = (await rotate(token)).refresh_token ?? ''
    }
    expectError(await refresh(server.send, client, idle.token), 'invalid_grant')
    server.clock.advance(30 * day - 1)
    token = (await rotate(token)).refresh_token ?? ''
    server.clock.advance(30 * day)
    expectError(await refresh(server.send, client, token), 'invalid_grant')
  })

  it('dies with its grant after a year, whose last tokens end with it (RF-14)', async () => {
    const { token: first, gid } = await begin()
    let token = first
    for (let month = 0; month < 13; month++) {
      server.clock.advance(28 * day)
      token = (await rotate(token)).refresh_token ?? ''
    }
    server.clock.advance(day - 30)
    const last = await rotate(token)
    expect(last.expires_in).toBe(30)
    const end = server.clock.now() + 30
    expect((await families.find(store, gid))?.value.idleExpiresAt).toBe(end)
    server.clock.advance(29)
    expect((await rotate(last.refresh_token)).expires_in).toBe(1)
    server.clock.advance(1)
    expectError(await refresh(server.send, client, last.refresh_token), 'invalid_grant')
  })

  it('dies with its user (RF-15, RF-16)', async () => {
    // Days have passed on the clock that no timer saw; a process that slept looks at its keys first.
    await server.gatehouse.context.sealer.reread()
    const leaver = await createPerson(server, 'leaver@example.com')
    const { body } = await redeem(server.send, client, await leaver.authorize(client))
    await server.gatehouse.context.users.remove(leaver.userId)
    expectError(await refresh(server.send, client, body.refresh_token), 'invalid_grant')
  })

  it('dies with its client, who hears that it must register (RF-16, H8)', async () => {
    const gone = await registerClient(server.send)
    const { body } = await redeem(server.send, gone, await person.authorize(gone))
    await store.commit({ delete: [clients.key(gone.client_id)] })
    const answer = await refresh(server.send, gone, body.refresh_token)
    expect(answer.status).toBe(401)
    expect(answer.body.error).toBe('invalid_client')
  })

  it('stays dead over a restart (RF-09)', async () => {
    const { token, gid } = await begin()
    const next = await rotate(token)
    const fields = { token, client_id: client.client_id }
    await postForm(server.send, '/revoke', fields)
    const again = await startTestGatehouse({ store, clock: server.clock, lifetimes })
    for (const dead of [token, next.refresh_token]) {
      expectError(await refresh(again.send, client, dead), 'invalid_grant')
    }
    await expectEnded(gid)
    await again.close()
  })
})

describe('a refresh that races with a revocation', () => {
  const orders = [
    ['refresh first', 0],
    ['revocation first', 1],
  ] as const

  it.each(orders)('leaves nothing alive, %s (RF-07)', async (_, reversed) => {
    for (let round = 0; round < 10; round++) {
      const { token, gid } = await begin()
      const fields = { token, client_id: client.client_id }
      const revoking = () => postForm(server.send, '/revoke', fields)
      const refreshing = () => refresh(other.send, client, token)
      const running = reversed
        ? [revoking(), refreshing(), refreshing()]
        : [refreshing(), refreshing(), revoking()]
      const answers = await Promise.all(running)
      await expectEnded(gid)
      for (const { body } of answers) {
        if (body.refresh_token === undefined) continue
        expectError(await refresh(server.send, client, body.refresh_token), 'invalid_grant')
        expect(await knock(body.access_token)).toBe(401)
      }
      expectError(await refresh(server.send, client, token), 'invalid_grant')
    }
  })
})

describe('a refresh that races with the removal of its user', () => {
  it('leaves nothing alive (RF-15, RF-16)', async () => {
    const leaver = await createPerson(server, 'racing-leaver@example.com')
    const codes = [await leaver.authorize(client), await leaver.authorize(client)]
    const granted = await Promise.all(codes.map((code) => redeem(server.send, client, code)))
    const tokens = granted.map(({ body }) => body.refresh_token)
    const [first, second] = await Promise.all([
      refresh(server.send, client, tokens[0]),
      refresh(other.send, client, tokens[1]),
      server.gatehouse.context.users.remove(leaver.userId),
    ])
    for (const token of [...tokens, first.body.refresh_token, second.body.refresh_token]) {
      if (token === undefined) continue
      expectError(await refresh(server.send, client, token), 'invalid_grant')
    }
  })
})

describe('what the store keeps', () => {
  it('of refresh tokens is their hash (SG-14)', async () => {
    const { token, gid } = await begin()
    const next = await rotate(token)
    const [entry] = await store.get([families.key(gid)])
    expect(entry?.value).toContain(hashRefreshToken(next.refresh_token ?? ''))
    expect(entry?.value).not.toContain(String(next.refresh_token).slice(27))
    expect(entry?.value).not.toContain(token.slice(27))
  })

  verifiesThat('A5', 'everything of a grant is gone when its time is over', async () => {
    const { token, gid } = await begin()
    await rotate(token)
    await recordUse(gid)
    server.clock.advance(400 * day)
    await store.sweep(100_000)
    const lists = ['user-grant/', 'client-grant/']
    for (const prefix of ['code/', 'grant/', 'family/', 'ended/', 'used/', ...lists]) {
      expect(await store.list(prefix)).toEqual([])
    }
  })
})

it('repeats nothing whose time ran out while the request waited (RF-05)', async () => {
  const clock = testClock()
  const calm = memoryStore({ clock })
  let isLate = false
  const slow: Store = {
    ...calm,
    get: async (keys) => {
      if (isLate && keys.some((key) => key.startsWith('user/'))) clock.advance(300 * day)
      return calm.get(keys)
    },
  }
  const site = await startTestGatehouse({ store: slow, clock, lifetimes })
  const ada = await createPerson(site)
  const known = await registerClient(site.send)
  const { body } = await redeem(site.send, known, await ada.authorize(known))
  expect((await refresh(site.send, known, body.refresh_token)).status).toBe(200)
  isLate = true
  expectError(await refresh(site.send, known, body.refresh_token), 'invalid_grant')
  await site.close()
})
