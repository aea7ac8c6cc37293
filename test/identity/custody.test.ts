/** The providers' tokens: kept sealed, refreshed once, ended when refused, untouched by what will pass. */
import { describe, expect, it } from 'vitest'
import type { Custody } from '../../src/identity/custody.ts'
import { leaseSeconds } from '../../src/identity/custody-lease.ts'
import { grants } from '../../src/storage/records/grant.ts'
import { links } from '../../src/storage/records/link.ts'
import { sessions, userSessions } from '../../src/storage/records/session.ts'
import { upstreamRevocations } from '../../src/storage/records/upstream-revocation.ts'
import { removedUsers } from '../../src/storage/records/user.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import { resealSlice, rotateDataKey } from '../../src/storage/sealed-rotation.ts'
import { failingStore } from '../helpers/failing-store.ts'
import { masterKey } from '../helpers/gatehouse.ts'
import { createCustodyHouse, forwarding, resource, userId } from './custody-house.ts'

const rotating = 'rotating'
const find = (custody: Custody) => custody.findAccessToken(userId, rotating)

/** A house in which Ada has signed in, and her access token has just ended. */
async function createExpired() {
  const house = await createCustodyHouse()
  const custody = await house.start()
  await custody.keep(userId, rotating, house.provider.issue())
  house.clock.advance(3600)
  return { ...house, custody }
}

describe('what is kept of a sign-in', () => {
  it('is sealed and nowhere in the clear (UP-23)', async () => {
    const { start, provider, store } = await createCustodyHouse()
    const custody = await start()
    const tokens = provider.issue()
    await custody.keep(userId, rotating, tokens)
    const dump = JSON.stringify(await store.list('', { limit: 1000 }))
    expect(dump).toContain('link/')
    expect(dump).not.toContain(tokens.accessToken)
    expect(dump).not.toContain(tokens.refreshToken)
    expect(await find(custody)).toBe(tokens.accessToken)
  })

  it('is nothing when nothing needs it', async () => {
    const { start, provider, upstream, findLink } = await createCustodyHouse()
    const rules = { ...forwarding, backends: [{ resource }] }
    const { revoke: _, ...mute } = upstream
    const custody = await start({ rules, upstream: mute })
    await custody.keep(userId, rotating, provider.issue())
    expect(await findLink()).toBeUndefined()
    const revoking = await start({ rules })
    await revoking.keep(userId, rotating, provider.issue())
    expect(await findLink()).toBeDefined()
  })

  it('takes the place of what was there, but for a refresh token that is not given again', async () => {
    const { start, provider, clock } = await createCustodyHouse()
    const custody = await start()
    await custody.keep(userId, rotating, provider.issue())
    const { accessToken, expiresAt } = provider.issue()
    await custody.keep(userId, rotating, { accessToken, ...(expiresAt && { expiresAt }) })
    expect(await find(custody)).toBe(accessToken)
    clock.advance(3600)
    expect(provider.isLive(await find(custody))).toBe(true)
    expect(provider.seen.refresh).toBe(1)
  })

  it('is nothing for somebody who was removed meanwhile', async () => {
    const { start, provider, store, findLink } = await createCustodyHouse()
    await store.commit({ set: [removedUsers.write(removedUsers.key(userId), { at: 1 })] })
    await (await start()).keep(userId, rotating, provider.issue())
    expect(await findLink()).toBeUndefined()
  })
})

describe('an access token', () => {
  it('costs no store read while it is fresh, for a minute at a time', async () => {
    const { start, provider, store, clock } = await createCustodyHouse()
    const counted = failingStore(store)
    const custody = await start({ around: () => counted })
    await custody.keep(userId, rotating, provider.issue())
    await find(custody)
    counted.heal()
    for (let call = 0; call < 20; call++) await find(custody)
    expect(counted.operations).toEqual([])
    clock.advance(60)
    await find(custody)
    expect(counted.operations).toHaveLength(1)
    expect(provider.seen.refresh).toBe(0)
  })

  it('is refreshed a minute before it ends', async () => {
    const { start, provider, clock } = await createCustodyHouse()
    const custody = await start()
    const { accessToken } = provider.issue()
    await custody.keep(userId, rotating, { ...provider.issue(), accessToken })
    clock.advance(3539)
    expect(await find(custody)).toBe(accessToken)
    clock.advance(1)
    expect(await find(custody)).not.toBe(accessToken)
    expect(provider.seen.refresh).toBe(1)
  })

  it('is refreshed once for fifty who ask in each of eight processes (UP-16)', async () => {
    const { start, provider, clock } = await createCustodyHouse()
    const processes = await Promise.all(Array.from({ length: 8 }, () => start()))
    await processes[0]?.keep(userId, rotating, provider.issue())
    clock.advance(3600)
    const asked = processes.flatMap((one) => Array.from({ length: 50 }, () => find(one)))
    const tokens = new Set(await Promise.all(asked))
    expect(tokens.size).toBe(1)
    expect(provider.isLive([...tokens][0] ?? '')).toBe(true)
    expect(provider.seen.refresh).toBe(1)
  })

  it('that never ends is used for ever', async () => {
    const { start, provider, clock } = await createCustodyHouse()
    provider.lifetimeSeconds = undefined
    const custody = await start()
    const tokens = provider.issue()
    await custody.keep(userId, rotating, tokens)
    clock.advance(365 * 86_400)
    expect(await find(custody)).toBe(tokens.accessToken)
    expect(provider.seen.refresh).toBe(0)
  })

  it('that lives for seconds is refreshed when half of them are over', async () => {
    const { start, provider, clock } = await createCustodyHouse()
    provider.lifetimeSeconds = 30
    const custody = await start()
    await custody.keep(userId, rotating, provider.issue())
    clock.advance(14)
    await find(custody)
    expect(provider.seen.refresh).toBe(0)
    clock.advance(1)
    await find(custody)
    expect(provider.seen.refresh).toBe(1)
  })

  it('without a refresh token is used to its end, and then asks for a new sign-in', async () => {
    const { start, provider, clock } = await createCustodyHouse()
    const custody = await start()
    const { refreshToken: _, ...bare } = provider.issue()
    await custody.keep(userId, rotating, bare)
    clock.advance(3599)
    expect(await find(custody)).toBe(bare.accessToken)
    clock.advance(1)
    await expect(find(custody)).rejects.toMatchObject({
      code: 'invalid_grant',
      reason: 'upstream_token_expired',
    })
  })

  it('is forgotten when another process writes a new one', async () => {
    const { start, provider } = await createCustodyHouse()
    const [one, other] = [await start(), await start()]
    await one.keep(userId, rotating, provider.issue())
    await find(other)
    const next = provider.issue()
    await one.keep(userId, rotating, next)
    await expect.poll(() => find(other)).toBe(next.accessToken)
  })
})

describe('a refresh whose answer is lost', () => {
  it('is repeated once with the same refresh token', async () => {
    const { custody, provider } = await createExpired()
    provider.repeats = 1
    provider.fail('refresh', 'lost')
    expect(provider.isLive(await find(custody))).toBe(true)
    expect(provider.seen.refresh).toBe(2)
    expect(provider.reused).toEqual([])
  })

  it('ends the link where the provider takes the repetition for theft (SG-09)', async () => {
    const { custody, provider, findLink } = await createExpired()
    provider.fail('refresh', 'lost')
    await expect(find(custody)).rejects.toMatchObject({ reason: 'upstream_tokens_refused' })
    expect(provider.seen.refresh).toBe(2)
    expect(await findLink()).toMatchObject({ endedWhy: 'refused' })
    await expect(find(custody)).rejects.toMatchObject({ code: 'invalid_grant' })
    expect(provider.seen.refresh).toBe(2)
  })

  it('because its holder died is taken over when the lease has expired', async () => {
    const { start, store, clock, provider } = await createExpired()
    const died = 'the-holder-that-died'
    const stored = await links.find(store, userId, rotating)
    if (!stored) throw new Error('No link')
    const lease = { holder: died, until: clock.now() + leaseSeconds }
    await store.commit({ set: [links.write(stored.key, { ...stored.value, lease })] })
    let looks = 0
    const other = await start({
      pause: async () => {
        looks += 1
        clock.advance(1)
      },
    })
    expect(provider.isLive(await find(other))).toBe(true)
    expect(looks).toBe(leaseSeconds)
    expect(provider.seen.refresh).toBe(1)
  })

  it('waits for no lease of a clock that is ahead (HA-11)', async () => {
    const { start, store, clock, provider } = await createExpired()
    const stored = await links.find(store, userId, rotating)
    if (!stored) throw new Error('No link')
    const lease = { holder: 'died an hour ahead', until: clock.now() + 3600 }
    await store.commit({ set: [links.write(stored.key, { ...stored.value, lease })] })
    const pause = () => Promise.reject(new Error('waited'))
    expect(provider.isLive(await find(await start({ pause })))).toBe(true)
    expect(provider.seen.refresh).toBe(1)
  })

  it('is given up when the lease is kept for too long: 503', async () => {
    const { start, store, clock } = await createExpired()
    const stored = await links.find(store, userId, rotating)
    if (!stored) throw new Error('No link')
    const lease = { holder: 'another', until: clock.now() + leaseSeconds }
    await store.commit({ set: [links.write(stored.key, { ...stored.value, lease })] })
    const other = await start({ pause: async () => {} })
    await expect(find(other)).rejects.toMatchObject({ reason: 'upstream_lease_contended' })
  })
})

describe('a lease', () => {
  it('fences: who wakes up after another took over writes nothing (HA-11)', async () => {
    const { custody, start, provider, clock, store } = await createExpired()
    provider.repeats = 5
    const release = provider.hold('refresh')
    const late = find(custody)
    await expect.poll(() => provider.seen.refresh).toBe(1)
    const before = await links.find(store, userId, rotating)
    clock.advance(leaseSeconds)
    const other = await start()
    const takenOver = find(other)
    await expect
      .poll(async () => (await links.find(store, userId, rotating))?.value.lease?.holder)
      .not.toBe(before?.value.lease?.holder)
    release()
    const token = await takenOver
    const [result] = await Promise.allSettled([late])
    expect(result).toEqual({ status: 'fulfilled', value: token })
    expect(await find(other)).toBe(token)
    expect(provider.reused).toEqual([])
  })

  it('does not keep a new sign-in back, whose tokens win', async () => {
    const { custody, start, provider } = await createExpired()
    const release = provider.hold('refresh')
    const asked = find(custody)
    await expect.poll(() => provider.seen.refresh).toBe(1)
    const fresh = provider.issue()
    await (await start()).keep(userId, rotating, fresh)
    release()
    expect(await asked).toBe(fresh.accessToken)
    expect(await find(custody)).toBe(fresh.accessToken)
  })

  it('survives that the link is sealed anew meanwhile: the answer is not lost', async () => {
    const { custody, provider, store, clock, log } = await createExpired()
    const sealer = await createSealer({ store, masterKey, clock })
    await rotateDataKey({ store, masterKey, clock })
    clock.advance(300)
    await sealer.reread()
    const release = provider.hold('refresh')
    const asked = find(custody)
    await expect.poll(() => provider.seen.refresh).toBe(1)
    const before = await links.find(store, userId, rotating)
    for (let slice = 0; slice < 50; slice++) await resealSlice({ store, sealer, clock, log })
    const after = await links.find(store, userId, rotating)
    expect(after?.version).not.toBe(before?.version)
    release()
    expect(provider.isLive(await asked)).toBe(true)
    expect(provider.seen.refresh).toBe(1)
  })

  it('of a link that went meanwhile leaves its new tokens to be revoked', async () => {
    const { custody, provider, store } = await createExpired()
    const release = provider.hold('refresh')
    const asked = find(custody)
    await expect.poll(() => provider.seen.refresh).toBe(1)
    await store.commit({ delete: [links.key(userId, rotating)] })
    release()
    await expect(asked).rejects.toMatchObject({ reason: 'upstream_link_missing' })
    expect(await upstreamRevocations.list(store)).toHaveLength(1)
  })
})

describe('a refusal for good', () => {
  it('ends the link, and the sessions and grants that rest on it; others stand (UP-17)', async () => {
    const { custody, provider, store, addGrant, ended, audit, findLink } = await createExpired()
    await addGrant('dependent')
    await addGrant('elsewhere', { resource: 'https://mcp.example.com/other' })
    await addGrant('local', { upstream: 'local' })
    await addSession('theirs', 'rotating')
    await addSession('other', 'local')
    provider.forget()
    await expect(find(custody)).rejects.toMatchObject({
      code: 'invalid_grant',
      reason: 'upstream_tokens_refused',
    })
    const left = (await grants.list(store)).map(({ value }) => value.id)
    expect(left.toSorted()).toEqual(['elsewhere', 'local'])
    expect((await sessions.list(store)).map(({ key }) => key)).toEqual(['session/other'])
    expect(ended).toEqual(['dependent'])
    expect(audit.filter(({ event }) => event === 'grant.ended')).toMatchObject([
      { reason: 'upstream_ended', grantId: 'dependent' },
    ])
    expect((await findLink())?.sealedTokens).toBeUndefined()

    async function addSession(hash: string, upstream: string): Promise<void> {
      const listed = (await userSessions.find(store, userId))?.value.hashes ?? []
      const session = { userId, upstream, createdAt: 0, expiresAt: 2e9 }
      await store.commit({
        set: [
          sessions.write(sessions.key(hash), session),
          userSessions.write(userSessions.key(userId), { hashes: [...listed, hash] }),
        ],
      })
    }
  })

  it('is asked for once, and finishes what a process that died left: no storm', async () => {
    const { custody, provider, addGrant, store } = await createExpired()
    provider.forget()
    const asked = await Promise.allSettled(Array.from({ length: 50 }, () => find(custody)))
    expect(asked.every(({ status }) => status === 'rejected')).toBe(true)
    expect(provider.seen.refresh).toBe(1)
    await addGrant('left behind')
    await expect(find(custody)).rejects.toMatchObject({ code: 'invalid_grant' })
    expect(await grants.list(store)).toEqual([])
    expect(provider.seen.refresh).toBe(1)
  })

  it('is over with the next sign-in, whose grants stand', async () => {
    const { custody, provider, clock, addGrant, store } = await createExpired()
    provider.forget()
    await expect(find(custody)).rejects.toMatchObject({ code: 'invalid_grant' })
    clock.advance(1)
    const fresh = provider.issue()
    await custody.keep(userId, rotating, fresh)
    await addGrant('new')
    expect(await find(custody)).toBe(fresh.accessToken)
    expect(await grants.list(store)).toHaveLength(1)
  })

  it('is also a row that cannot be opened any more (SG-11)', async () => {
    const { custody, store, log } = await createExpired()
    const stored = await links.find(store, userId, rotating)
    if (!stored) throw new Error('No link')
    const sealedTokens = `${stored.value.sealedTokens?.slice(0, -4)}AAAA`
    await store.commit({ set: [links.write(stored.key, { ...stored.value, sealedTokens })] })
    await expect(find(custody)).rejects.toMatchObject({ reason: 'upstream_tokens_missing' })
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', fields: { key: stored.key } }),
    )
  })
})

describe('a fault that will pass', () => {
  it('keeps everything, lets the provider rest, and is over when the provider is back', async () => {
    const { custody, provider, clock, addGrant, store } = await createExpired()
    await addGrant('stands')
    provider.fail('refresh', 'before', 'before')
    await expect(find(custody)).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      status: 503,
    })
    expect(provider.seen.refresh).toBe(2)
    await expect(find(custody)).rejects.toMatchObject({ reason: 'upstream_resting' })
    expect(provider.seen.refresh).toBe(2)
    clock.advance(5)
    expect(provider.isLive(await find(custody))).toBe(true)
    expect(await grants.list(store)).toHaveLength(1)
  })

  it('goes unnoticed while the old token lives', async () => {
    const { start, provider, clock } = await createCustodyHouse()
    const custody = await start()
    const tokens = provider.issue()
    await custody.keep(userId, rotating, tokens)
    clock.advance(3580)
    provider.fail('refresh', 'before', 'before')
    expect(await find(custody)).toBe(tokens.accessToken)
    clock.advance(5)
    expect(await find(custody)).not.toBe(tokens.accessToken)
  })

  it('of the store at any step gives 503 or the token, never a second refresh', async () => {
    const steps = await countSteps()
    expect(steps).toBeGreaterThan(3)
    for (const point of ['before', 'after', 'lost'] as const) {
      for (let nth = 1; nth <= steps; nth++) await runWithFault(nth, point)
    }

    async function countSteps(): Promise<number> {
      const { start, store } = await createExpired()
      const counted = failingStore(store)
      await find(await start({ around: () => counted }))
      return counted.operations.length
    }

    async function runWithFault(nth: number, point: 'before' | 'after' | 'lost'): Promise<void> {
      const { start, store, provider, findLink } = await createExpired()
      const faulty = failingStore(store)
      const custody = await start({ around: () => faulty })
      faulty.failAt(nth, point)
      const [first] = await Promise.allSettled([find(custody)])
      if (first?.status === 'rejected') expect(first.reason).toMatchObject({ status: 503 })
      const failed = faulty.failures[0]?.operation ?? 'nothing'
      faulty.heal()
      const name = `${point} ${nth}: ${failed}`
      expect(provider.isLive(await find(custody)), name).toBe(true)
      expect(provider.seen.refresh, name).toBe(1)
      expect(provider.reused, name).toEqual([])
      expect((await findLink())?.lease, name).toBeUndefined()
    }
  })

  it('of a store that is away for some seconds does not cost the only tokens that work (SG-09)', async () => {
    const { start, store, provider } = await createExpired()
    const faulty = failingStore(store)
    const custody = await start({ around: () => faulty })
    const release = provider.hold('refresh')
    const asked = find(custody)
    await expect.poll(() => provider.seen.refresh).toBe(1)
    let failures = 0
    faulty.failWhile(() => {
      failures += 1
      return failures <= 5
    })
    release()
    expect(provider.isLive(await asked)).toBe(true)
    expect(provider.seen.refresh).toBe(1)
  })
})

describe('what is told of it', () => {
  it('holds no token, whatever goes wrong (UP-23)', async () => {
    const { custody, provider, log, audit } = await createExpired()
    provider.fail('refresh', 'before', 'before')
    const [failed] = await Promise.allSettled([find(custody)])
    const told = JSON.stringify([failed, log.lines, audit], (_, value: unknown) =>
      value instanceof Error ? { ...value, message: value.message, cause: value.cause } : value,
    )
    expect(told).toContain('upstream_resting')
    expect(told).not.toContain('upstream-access-token')
    expect(told).not.toContain('upstream-refresh-token')
  })
})
