/** `forward: upstream-token`: the backend gets the user's token at the provider, and only that one. */
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/storage/memory.ts'
import { failingStore } from '../helpers/failing-store.ts'
import { startTestGatehouse, testClock } from '../helpers/gatehouse.ts'
import { instantUpstream } from '../helpers/instant-upstream.ts'
import { startCustodySite } from '../server/custody-site.ts'

const forward = { forward: 'upstream-token' } as const

describe('a backend that gets the upstream token', () => {
  it('gets the token of the provider and never ours (RS-07)', async () => {
    const site = await startCustodySite({ backend: forward })
    const { accessToken } = await site.connect()
    const answer = await site.call(accessToken)
    expect(answer.status).toBe(200)
    expect(site.lastAuthorization()).toMatch(/^Bearer upstream-access-token-1-/)
    expect(JSON.stringify(site.backend.seen)).not.toContain(accessToken)
    expect(JSON.stringify([...answer.headers])).not.toContain('upstream-access-token')
  })

  it('gets it beside what it is told of the caller', async () => {
    const site = await startCustodySite({ backend: { ...forward, identity: 'headers' } })
    const { accessToken } = await site.connect()
    await site.call(accessToken)
    expect(site.backend.seen.at(-1)?.headers).toMatchObject({
      authorization: expect.stringMatching(/^Bearer upstream-access-token/),
      'x-forwarded-preferred-username': 'ada',
    })
  })

  it('gets nothing unless it is configured to', async () => {
    const site = await startCustodySite()
    const { accessToken } = await site.connect()
    expect((await site.call(accessToken)).status).toBe(200)
    expect(site.lastAuthorization()).toBeUndefined()
  })

  it('gets a new one before the old one ends, and no call waits for the store meanwhile', async () => {
    const clock = testClock()
    const store = failingStore(memoryStore({ clock }))
    const site = await startCustodySite({ backend: forward, store })
    site.provider.lifetimeSeconds = 600
    const { accessToken } = await site.connect()
    await site.call(accessToken)
    const first = site.lastAuthorization()
    store.heal()
    for (let call = 0; call < 10; call++) await site.call(accessToken)
    expect(store.operations).toEqual([])
    site.clock.advance(540)
    await Promise.all(Array.from({ length: 20 }, () => site.call(accessToken)))
    expect(site.lastAuthorization()).toMatch(/^Bearer upstream-access-token-2-/)
    expect(site.lastAuthorization()).not.toBe(first)
    expect(site.provider.seen.refresh).toBe(1)
  })
})

describe('a caller whose token at the provider is gone', () => {
  it('is asked to sign in again: 401 with the challenge, and the refresh token is dead too', async () => {
    const site = await startCustodySite({ backend: forward })
    const connected = await site.connect()
    site.provider.forget()
    site.clock.advance(3590)
    const answer = await site.call(connected.accessToken)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer resource_metadata=.*error="invalid_token"/,
    )
    expect(site.backend.seen).toEqual([])
    expect(site.audit.at(-1)).toMatchObject({
      event: 'gate.refused',
      reason: 'upstream_tokens_refused',
    })
    expect((await connected.refresh()).body).toMatchObject({ error: 'invalid_grant' })
    site.clock.advance(1)
    const again = await site.connect()
    expect((await site.call(again.accessToken)).status).toBe(200)
  })

  it('is led through the provider then, although a session was open', async () => {
    const site = await startCustodySite({ backend: forward })
    const browser = site.browser()
    await site.walk(browser, 'client')
    await site.walk(browser, 'client')
    expect(site.provider.seen.enter).toBe(1)
    const { accessToken } = await site.connect()
    site.provider.forget()
    site.clock.advance(3590)
    await site.call(accessToken)
    expect(site.provider.seen.enter).toBe(2)
    const back = await site.walk(browser, 'client')
    expect(back.url.searchParams.has('code')).toBe(true)
    expect(site.provider.seen.enter).toBe(3)
  })

  it('waits with 503 while the provider is down, and keeps everything', async () => {
    const site = await startCustodySite({ backend: forward })
    site.provider.lifetimeSeconds = 600
    const connected = await site.connect()
    site.clock.advance(600)
    site.provider.fail('refresh', 'before', 'before')
    const answer = await site.call(connected.accessToken)
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('2')
    expect(answer.headers.has('www-authenticate')).toBe(false)
    site.clock.advance(5)
    expect((await site.call(connected.accessToken)).status).toBe(200)
    expect((await connected.refresh()).status).toBe(200)
  })

  it('is refused with 403 when no sign-in of theirs could bring one', async () => {
    const site = await startCustodySite({ backend: forward, localSignIn: true })
    const { users, accessTokens } = site.gatehouse.context
    const user = await users.findByLogin('ada@example.com')
    const accessToken = await accessTokens.mint(
      {
        sub: user?.record.value.id ?? '',
        aud: `${site.issuer}/mcp`,
        client_id: 'c',
        scope: 'notes:read',
        gid: await addLocalGrant(),
      },
      60,
    )
    const answer = await site.call(accessToken)
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain('needs a sign-in at an identity provider')

    async function addLocalGrant(): Promise<string> {
      const { toGrantWrites } = await import('../../src/storage/records/grant.ts')
      const { store, clock } = site.gatehouse.context
      const grant = {
        id: 'local-grant',
        userId: user?.record.value.id ?? '',
        upstream: 'local',
        clientId: 'c',
        resource: `${site.issuer}/mcp`,
        scope: 'notes:read',
        requestedScope: 'notes:read',
        createdAt: clock.now(),
        expiresAt: clock.now() + 600,
        storedUntil: clock.now() + 600,
      }
      await store.commit({ set: toGrantWrites(grant) })
      return grant.id
    }
  })
})

describe('what may get an upstream token', () => {
  const upstreams = [instantUpstream(() => 'https://mcp.example.com')]
  const start = (backend: object, others = upstreams) =>
    startTestGatehouse({ backends: [{ ...forward, ...backend }], upstreams: others })

  it.each([
    'https://notes.example.com/mcp',
    'http://127.0.0.1:9/mcp',
    'http://localhost:9/mcp',
    'http://[::1]:9/mcp',
  ])('is %s', async (to) => {
    await (await start({ to })).close()
  })

  it.each([
    ['http://notes.example.com/mcp', {}, /needs https/],
    ['http://10.0.0.1/mcp', {}, /needs https/],
    ['https://notes.example.com/mcp', { headers: { Authorization: 'Basic x' } }, /contradicts/],
    [undefined, {}, /needs a "to"/],
  ])('is not %s with %j', async (to, more, problem) => {
    await expect(start({ ...(to && { to }), ...more })).rejects.toThrow(problem)
    await expect(start({ ...(to && { to }), ...more })).rejects.toBeInstanceOf(TypeError)
  })

  it('is nobody without an identity provider', async () => {
    await expect(start({ to: 'https://notes.example.com/mcp' }, [])).rejects.toThrow(
      /needs an identity provider/,
    )
  })
})
