import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { unavailable } from '../../src/errors.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { endedGrants } from '../../src/storage/records/grant.ts'
import type { Store } from '../../src/storage/store.ts'
import { createRevocations } from '../../src/tokens/revocations.ts'
import { createTestClock } from '../storage/fixtures.ts'

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'],
  })
})
afterEach(() => void vi.useRealTimers())

const clock = createTestClock()

async function end(store: Store, id: string, lifetimeSeconds = 3600): Promise<void> {
  const mark = { at: clock.now(), why: 'revoked' as const }
  const write = endedGrants.write(endedGrants.key(id), mark, clock.now() + lifetimeSeconds)
  await store.commit({ set: [write] })
}

function start(store: Store) {
  const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }
  const revocations = createRevocations({ store, log })
  onTestFinished(() => revocations.close())
  return { revocations, log }
}

/** A store whose reading fails while `down`. */
function createFailing(store: Store) {
  const state = { down: true, reads: 0 }
  const read = <T>(work: () => Promise<T>): Promise<T> => {
    state.reads += 1
    return state.down ? Promise.reject(unavailable('store_busy')) : work()
  }
  const failing: Store = {
    ...store,
    get: (keys) => read(() => store.get(keys)),
    list: (prefix, options) => read(() => store.list(prefix, options)),
  }
  return { failing, state }
}

describe('createRevocations', () => {
  it('knows every grant that had ended before the start, page by page', async () => {
    const store = memoryStore({ clock })
    const ids = Array.from({ length: 1201 }, (_, n) => `grant-${n}`)
    for (const id of ids) await end(store, id)
    const { revocations } = start(store)
    await revocations.ready
    expect(ids.every(revocations.isEnded)).toBe(true)
    expect(revocations.isEnded('grant-')).toBe(false)
  })

  it('knows at once what is added in this process', async () => {
    const { revocations } = start(memoryStore({ clock }))
    revocations.add('grant-1')
    expect(revocations.isEnded('grant-1')).toBe(true)
    await revocations.ready
    expect(revocations.isEnded('grant-1')).toBe(true)
  })

  it('learns from hints that name the key', async () => {
    const store = memoryStore({ clock })
    const { revocations } = start(store)
    await revocations.ready
    await end(store, 'grant-1')
    await vi.advanceTimersByTimeAsync(0)
    expect(revocations.isEnded('grant-1')).toBe(true)
  })

  it('learns from hints that name the prefix only, also from one that comes while it reads', async () => {
    const store = memoryStore({ clock })
    let hint = (_: string): void => {}
    const vague: Store = {
      ...store,
      subscribe: (_, listener) => {
        hint = listener
        return () => {}
      },
    }
    const { revocations } = start(vague)
    await revocations.ready
    await end(store, 'grant-1')
    hint('ended/')
    await end(store, 'grant-2')
    hint('ended/')
    await vi.advanceTimersByTimeAsync(0)
    expect(['grant-1', 'grant-2'].map(revocations.isEnded)).toEqual([true, true])
  })

  it('learns within a minute when every hint is lost', async () => {
    const store = memoryStore({ clock })
    const { revocations } = start({ ...store, subscribe: () => () => {} })
    await revocations.ready
    await end(store, 'grant-1')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(revocations.isEnded('grant-1')).toBe(true)
  })

  it('forgets a grant once its mark has expired', async () => {
    const store = memoryStore({ clock })
    await end(store, 'grant-1', 10)
    await end(store, 'grant-2', 3600)
    const { revocations } = start(store)
    await revocations.ready
    clock.advance(10)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(revocations.isEnded('grant-1')).toBe(false)
    expect(revocations.isEnded('grant-2')).toBe(true)
  })

  it('is not ready while the store is down, tries again, and says so once (HA-04)', async () => {
    const store = memoryStore({ clock })
    await end(store, 'grant-1')
    const { failing, state } = createFailing(store)
    const { revocations, log } = start(failing)
    let ready = false
    void revocations.ready.then(() => {
      ready = true
    })
    await vi.advanceTimersByTimeAsync(120_000)
    expect(ready).toBe(false)
    expect(state.reads).toBeGreaterThan(10)
    expect(state.reads).toBeLessThan(30)
    state.down = false
    await vi.advanceTimersByTimeAsync(10_000)
    expect(ready).toBe(true)
    expect(revocations.isEnded('grant-1')).toBe(true)
    expect(log.warn).toHaveBeenCalledTimes(1)
    expect(log.info).toHaveBeenCalledTimes(1)
  })

  it('keeps what it knows while the store is down, and reads what it missed', async () => {
    const store = memoryStore({ clock })
    await end(store, 'grant-1')
    const { failing, state } = createFailing(store)
    state.down = false
    const { revocations } = start(failing)
    await revocations.ready
    state.down = true
    await end(store, 'grant-2')
    await vi.advanceTimersByTimeAsync(1000)
    expect(['grant-1', 'grant-2'].map(revocations.isEnded)).toEqual([true, false])
    state.down = false
    await vi.advanceTimersByTimeAsync(10_000)
    expect(['grant-1', 'grant-2'].map(revocations.isEnded)).toEqual([true, true])
  })

  it('leaves no timer behind when it is closed', async () => {
    const { failing } = createFailing(memoryStore({ clock }))
    const { revocations } = start(failing)
    await vi.advanceTimersByTimeAsync(0)
    expect(vi.getTimerCount()).toBe(2)
    revocations.close()
    await vi.advanceTimersByTimeAsync(0)
    expect(vi.getTimerCount()).toBe(0)
  })
})
