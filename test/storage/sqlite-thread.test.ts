/** The writing thread: what it hears, what happens when it dies, and how long it keeps a process alive. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import type * as WorkerThreads from 'node:worker_threads'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { Commit, Store } from '../../src/storage/store.ts'
import { createFolder, refusal } from './fixtures.ts'

const threads = vi.hoisted(() => [] as WorkerThreads.Worker[])

vi.mock('node:worker_threads', async (importOriginal) => {
  const original = await importOriginal<typeof WorkerThreads>()
  class KnownWorker extends original.Worker {
    constructor(...given: ConstructorParameters<typeof WorkerThreads.Worker>) {
      super(...given)
      threads.push(this)
    }
  }
  return { ...original, Worker: KnownWorker }
})

function put(...keys: string[]): Commit {
  return { set: keys.map((key) => ({ key, value: '1' })) }
}

async function open(path = join(createFolder(), 'gatehouse.db')): Promise<Store> {
  const store = await sqliteStore({ path, clock: systemClock })
  onTestFinished(() => store.close())
  return store
}

/** Another connection, as another process would have it. */
function connect(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  onTestFinished(() => database.close())
  return database
}

async function list(store: Store): Promise<string[]> {
  return (await store.list('')).map(({ key }) => key)
}

/** Ends the newest thread from outside, as running out of memory would. */
async function killThread(): Promise<void> {
  await threads.at(-1)?.terminate()
}

describe('the writing thread', () => {
  it('is started by the first write, and only by one', async () => {
    const before = threads.length
    const store = await open()
    await store.get(['a'])
    expect(threads.length).toBe(before)
    await Promise.all([store.commit(put('a')), store.commit(put('b'))])
    await store.commit(put('c'))
    expect(threads.length).toBe(before + 1)
  })

  it('turns what SQLite says into a fault, of every commit of the batch, and goes on', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const store = await open(path)
    connect(path).exec(
      `CREATE TRIGGER poison BEFORE INSERT ON entries WHEN NEW.key = 'poison'
       BEGIN SELECT RAISE(ABORT, 'poison'); END`,
    )
    const both = [store.commit(put('good')), store.commit(put('poison'))]
    const fault = refusal('temporarily_unavailable', 'store_error')
    for (const result of await Promise.allSettled(both)) {
      expect(result).toMatchObject({ status: 'rejected', reason: fault })
      expect(result).toMatchObject({ reason: { cause: { message: 'poison' } } })
    }
    expect(await list(store)).toEqual([])
    expect(await store.commit(put('good'))).toBe(true)
  })

  it('fails what it was asked when it dies, and is started again (SG-07)', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const store = await open(path)
    await store.commit(put('first'))
    const other = connect(path)
    other.exec('BEGIN IMMEDIATE')
    const waiting = Promise.allSettled([store.commit(put('a')), store.commit(put('b'))])
    await new Promise(setImmediate)
    await killThread()
    const died = refusal('temporarily_unavailable', 'store_thread_died')
    for (const result of await waiting) expect(result).toMatchObject({ reason: died })
    other.exec('COMMIT')
    const before = threads.length
    expect(await store.commit(put('last'))).toBe(true)
    expect(threads.length).toBe(before + 1)
    expect(await list(store)).toEqual(['first', 'last'])
  })

  it('is started again when it could not open the file', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const store = await open(path)
    const other = connect(path)
    other.exec('ALTER TABLE sequence RENAME TO gone')
    const fault = refusal('temporarily_unavailable', 'store_thread_died')
    await expect(store.commit(put('a'))).rejects.toMatchObject(fault)
    other.exec('ALTER TABLE gone RENAME TO sequence')
    expect(await store.commit(put('a'))).toBe(true)
  })

  it('does not take commits of its own store for those of others', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const store = await open(path)
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const heard: string[] = []
    store.subscribe('ended/', (key) => heard.push(key))
    for (let n = 0; n < 20; n++) {
      await store.commit(put(`grant/${n}`))
      await vi.advanceTimersByTimeAsync(250)
    }
    await settleLooks(store)
    expect(heard).toEqual([])
    connect(path).exec("DELETE FROM entries WHERE key = 'grant/1'")
    await vi.advanceTimersByTimeAsync(250)
    await expect.poll(() => heard).toEqual(['ended/'])
  })

  it('hears what was committed before it was started', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const store = await open(path)
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const heard: string[] = []
    store.subscribe('ended/', (key) => heard.push(key))
    connect(path).exec("DELETE FROM entries WHERE key = 'a'; UPDATE sequence SET last = 5")
    await store.commit(put('grant/1'))
    await vi.advanceTimersByTimeAsync(250)
    await expect.poll(() => heard).toEqual(['ended/'])
  })

  it('does not take the opening of another store for news', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const store = await open(path)
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const heard: string[] = []
    store.subscribe('ended/', (key) => heard.push(key))
    await open(path)
    await vi.advanceTimersByTimeAsync(250)
    await settleLooks(store)
    expect(heard).toEqual([])
  })

  it('tells everyone once after it died, for it cannot know what it missed', async () => {
    const store = await open()
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const heard: string[] = []
    store.subscribe('ended/', (key) => heard.push(key))
    await store.commit(put('grant/1'))
    await killThread()
    for (let n = 0; n < 4; n++) {
      await vi.advanceTimersByTimeAsync(250)
      await settleLooks(store)
    }
    expect(heard).toEqual(['ended/'])
  })
})

/** A commit is answered after every look that was asked for before it. */
async function settleLooks(store: Store): Promise<void> {
  await store.commit(put('settled'))
}

const script = fileURLToPath(new URL('sqlite-process.ts', import.meta.url))

/** Runs a process to its end; resolves with its exit code and what it printed. */
async function run(mode: 'leave' | 'listen', path: string): Promise<[unknown, string]> {
  const child = spawn(process.execPath, [script, mode, path])
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  const [code] = await once(child, 'close')
  return [code, output]
}

describe('a process with a store that nobody closes', () => {
  it('ends by itself, but not before what was committed is acknowledged', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    expect(await run('leave', path)).toEqual([0, 'acknowledged\n'])
    expect(await list(await open(path))).toEqual(['left'])
  })

  it('ends by itself when it only listened', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    expect(await run('listen', path)).toEqual([0, 'listened\n'])
  })
})
