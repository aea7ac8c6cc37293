/** How long a provider stands behind a person: asked again when due, followed to the end of its token. */
import { describe, expect, it } from 'vitest'
import type { CustodyRules } from '../../src/identity/custody.ts'
import { toUpstreamKey } from '../../src/identity/login-key.ts'
import { grants } from '../../src/storage/records/grant.ts'
import { upstreamRevocations } from '../../src/storage/records/upstream-revocation.ts'
import { type User, users } from '../../src/storage/records/user.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import { failingStore } from '../helpers/failing-store.ts'
import { masterKey } from '../helpers/gatehouse.ts'
import { createCustodyHouse, resource, userId } from './custody-house.ts'

const rotating = 'rotating'
const hourly: CustodyRules = {
  reverifySeconds: 3600,
  lifetimeFollowsUpstream: false,
  backends: [{ resource }],
}
const following: CustodyRules = { lifetimeFollowsUpstream: true, backends: [{ resource }] }

/** A house in which Ada signed in so many seconds ago, with tokens that live a day. */
async function createAged(seconds: number, rules = hourly) {
  const house = await createCustodyHouse()
  house.provider.lifetimeSeconds = 86_400
  const custody = await house.start({ rules })
  await custody.keep(userId, rotating, house.provider.issue())
  house.clock.advance(seconds)
  return { ...house, custody, verify: () => custody.verify(userId, rotating) }
}

describe('a person who is verified again', () => {
  it('is not asked about before it is due, and then once', async () => {
    const { verify, provider, clock } = await createAged(3600)
    expect(await verify()).toEqual({})
    expect(provider.seen.ask).toBe(0)
    clock.advance(1)
    await verify()
    await verify()
    expect(provider.seen.ask).toBe(1)
    clock.advance(3600)
    await verify()
    expect(provider.seen.ask).toBe(1)
    clock.advance(1)
    await verify()
    expect(provider.seen.ask).toBe(2)
  })

  it('is asked about on time although the clock was moved back', async () => {
    const { verify, provider, clock } = await createAged(0)
    clock.advance(-40_000)
    await verify()
    expect(provider.seen.ask).toBe(1)
    await verify()
    expect(provider.seen.ask).toBe(1)
  })

  it('is asked about once for many who refresh in several processes', async () => {
    const { start, provider } = await createAged(3601)
    const processes = await Promise.all(Array.from({ length: 4 }, () => start({ rules: hourly })))
    await Promise.all(
      processes.flatMap((one) => Array.from({ length: 10 }, () => one.verify(userId, rotating))),
    )
    expect(provider.seen.ask).toBe(1)
  })

  it('who may no longer enter loses every grant of that provider, and its tokens are revoked', async () => {
    const { verify, provider, addGrant, store, ended } = await createAged(3601)
    await addGrant('one')
    await addGrant('two', { resource: 'https://mcp.example.com/other' })
    await addGrant('local', { upstream: 'local' })
    provider.mayEnter = false
    await expect(verify()).rejects.toMatchObject({
      code: 'invalid_grant',
      reason: 'upstream_not_admitted',
    })
    expect((await grants.list(store)).map(({ value }) => value.id)).toEqual(['local'])
    expect(ended.toSorted()).toEqual(['one', 'two'])
    expect(await upstreamRevocations.list(store)).toHaveLength(1)
    await expect(verify()).rejects.toMatchObject({ reason: 'upstream_not_admitted' })
    expect(provider.seen.ask).toBe(1)
  })

  it('and turns out to be somebody else may not enter (UP-08)', async () => {
    const { store, start, addGrant, findLink, ended, clock, upstream } = await createAged(3601)
    await addGrant('theirs')
    const sealer = await createSealer({ store, masterKey, clock })
    const person = (subject: string): User => ({
      id: userId,
      role: 'user',
      sealedProfile: '',
      upstream: rotating,
      lookupKey: toUpstreamKey({ sealer }, rotating, subject),
      createdAt: 0,
    })
    await store.commit({ set: [users.write(users.key(userId), person('1'))] })
    await (await start({ rules: hourly })).verify(userId, rotating)
    clock.advance(3601)
    const reverify = async () => ({ subject: '2', login: 'ada' })
    const other = await start({ rules: hourly, upstream: { ...upstream, reverify } })
    await expect(other.verify(userId, rotating)).rejects.toMatchObject({ code: 'invalid_grant' })
    expect(await findLink()).toMatchObject({ endedWhy: 'not_admitted' })
    expect(ended).toEqual(['theirs'])
  })

  it('while the provider is down is neither in nor out: 503', async () => {
    const { verify, provider, addGrant, store, clock } = await createAged(3601)
    await addGrant('stands')
    provider.fail('ask', 'before', 'before')
    await expect(verify()).rejects.toMatchObject({ status: 503 })
    await expect(verify()).rejects.toMatchObject({ reason: 'upstream_resting' })
    expect(provider.seen.ask).toBe(2)
    clock.advance(5)
    expect(await verify()).toEqual({})
    expect(await grants.list(store)).toHaveLength(1)
  })

  it('whose answer was lost is asked about once more', async () => {
    const { verify, provider } = await createAged(3601)
    provider.fail('ask', 'lost')
    expect(await verify()).toEqual({})
    expect(provider.seen.ask).toBe(2)
  })

  it('is asked about with a new token when the old one has ended', async () => {
    const { verify, provider } = await createAged(86_400)
    expect(await verify()).toEqual({})
    expect(provider.seen).toMatchObject({ refresh: 1, ask: 1 })
  })

  it('is asked about with a new token when the old one turns out to be dead', async () => {
    const { start, provider, clock } = await createCustodyHouse()
    provider.lifetimeSeconds = 86_400
    const custody = await start({ rules: hourly })
    await custody.keep(userId, rotating, { ...provider.issue(), accessToken: 'dead-already' })
    clock.advance(3601)
    expect(await custody.verify(userId, rotating)).toEqual({})
    expect(provider.seen).toMatchObject({ ask: 2, refresh: 1 })
  })

  it('must sign in again when the provider forgot us', async () => {
    const { verify, provider, addGrant, store } = await createAged(3601)
    await addGrant('one')
    provider.forget()
    await expect(verify()).rejects.toMatchObject({
      code: 'invalid_grant',
      reason: 'upstream_tokens_refused',
    })
    expect(await grants.list(store)).toEqual([])
  })

  it('must sign in again when there is nothing to ask with, and the log can tell', async () => {
    const { start, clock, upstream } = await createCustodyHouse()
    const custody = await start({ rules: hourly })
    await expect(custody.verify(userId, rotating)).rejects.toMatchObject({
      reason: 'upstream_link_missing',
    })
    await custody.keep(userId, rotating, undefined)
    expect(await custody.verify(userId, rotating)).toEqual({})
    clock.advance(3601)
    await expect(custody.verify(userId, rotating)).rejects.toMatchObject({
      code: 'invalid_grant',
      reason: 'upstream_unverifiable',
    })
    const { reverify: _, ...mute } = upstream
    const silent = await start({ rules: hourly, upstream: mute })
    await expect(silent.verify(userId, rotating)).rejects.toMatchObject({
      reason: 'upstream_unverifiable',
    })
  })

  it('by a provider that spends the refresh token on it is kept with the new tokens', async () => {
    const { start, provider, upstream, clock } = await createCustodyHouse()
    provider.lifetimeSeconds = 86_400
    const next = provider.issue()
    const spending = {
      ...upstream,
      reverify: async () => ({ subject: '1', login: 'ada', tokens: next }),
    }
    const custody = await start({ rules: hourly, upstream: spending })
    await custody.keep(userId, rotating, provider.issue())
    clock.advance(3601)
    await custody.verify(userId, rotating)
    expect(await custody.findAccessToken(userId, rotating)).toBe(next.accessToken)
  })

  it('through any fault of the store gets 503 or an answer, and stays in', async () => {
    for (const point of ['before', 'after', 'lost'] as const) {
      for (let nth = 1; nth <= 6; nth++) {
        const { start, store, provider } = await createAged(3601)
        const faulty = failingStore(store)
        const custody = await start({ rules: hourly, around: () => faulty })
        faulty.failAt(nth, point)
        const [first] = await Promise.allSettled([custody.verify(userId, rotating)])
        if (first?.status === 'rejected') expect(first.reason).toMatchObject({ status: 503 })
        faulty.heal()
        expect(await custody.verify(userId, rotating), `${point} ${nth}`).toEqual({})
        expect(provider.seen.ask, `${point} ${nth}`).toBe(1)
      }
    }
  })
})

describe('a lifetime that follows the provider', () => {
  it('ends with its access token, which is refreshed when it must be', async () => {
    const { verify, clock, provider } = await createAged(0, following)
    const until = clock.now() + 86_400
    expect(await verify()).toEqual({ until })
    clock.advance(86_400)
    expect(await verify()).toEqual({ until: until + 86_400 })
    expect(provider.seen.refresh).toBe(1)
  })

  it('ends for good when the provider refuses', async () => {
    const { verify, clock, provider, addGrant, store } = await createAged(0, following)
    await addGrant('one')
    clock.advance(86_400)
    provider.forget()
    await expect(verify()).rejects.toMatchObject({ reason: 'upstream_tokens_refused' })
    expect(await grants.list(store)).toEqual([])
  })

  it('has no end where the provider names none or gives no tokens', async () => {
    const { start, provider } = await createCustodyHouse()
    const custody = await start({ rules: following })
    await custody.keep(userId, rotating, undefined)
    expect(await custody.verify(userId, rotating)).toEqual({})
    provider.lifetimeSeconds = undefined
    await custody.keep(userId, rotating, provider.issue())
    expect(await custody.verify(userId, rotating)).toEqual({})
  })
})

describe('without reverification and lifetime', () => {
  it('nothing is read', async () => {
    const { start, store } = await createCustodyHouse()
    const counted = failingStore(store)
    const rules = { lifetimeFollowsUpstream: false, backends: [{ resource }] }
    const custody = await start({ rules, around: () => counted })
    counted.heal()
    expect(await custody.verify(userId, rotating)).toEqual({})
    expect(counted.operations).toEqual([])
  })

  it.each(['github', 'local'])(
    'a way in that was switched off, %s, is closed (UP-12)',
    async (id) => {
      const { start } = await createCustodyHouse()
      const rules = { lifetimeFollowsUpstream: false, backends: [{ resource }] }
      const custody = await start({ rules })
      await expect(custody.verify(userId, id)).rejects.toMatchObject({
        code: 'invalid_grant',
        reason: 'upstream_gone',
      })
    },
  )
})
