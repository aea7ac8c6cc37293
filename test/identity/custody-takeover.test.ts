/** A lease that somebody took over while its holder was only slow: neither's tokens are lost (UP-16, HA-11). */
import { describe, expect, it } from 'vitest'
import { leaseSeconds } from '../../src/identity/custody-lease.ts'
import { links } from '../../src/storage/records/link.ts'
import { upstreamRevocations } from '../../src/storage/records/upstream-revocation.ts'
import type { Store } from '../../src/storage/store.ts'
import { createCustodyHouse, resource, userId } from './custody-house.ts'

const rotating = 'rotating'

/** Links whose access token has ended, with one grant that rests on them. */
async function createExpired() {
  const house = await createCustodyHouse()
  const first = await house.start()
  await first.keep(userId, rotating, house.provider.issue())
  await house.addGrant('grant')
  house.clock.advance(3600)
  const find = (custody = first) => custody.findAccessToken(userId, rotating)
  return { ...house, find }
}

/** A store whose commits wait once the provider has been asked, until the returned function is called. */
function holdResults(isAsked: () => boolean) {
  const { promise, resolve } = Promise.withResolvers<void>()
  const around = (store: Store): Store => ({
    ...store,
    async commit(change) {
      if (isAsked()) await promise
      return store.commit(change)
    },
  })
  return { around, release: resolve }
}

describe('the tokens of a holder that was held up for longer than its lease', () => {
  it('count although the other one, who came second, is refused', async () => {
    const { find, start, provider, clock, findLink, ended, audit } = await createExpired()
    const release = provider.hold('refresh')
    const slow = find()
    await expect.poll(() => provider.seen.refresh).toBe(1)
    clock.advance(leaseSeconds + 1)
    const other = find(await start())
    await expect.poll(() => provider.seen.refresh).toBe(2)
    release()
    const token = await slow
    expect(await other).toBe(token)
    expect((await findLink())?.sealedTokens).toBeDefined()
    expect([ended, audit]).toEqual([[], []])
  })

  it('count when the other one was refused before they were written', async () => {
    const { find, start, provider, clock, findLink, ended, audit } = await createExpired()
    const { around, release } = holdResults(() => provider.seen.refresh > 0)
    const slow = find(await start({ around }))
    await expect.poll(() => provider.seen.refresh).toBe(1)
    clock.advance(leaseSeconds)
    const other = find(await start())
    await expect.poll(async () => (await findLink())?.doubtedAt).toBeDefined()
    release()
    const token = await slow
    expect(await other).toBe(token)
    expect(provider.seen.refresh).toBe(2)
    expect(await findLink()).not.toHaveProperty('doubtedAt')
    expect([ended, audit]).toEqual([[], []])
  })

  it('are asked for at most once more, and then the refusal is for good', async () => {
    const { find, start, provider, clock, findLink, ended } = await createExpired()
    provider.fail('refresh', 'lost')
    const { around, release } = holdResults(() => provider.seen.refresh > 0)
    const slow = find(await start({ around })).catch((error: unknown) => error)
    await expect.poll(() => provider.seen.refresh).toBe(1)
    clock.advance(leaseSeconds)
    const pause = async () => clock.advance(1)
    const other = find(await start({ pause }))
    await expect(other).rejects.toMatchObject({ reason: 'upstream_tokens_refused' })
    expect(provider.seen.refresh).toBe(3)
    expect(await findLink()).toMatchObject({ endedWhy: 'refused' })
    expect(ended).toEqual(['grant'])
    release()
    expect(await slow).toMatchObject({ code: 'invalid_grant' })
  })

  it('are handed over to be revoked when the link has ended by then', async () => {
    const { find, start, provider, clock, store } = await createExpired()
    const { around, release } = holdResults(() => provider.seen.refresh > 0)
    const slow = find(await start({ around })).catch((error: unknown) => error)
    await expect.poll(() => provider.seen.refresh).toBe(1)
    clock.advance(leaseSeconds)
    const other = find(await start({ pause: async () => clock.advance(1) }))
    await expect(other).rejects.toMatchObject({ code: 'invalid_grant' })
    release()
    expect(await slow).toMatchObject({ code: 'invalid_grant' })
    expect(await upstreamRevocations.list(store)).toHaveLength(1)
  })

  it('do not take the place of what a new sign-in brought', async () => {
    const { find, start, provider, clock, store } = await createExpired()
    const { around, release } = holdResults(() => provider.seen.refresh > 0)
    const slow = find(await start({ around }))
    await expect.poll(() => provider.seen.refresh).toBe(1)
    clock.advance(leaseSeconds)
    const fresh = provider.issue()
    await (await start()).keep(userId, rotating, fresh)
    const written = await links.find(store, userId, rotating)
    release()
    expect(await slow).toBe(fresh.accessToken)
    expect(await links.find(store, userId, rotating)).toEqual(written)
  })
})

it('whether a person may enter is not decided by a token that a slow holder spent (UP-08)', async () => {
  const { start, provider, clock, findLink, ended } = await createExpired()
  const { around, release } = holdResults(() => provider.seen.refresh > 0)
  const rules = { reverifySeconds: 60, lifetimeFollowsUpstream: false, backends: [{ resource }] }
  const slow = (await start({ around, rules })).verify(userId, rotating)
  await expect.poll(() => provider.seen.refresh).toBe(1)
  clock.advance(leaseSeconds)
  const other = (await start({ rules })).verify(userId, rotating)
  await expect.poll(async () => (await findLink())?.doubtedAt).toBeDefined()
  release()
  await Promise.all([slow, other])
  expect(ended).toEqual([])
})
