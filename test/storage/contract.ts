/**
 * What every driver must do: the storage contract as tests. A driver's test file calls
 * {@link describeStore} and adds what is its own.
 */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Clock } from '../../src/platform/clock.ts'
import type { Commit, Entry, Store } from '../../src/storage/store.ts'
import { createTestClock, refusal } from './fixtures.ts'

/** One empty place to store things, made anew for each test and removed after it. */
export interface StorePlace {
  /** A new connection to the place. */
  open(clock: Clock): Promise<Store>
}

/** A driver under test. */
export interface StoreDriver {
  readonly name: string
  /** Whether several connections see the same data, and a later one sees what an earlier one left. */
  readonly shared: boolean
  createPlace(): Promise<StorePlace>
}

/** Runs the contract against a driver. */
export function describeStore(driver: StoreDriver): void {
  describe(`${driver.name} keeps the storage contract`, () => {
    const start = async () => {
      const clock = createTestClock()
      const place = await driver.createPlace()
      const open = async (): Promise<Store> => {
        const store = await place.open(clock)
        onTestFinished(() => store.close())
        return store
      }
      return { clock, open, store: await open() }
    }
    describeCommits(start)
    describeRaces(start)
    describeExpiry(start)
    describeListing(start)
    describeLimits(start)
    describeHints(start)
    if (driver.shared) describeSharing(start)
  })
}

type Start = () => Promise<{
  clock: ReturnType<typeof createTestClock>
  store: Store
  open: () => Promise<Store>
}>

async function versionOf(store: Store, key: string): Promise<number | null> {
  const [entry] = await store.get([key])
  return entry?.version ?? null
}

async function valuesOf(store: Store, keys: string[]): Promise<(string | undefined)[]> {
  return (await store.get(keys)).map((entry) => entry?.value)
}

function put(...keys: string[]): Commit {
  return { set: keys.map((key) => ({ key, value: `"${key}"` })) }
}

async function listAll(store: Store, prefix: string, limit: number): Promise<string[]> {
  const keys: string[] = []
  for (let pages = 0; pages < 1000; pages++) {
    const page = await store.list(prefix, { after: keys.at(-1), limit })
    if (page.length === 0) return keys
    expect(page.length).toBeLessThanOrEqual(limit)
    keys.push(...page.map((entry) => entry.key))
  }
  throw new Error('The listing does not end')
}

function describeCommits(start: Start): void {
  it('answers get in the order of the keys, undefined where there is nothing', async () => {
    const { store } = await start()
    await store.commit(put('a/1', 'a/2'))
    const entries = await store.get(['a/2', 'none', 'a/1', 'a/2'])
    expect(entries.map((entry) => entry?.key)).toEqual(['a/2', undefined, 'a/1', 'a/2'])
    expect(await store.get([])).toEqual([])
  })

  it('sets and deletes several keys in one commit', async () => {
    const { store } = await start()
    await store.commit(put('a/1', 'a/2'))
    const done = await store.commit({ set: [{ key: 'a/3', value: '3' }], delete: ['a/1', 'gone'] })
    expect(done).toBe(true)
    expect(await valuesOf(store, ['a/1', 'a/2', 'a/3'])).toEqual([undefined, '"a/2"', '3'])
  })

  it('changes nothing when one check of several fails (SG-01)', async () => {
    const { store } = await start()
    await store.commit(put('a/1', 'a/2'))
    const version = await versionOf(store, 'a/1')
    const done = await store.commit({
      check: [
        { key: 'a/1', version },
        { key: 'a/2', version: null },
      ],
      set: [
        { key: 'a/1', value: '"changed"' },
        { key: 'a/3', value: '"new"' },
      ],
      delete: ['a/2'],
    })
    expect(done).toBe(false)
    expect(await valuesOf(store, ['a/1', 'a/2', 'a/3'])).toEqual(['"a/1"', '"a/2"', undefined])
    expect(await versionOf(store, 'a/1')).toBe(version)
  })

  it('judges each of several commits at once by itself', async () => {
    const { store } = await start()
    await store.commit(put('taken'))
    const results = await Promise.all([
      store.commit({ ...put('x/1'), check: [{ key: 'x/1', version: null }] }),
      store.commit({ ...put('x/2'), check: [{ key: 'taken', version: null }] }),
      store.commit({ ...put('x/1', 'x/3'), check: [{ key: 'x/1', version: null }] }),
      store.commit(put('x/4')),
    ])
    // Begun together, they may take effect in any order.
    const [first] = results
    expect(results).toEqual([first, false, !first, true])
    const listed = await listAll(store, 'x/', 10)
    expect(listed).toEqual(first ? ['x/1', 'x/4'] : ['x/1', 'x/3', 'x/4'])
  })

  it('tells in a listing how long an entry lives, so that it can be moved', async () => {
    const { store, clock } = await start()
    const expiresAt = clock.now() + 60
    await store.commit({
      set: [
        { key: 'l/1', value: '1', expiresAt },
        { key: 'l/2', value: '2' },
      ],
    })
    expect((await store.list('l/')).map((entry) => entry.expiresAt)).toEqual([expiresAt, undefined])
  })

  it('accepts a commit that only checks', async () => {
    const { store } = await start()
    await store.commit(put('a'))
    expect(await store.commit({ check: [{ key: 'b', version: null }] })).toBe(true)
    expect(await store.commit({ check: [{ key: 'a', version: null }] })).toBe(false)
    expect(await store.commit({})).toBe(true)
  })

  it('gives a key another version with every write', async () => {
    const { store } = await start()
    const versions: unknown[] = []
    for (let write = 0; write < 3; write++) {
      await store.commit({ set: [{ key: 'a', value: '"same"' }] })
      versions.push(await versionOf(store, 'a'))
    }
    expect(new Set(versions).size).toBe(3)
    expect(versions).not.toContain(null)
  })

  it('never gives a version back after delete and re-create (SG-01)', async () => {
    const { store } = await start()
    await store.commit(put('a'))
    const version = await versionOf(store, 'a')
    await store.commit({ delete: ['a'] })
    await store.commit(put('a'))
    expect(await store.commit({ check: [{ key: 'a', version }], delete: ['a'] })).toBe(false)
    expect(await valuesOf(store, ['a'])).toEqual(['"a"'])
  })
}

function describeRaces(start: Start): void {
  it('lets one of fifty racing writers win (SG-01)', async () => {
    const { store } = await start()
    const writers = Array.from({ length: 50 }, (_, writer) =>
      store.commit({
        check: [{ key: 'code', version: null }],
        set: [
          { key: 'code', value: `${writer}` },
          { key: `won/${writer}`, value: '1' },
        ],
      }),
    )
    const winner = (await Promise.all(writers)).flatMap((won, writer) => (won ? [writer] : []))
    expect(winner).toHaveLength(1)
    expect(await valuesOf(store, ['code'])).toEqual([`${winner[0]}`])
    expect(await listAll(store, 'won/', 10)).toEqual([`won/${winner[0]}`])
  })

  it('loses no update of fifty writers that read, check and retry', async () => {
    const { store } = await start()
    await Promise.all(Array.from({ length: 50 }, () => increment(store, 'counter')))
    expect(await valuesOf(store, ['counter'])).toEqual(['50'])
  })
}

/** Adds one; whoever loses the race reads again. */
async function increment(store: Store, key: string): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const [entry] = await store.get([key])
    const value = String(Number(entry?.value ?? 0) + 1)
    const check = [{ key, version: entry?.version ?? null }]
    if (await store.commit({ check, set: [{ key, value }] })) return
  }
  throw new Error('Never won')
}

function describeExpiry(start: Start): void {
  it('treats an expired key as if it had never been written', async () => {
    const { store, clock } = await start()
    const expiresAt = clock.now() + 60
    await store.commit({ set: [{ key: 'a/1', value: '1', expiresAt }] })
    clock.advance(59)
    const version = await versionOf(store, 'a/1')
    expect(version).not.toBeNull()
    clock.advance(1)
    expect(await valuesOf(store, ['a/1', 'a/2'])).toEqual([undefined, undefined])
    expect(await store.list('a/')).toEqual([])
    expect(await store.commit({ check: [{ key: 'a/1', version }], ...put('b') })).toBe(false)
    expect(await store.commit({ check: [{ key: 'a/1', version: null }], ...put('a/1') })).toBe(true)
    clock.advance(1_000_000)
    expect(await valuesOf(store, ['a/1'])).toEqual(['"a/1"'])
    expect(await versionOf(store, 'a/1')).not.toBe(version)
  })

  it('sweeps expired keys only, at most as many as asked (SG-15)', async () => {
    const { store, clock } = await start()
    const expiresAt = clock.now() + 10
    const short = Array.from({ length: 250 }, (_, n) => ({ key: `s/${n}`, value: '1', expiresAt }))
    await store.commit({ set: short })
    await store.commit({ set: [{ key: 'l', value: '1', expiresAt: expiresAt + 1 }] })
    await store.commit(put('for ever'))
    expect(await store.sweep(100)).toBe(0)
    clock.advance(10)
    expect(await store.sweep(7)).toBe(7)
    expect(await store.sweep(1000)).toBe(243)
    expect(await store.sweep(1000)).toBe(0)
    expect(await valuesOf(store, ['l', 'for ever'])).toEqual(['1', '"for ever"'])
    clock.advance(1)
    expect(await store.sweep(1000)).toBe(1)
  })

  it('does not sweep a key that was written again for longer (SG-16)', async () => {
    const { store, clock } = await start()
    await store.commit({ set: [{ key: 'a', value: '1', expiresAt: clock.now() + 1 }] })
    await store.commit({ set: [{ key: 'a', value: '2', expiresAt: clock.now() + 60 }] })
    await store.commit({ set: [{ key: 'b', value: '1', expiresAt: clock.now() + 1 }] })
    await store.commit({ set: [{ key: 'b', value: '2' }] })
    clock.advance(2)
    expect(await store.sweep(10)).toBe(0)
    expect(await valuesOf(store, ['a', 'b'])).toEqual(['2', '2'])
  })

  it('never gives a version back after expiry, sweep and re-create', async () => {
    const { store, clock } = await start()
    await store.commit({ set: [{ key: 'a', value: '1', expiresAt: clock.now() + 1 }] })
    const version = await versionOf(store, 'a')
    clock.advance(1)
    await store.sweep(10)
    await store.commit(put('a'))
    expect(await versionOf(store, 'a')).not.toBe(version)
  })
}

function describeListing(start: Start): void {
  it('lists a prefix in byte order and nothing beside it', async () => {
    const { store } = await start()
    const keys = ['a/Z', 'a/a', 'a/-', 'a/_', 'a/0', 'a/~', 'a/a/b', 'a/a0', 'a/']
    await store.commit(put(...keys, 'a', 'a.', 'a0', 'A/a', 'b/a'))
    expect(await listAll(store, 'a/', 100)).toEqual([...keys].sort())
    expect((await store.list('')).length).toBe(14)
    expect(await store.list('c')).toEqual([])
  })

  it('goes on after the cursor, also when its key is gone or lies outside', async () => {
    const { store } = await start()
    await store.commit(put('p/1', 'p/2', 'p/3', 'q/1'))
    await store.commit({ delete: ['p/2'] })
    const after = async (cursor: string): Promise<string[]> =>
      (await store.list('p/', { after: cursor })).map((entry) => entry.key)
    expect(await after('p/1')).toEqual(['p/3'])
    expect(await after('p/2')).toEqual(['p/3'])
    expect(await after('p/3')).toEqual([])
    expect(await after('a')).toEqual(['p/1', 'p/3'])
    expect(await after('z')).toEqual([])
  })

  it('pages through thousands of keys, 100 at a time unless told otherwise', async () => {
    const { store } = await start()
    const keys = Array.from({ length: 3000 }, (_, n) => `k/${(n * 7919) % 3000}`)
    for (let from = 0; from < keys.length; from += 500) {
      await store.commit(put(...keys.slice(from, from + 500)))
    }
    expect(await store.list('k/')).toHaveLength(100)
    expect(await listAll(store, 'k/', 333)).toEqual([...keys].sort())
  })

  it('lists whole entries', async () => {
    const { store } = await start()
    await store.commit({ set: [{ key: 'a/1', value: '{"é":1}' }] })
    const [listed] = await store.list('a/')
    const [got] = await store.get(['a/1'])
    expect(listed).toEqual({ key: 'a/1', value: '{"é":1}', version: expect.any(Number) })
    expect(got).toEqual(listed satisfies Entry | undefined)
  })
}

function describeLimits(start: Start): void {
  it('keeps values of up to 256 KiB, byte for byte', async () => {
    const { store } = await start()
    const value = 'é'.repeat(128 * 1024)
    await store.commit({ set: [{ key: 'big', value }] })
    expect((await valuesOf(store, ['big']))[0] === value).toBe(true)
  })

  it.each([
    ['a value over 256 KiB', { set: [{ key: 'big', value: `${'é'.repeat(128 * 1024)}x` }] }],
    ['an empty key', put('')],
    ['a key outside printable ASCII', put('a/é')],
    ['a key over 512 characters', put('k'.repeat(513))],
    ['a key set twice', put('a', 'a')],
    ['a key set and deleted', { ...put('a'), delete: ['a'] }],
    ['an expiry that is not whole seconds', { set: [{ key: 'a', value: '1', expiresAt: 1.5 }] }],
  ])('refuses %s as a mistake of the caller', async (_, change: Commit) => {
    const { store } = await start()
    const both: Commit = { ...change, set: [{ key: 'good', value: '1' }, ...(change.set ?? [])] }
    await expect(store.commit(both)).rejects.toThrow(TypeError)
    expect(await store.list('')).toEqual([])
  })

  it('answers a key that could never be stored with nothing', async () => {
    const { store } = await start()
    expect(await store.get(['a/\0é', '', 'k'.repeat(2000)])).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(await store.list('é')).toEqual([])
  })

  it('finishes what was begun before it closes, and answers nothing afterwards (HA-10)', async () => {
    const { store } = await start()
    const begun = store.commit(put('a'))
    await store.close()
    expect(await begun).toBe(true)
    const closed = refusal('temporarily_unavailable', 'store_closed')
    await expect(store.get(['a'])).rejects.toMatchObject(closed)
    await expect(store.list('')).rejects.toMatchObject(closed)
    await expect(store.commit(put('a'))).rejects.toMatchObject(closed)
    await expect(store.sweep(1)).rejects.toMatchObject(closed)
    await store.close()
  })
}

function describeHints(start: Start): void {
  it('hints at writes and deletes below the prefix, to everyone, until told to stop', async () => {
    const { store } = await start()
    const heard: string[] = []
    const other: string[] = []
    const stop = store.subscribe('ended/', (key) => heard.push(key))
    store.subscribe('ended/1', (key) => other.push(key))
    await store.commit(put('ended/1', 'grant/1'))
    await store.commit({ check: [{ key: 'ended/1', version: null }], ...put('ended/2') })
    await store.commit({ delete: ['ended/1'] })
    await expect.poll(() => heard.length).toBeGreaterThanOrEqual(2)
    expect(new Set(heard)).toEqual(new Set(['ended/1']))
    expect(store.isHearing()).toBe(true)
    expect(new Set(other)).toEqual(new Set(['ended/1']))
    const before = heard.length
    stop()
    await store.commit(put('ended/1'))
    await expect.poll(() => other.length).toBeGreaterThanOrEqual(3)
    expect(heard).toHaveLength(before)
  })
}

function describeSharing(start: Start): void {
  it('shows a second connection what the first one acknowledged, and the other way round', async () => {
    const { store, open } = await start()
    const second = await open()
    await store.commit(put('a'))
    expect(await valuesOf(second, ['a'])).toEqual(['"a"'])
    const version = await versionOf(second, 'a')
    expect(await second.commit({ check: [{ key: 'a', version }], delete: ['a'] })).toBe(true)
    expect(await store.commit({ check: [{ key: 'a', version }], ...put('a') })).toBe(false)
  })

  it('lets one of fifty writers on two connections win (SG-01)', async () => {
    const { store, open } = await start()
    const second = await open()
    const race = (connection: Store, first: number): Promise<boolean>[] =>
      Array.from({ length: 25 }, (_, n) =>
        connection.commit({
          check: [{ key: 'code', version: null }],
          ...put('code', `won/${first + n}`),
        }),
      )
    const attempts = [...race(store, 0), ...race(second, 25)]
    expect((await Promise.all(attempts)).filter((won) => won)).toHaveLength(1)
    expect(await listAll(store, 'won/', 10)).toHaveLength(1)
  })

  it('hints at what another connection wrote', async () => {
    const { store, open } = await start()
    const second = await open()
    const heard: string[] = []
    second.subscribe('ended/', (key) => heard.push(key))
    await store.commit(put('ended/1'))
    await expect.poll(() => heard.length, { timeout: 4000 }).toBeGreaterThanOrEqual(1)
    expect(heard.every((key) => key === 'ended/' || key === 'ended/1')).toBe(true)
  })

  it('keeps values, expiries and the order of versions over closing and reopening', async () => {
    const { store, open, clock } = await start()
    await store.commit(put('a'))
    await store.commit({ set: [{ key: 'b', value: '2', expiresAt: clock.now() + 60 }] })
    const version = await versionOf(store, 'b')
    await store.close()
    const again = await open()
    expect(await valuesOf(again, ['a', 'b'])).toEqual(['"a"', '2'])
    expect(await versionOf(again, 'b')).toBe(version)
    await again.commit(put('b'))
    expect(await versionOf(again, 'b')).not.toBe(version)
  })
}
