/** Copying between stores: what is equal, what changes meanwhile, what is cut short, what expires. */
import { describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../../src/storage/memory.ts'
import { copies } from '../../src/storage/records/copy.ts'
import type { Store } from '../../src/storage/store.ts'
import { testClock } from '../helpers/gatehouse.ts'
import { listEntries } from './store-serving.ts'
import { sync } from './store-syncing.ts'

const clock = testClock()

async function fill(count: number, value = '1'): Promise<Store> {
  const store = memoryStore({ clock })
  const keys = Array.from({ length: count }, (_, n) => `k/${String(n).padStart(5, '0')}`)
  await store.commit({ set: keys.map((key) => ({ key, value })) })
  return store
}

/** A store whose n-th commit and all later ones fail. */
function breakingAt(inner: Store, count: number): Store {
  let commits = 0
  return {
    ...inner,
    async commit(change) {
      commits += 1
      if (commits >= count) throw new Error('lost')
      return inner.commit(change)
    },
  }
}

describe('syncStores', () => {
  it('makes the target equal, in commits that no driver finds too long', async () => {
    const source = await fill(30, JSON.stringify('x'.repeat(200_000)))
    const inner = memoryStore({ clock })
    const lengths: number[] = []
    const target: Store = {
      ...inner,
      async commit(change) {
        lengths.push((change.set ?? []).reduce((sum, { value }) => sum + value.length, 0))
        return inner.commit(change)
      },
    }
    expect(await sync(source, target, { clock })).toEqual({
      entries: 30,
      changed: 30,
      isEqual: true,
    })
    expect(Math.max(...lengths)).toBeLessThan(1_300_000)
    expect(await listEntries(inner)).toEqual(await listEntries(source))
  })

  it('brings what changes meanwhile, also behind its back, and is finished only when nothing did', async () => {
    const source = await fill(1000)
    const target = memoryStore({ clock })
    let slices = 0
    const onSlice = async (): Promise<void> => {
      slices += 1
      if (slices !== 3) return
      const changed = [
        { key: 'k/00001', value: '2' },
        { key: 'a', value: '1' },
      ]
      await source.commit({ set: changed, delete: ['k/00002', 'k/00999'] })
    }
    const result = await sync(source, target, { clock, onSlice })
    expect(result).toMatchObject({ entries: 999, isEqual: true })
    expect(await listEntries(target)).toEqual(await listEntries(source))
    expect((await copies.find(target, 'self'))?.value.finishedAt).toBeDefined()
  })

  it('gives up on a source that never rests, and says so', async () => {
    const source = await fill(10)
    const target = memoryStore({ clock })
    let slices = 0
    const onSlice = async (): Promise<void> => {
      slices += 1
      await source.commit({ set: [{ key: 'k/00001', value: `"${slices}"` }] })
    }
    expect(await sync(source, target, { clock, onSlice })).toMatchObject({ isEqual: false })
    expect((await copies.find(target, 'self'))?.value.finishedAt).toBeUndefined()
    expect(await sync(source, target, { clock })).toMatchObject({ changed: 1, isEqual: true })
  })

  it('goes on behind what was written when it was cut short, wherever that was (SG-08)', async () => {
    const source = await fill(1000)
    for (let count = 1; count <= 8; count += 1) {
      const target = memoryStore({ clock })
      const lost = sync(source, breakingAt(target, count), { clock })
      const outcome = await lost.catch((error: unknown) => error)
      const before = (await listEntries(target)).length
      const onResume = vi.fn()
      const { changed, isEqual } = await sync(source, target, { clock, onResume })
      expect({ count, isEqual, changed }).toEqual({ count, isEqual: true, changed: 1000 - before })
      expect(onResume).toHaveBeenCalledTimes(count === 1 ? 0 : 1)
      if (outcome instanceof Error) expect(outcome.message).toBe('lost')
      expect(await listEntries(target)).toEqual(await listEntries(source))
    }
  })

  it('keeps what only the target has when merging, and takes the rest from the source', async () => {
    const source = await fill(3)
    const target = memoryStore({ clock })
    await target.commit({
      set: [
        { key: 'own', value: '1' },
        { key: 'k/00001', value: '9' },
      ],
    })
    expect(await sync(source, target, { clock, isMerge: true })).toMatchObject({ changed: 3 })
    const keys = (await listEntries(target)).map(({ key, value }) => `${key}=${value}`)
    expect(keys).toEqual(['k/00000=1', 'k/00001=1', 'k/00002=1', 'own=1'])
  })

  it('does not take for a change what expires while it is compared', async () => {
    const time = testClock()
    const source = memoryStore({ clock: time })
    const target = memoryStore({ clock: time })
    await source.commit({
      set: [
        { key: 'a', value: '1', expiresAt: time.now() + 10 },
        { key: 'b', value: '1' },
      ],
    })
    const aging: Store = {
      ...source,
      async list(prefix, options) {
        const page = await source.list(prefix, options)
        time.advance(4)
        return page
      },
    }
    expect(await sync(aging, target, { clock: time })).toMatchObject({ changed: 2, isEqual: true })
  })

  it('lets one of two copies into the same store win', async () => {
    const source = await fill(1000)
    const target = memoryStore({ clock })
    const both = await Promise.allSettled([
      sync(source, target, { clock }),
      sync(source, target, { clock }),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await listEntries(target)).toEqual(await listEntries(source))
  })
})
