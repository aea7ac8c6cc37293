import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import { openNodeSqlite } from '../../src/storage/sqlite-client.ts'
import { prepareDatabase, readPragma } from '../../src/storage/sqlite-schema.ts'
import type { Store } from '../../src/storage/store.ts'
import { describeStore } from './contract.ts'
import { createFolder } from './fixtures.ts'

describeStore({
  name: 'sqliteStore',
  shared: true,
  createPlace: async () => {
    const path = join(createFolder(), 'data', 'gatehouse.db')
    return { open: (clock) => sqliteStore({ path, clock }) }
  },
})

async function open(path: string): Promise<Store> {
  const store = await sqliteStore({ path, clock: systemClock })
  onTestFinished(() => store.close())
  return store
}

function connect(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  onTestFinished(() => database.close())
  return database
}

describe('sqliteStore on one file', () => {
  it('creates the folder and every file for their owner only', async () => {
    const folder = join(createFolder(), 'deep', 'data')
    const store = await open(join(folder, 'gatehouse.db'))
    await store.commit({ set: [{ key: 'a', value: '1' }] })
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    for (const suffix of ['', '-wal', '-shm']) {
      expect(statSync(join(folder, `gatehouse.db${suffix}`)).mode & 0o777).toBe(0o600)
    }
  })

  it('writes ahead and flushes every commit (SG-06)', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const client = await openNodeSqlite(path)
    onTestFinished(() => void client.close())
    await prepareDatabase(client, path)
    expect(readPragma(client, 'journal_mode')).toBe('wal')
    expect(readPragma(client, 'synchronous')).toBe(2)
  })

  it('finds expired keys and pages of a listing by index, whatever the size', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    await open(path)
    const explain = (sql: string): string =>
      JSON.stringify(connect(path).prepare(`EXPLAIN QUERY PLAN ${sql}`).all())
    const expired = 'SELECT key FROM entries WHERE expires_at <= 1 ORDER BY expires_at LIMIT 1'
    expect(explain(expired)).toContain('USING COVERING INDEX entries_by_expiry (expires_at<?)')
    const page = "SELECT value FROM entries WHERE key >= 'a' AND key < 'b' ORDER BY key LIMIT 1"
    expect(explain(page)).toMatch(/SEARCH entries USING PRIMARY KEY \(key>\? AND key<\?\)"/)
  })

  it('waits while another connection holds the lock, and then writes', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const store = await open(path)
    const other = connect(path)
    other.exec('BEGIN IMMEDIATE')
    const written = store.commit({ set: [{ key: 'a', value: '1' }] })
    setTimeout(() => other.exec('COMMIT'), 50)
    expect(await store.get(['a'])).toEqual([undefined])
    expect(await written).toBe(true)
  })

  it('shares one transaction between commits that arrive together', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const store = await open(path)
    const watcher = connect(path)
    const readVersion = (): unknown => watcher.prepare('PRAGMA data_version').get()
    const seen = [JSON.stringify(readVersion())]
    const commits = Array.from({ length: 30 }, async (_, n) => {
      await store.commit({ set: [{ key: `k/${n}`, value: '1' }] })
      seen.push(JSON.stringify(readVersion()))
    })
    await Promise.all(commits)
    expect(new Set(seen).size).toBe(2)
  })

  it('hears of other connections within a quarter of a second, without naming keys', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const [store, other] = [await open(path), await open(path)]
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const heard: string[] = []
    store.subscribe('ended/', (key) => heard.push(key))
    await other.commit({ set: [{ key: 'grant/1', value: '1' }] })
    await vi.advanceTimersByTimeAsync(250)
    await expect.poll(() => heard).toEqual(['ended/'])
    await vi.advanceTimersByTimeAsync(1000)
    await store.commit({ set: [{ key: 'grant/2', value: '1' }] })
    expect(heard).toEqual(['ended/'])
  })

  it('looks for other processes only while someone listens', async () => {
    const store = await open(join(createFolder(), 'gatehouse.db'))
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    expect(vi.getTimerCount()).toBe(0)
    const stops = [store.subscribe('a', () => {}), store.subscribe('b', () => {})]
    vi.advanceTimersByTime(10_000)
    expect(vi.getTimerCount()).toBe(1)
    for (const stop of stops) stop()
    vi.advanceTimersByTime(250)
    expect(vi.getTimerCount()).toBe(0)
    store.subscribe('a', () => {})
    await store.close()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('sqliteStore refuses to start', () => {
  const startError = (text: RegExp) => ({
    name: 'StartError',
    message: expect.stringMatching(text),
  })

  it('on a file that is not a database', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    writeFileSync(path, 'These are notes, not a database. '.repeat(200))
    await expect(open(path)).rejects.toMatchObject(startError(/damaged or not a database; restore/))
  })

  it('on the database of another program', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    connect(path).exec('CREATE TABLE theirs (a)')
    await expect(open(path)).rejects.toMatchObject(startError(/belongs to another program; choose/))
  })

  it('on the database of a newer Gatehouse (HA-08)', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const store = await open(path)
    await store.close()
    connect(path).exec('PRAGMA user_version = 99')
    await expect(open(path)).rejects.toMatchObject(startError(/newer Gatehouse .* upgrade/))
  })

  it('on a path that cannot be a file', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    mkdirSync(path)
    await expect(open(path)).rejects.toMatchObject(startError(/cannot be opened; check/))
  })
})

const script = fileURLToPath(new URL('sqlite-process.ts', import.meta.url))

function start(mode: 'race' | 'write', path: string) {
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [script, mode, path])
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return { child, lines: createInterface({ input: child.stdout }), errors: () => errors }
}

describe('sqliteStore between processes', () => {
  it('gives each of 200 codes to one of three processes that race for all (SG-01)', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const processes = [start('race', path), start('race', path), start('race', path)]
    await Promise.all(processes.map(({ lines }) => once(lines, 'line')))
    const answers = processes.map(({ lines }) => once(lines, 'line'))
    for (const { child } of processes) child.stdin.write('go\n')
    const won = (await Promise.all(answers)).map(([line]) => JSON.parse(line) as number[])
    const all = won.flat().sort((a, b) => a - b)
    expect(all).toEqual(Array.from({ length: 200 }, (_, code) => code))
    expect(processes.map(({ errors }) => errors()).join('')).toBe('')
  }, 30_000)

  it('keeps every acknowledged commit over kill -9 (SG-06, SG-08)', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    for (const enough of [50, 211, 400]) {
      const { child, lines, errors } = start('write', path)
      const acknowledged: string[] = []
      lines.on('line', (line) => {
        acknowledged.push(line)
        if (acknowledged.length === enough) child.kill('SIGKILL')
      })
      const [, signal] = await once(child, 'close')
      expect(`${signal} ${errors()}`).toBe('SIGKILL ')
      expect(acknowledged.length).toBeGreaterThanOrEqual(enough)
      const store = await open(path)
      const entries = await store.get(acknowledged.map((number) => `written/${number}`))
      expect(entries.map((entry) => entry?.value)).toEqual(acknowledged)
    }
  }, 30_000)
})
