/** Custody when a backend refuses a token, and when tokens belong to one of several applications. */
import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/storage/store.ts'
import { createCustodyHouse, forwarding, userId } from './custody-house.ts'

const youngSeconds = 60
const withoutHints = (store: Store): Store => ({ ...store, subscribe: () => () => undefined })

describe('a token that a backend refused', () => {
  it('is replaced in the memory of this process too, although no hint of the store comes', async () => {
    const house = await createCustodyHouse()
    const custody = await house.start({ rules: forwarding, around: withoutHints })
    await custody.keep(userId, 'rotating', house.provider.issue())
    const first = await custody.findAccessToken(userId, 'rotating')
    // Read by another process meanwhile, so that it is remembered here for a minute.
    house.clock.advance(youngSeconds)
    expect(await custody.findAccessToken(userId, 'rotating')).toBe(first)
    const renewed = await custody.renewAccessToken(userId, 'rotating', first)
    expect(renewed).not.toBe(first)
    expect(await custody.findAccessToken(userId, 'rotating')).toBe(renewed)
  })

  it('that another process replaced already costs the provider nothing', async () => {
    const house = await createCustodyHouse()
    const [one, other] = [
      await house.start({ rules: forwarding, around: withoutHints }),
      await house.start({ rules: forwarding, around: withoutHints }),
    ]
    await one.keep(userId, 'rotating', house.provider.issue())
    const first = await one.findAccessToken(userId, 'rotating')
    expect(await other.findAccessToken(userId, 'rotating')).toBe(first)
    house.clock.advance(youngSeconds)
    const renewed = await one.renewAccessToken(userId, 'rotating', first)
    expect(await other.renewAccessToken(userId, 'rotating', first)).toBe(renewed)
    expect(house.provider.seen.refresh).toBe(1)
  })

  it('is the end of nothing while it is young', async () => {
    const house = await createCustodyHouse()
    const custody = await house.start({ rules: forwarding })
    await custody.keep(userId, 'rotating', house.provider.issue())
    const first = await custody.findAccessToken(userId, 'rotating')
    house.clock.advance(youngSeconds - 1)
    expect(await custody.renewAccessToken(userId, 'rotating', first)).toBeUndefined()
    expect(house.provider.seen.refresh).toBe(0)
    expect(await custody.findAccessToken(userId, 'rotating')).toBe(first)
  })
})

it('the refresh token of one application never completes the tokens of another (R2)', async () => {
  const house = await createCustodyHouse()
  const custody = await house.start({ rules: forwarding })
  await custody.keep(userId, 'rotating', { ...house.provider.issue(), application: 'one' })
  const { accessToken, expiresAt } = house.provider.issue()
  const lone = { accessToken, ...(expiresAt !== undefined && { expiresAt }), application: 'other' }
  await custody.keep(userId, 'rotating', lone)
  expect(await custody.findAccessToken(userId, 'rotating')).toBe(accessToken)
  house.clock.advance(86_400)
  const ended = custody.findAccessToken(userId, 'rotating')
  await expect(ended).rejects.toMatchObject({ code: 'invalid_grant' })
  expect(house.provider.seen.refresh).toBe(0)
})
