import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLimits, defaultLimits } from '../../src/operate/limits.ts'
import type { LimitName, Limits } from '../../src/platform/ports.ts'

/** How many of `attempts` spends of one key pass. */
async function countPassing(limits: Limits, limit: LimitName, key: string, attempts: number) {
  const results = await Promise.allSettled(
    Array.from({ length: attempts }, () => limits.spend(limit, key)),
  )
  return results.filter((result) => result.status === 'fulfilled').length
}

describe('limits', () => {
  // The library reads the machine's clock, so the machine's clock is what the tests move.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('lets 60 clients behind one address register at once (CR-20)', async () => {
    expect(await countPassing(createLimits(), 'register', '192.0.2.1', 60)).toBe(60)
  })

  it('stops a flood of registrations from one address and from all together (CR-19)', async () => {
    const limits = createLimits()
    expect(await countPassing(limits, 'register', '192.0.2.1', 500)).toBe(120)
    expect(await countPassing(limits, 'register', '192.0.2.2', 500)).toBe(120)
    expect(await countPassing(limits, 'register', '*', 5000)).toBe(1200)
  })

  it('answers 429 with Retry-After and a machine word for the log (X8)', async () => {
    const limits = createLimits({ overrides: { 'sign-in': { points: 1, seconds: 900 } } })
    await limits.spend('sign-in', 'a')
    vi.advanceTimersByTime(100_000)
    await expect(limits.spend('sign-in', 'a')).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      status: 429,
      retryAfterSeconds: 800,
      reason: 'limit_sign_in',
      description: 'Too many failed sign-ins; try again in 800 seconds',
    })
  })

  it('gives everything back when the time is over', async () => {
    const limits = createLimits()
    await countPassing(limits, 'setup', 'x', 100)
    await expect(limits.check('setup', 'x')).rejects.toThrow('Too many')
    vi.advanceTimersByTime(defaultLimits.setup.seconds * 1000)
    await limits.check('setup', 'x')
    expect(await countPassing(limits, 'setup', 'x', 100)).toBe(defaultLimits.setup.points)
  })

  it('checks without spending, and forgets on reset', async () => {
    const limits = createLimits({ overrides: { token: { points: 2, seconds: 60 } } })
    for (let turn = 0; turn < 10; turn += 1) await limits.check('token', 'c')
    await limits.spend('token', 'c')
    await limits.check('token', 'c')
    await limits.spend('token', 'c')
    await expect(limits.check('token', 'c')).rejects.toMatchObject({ status: 429 })
    await limits.reset('token', 'c')
    await limits.check('token', 'c')
  })

  it('never holds one key back for what another did', async () => {
    const limits = createLimits()
    await countPassing(limits, 'sign-in', 'victim@example.com', 50)
    await limits.check('sign-in', 'other@example.com')
    await limits.check('token', 'victim@example.com')
  })

  it('remembers a bounded number of keys (DS-07)', async () => {
    const limits = createLimits({ keysPerLimit: 100 })
    await countPassing(limits, 'sign-in', 'first', 10)
    await expect(limits.check('sign-in', 'first')).rejects.toMatchObject({ status: 429 })
    for (let key = 0; key < 500; key += 1) await limits.spend('sign-in', `key-${key}`)
    await limits.check('sign-in', 'first')
    expect(vi.getTimerCount()).toBeLessThanOrEqual(100)
  })
})
