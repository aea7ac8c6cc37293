/** The `store` setting: which store is meant, and what is refused without showing a password. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConfigSources, loadConfig } from '../../src/operate/config/load.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'
import { openStore, parseStoreUrl, renderStore } from '../../src/operate/config/store.ts'
import { systemClock } from '../../src/platform/clock.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-store-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const key = { TOKEN_ENCRYPTION_KEY: 'k'.repeat(43) }

function writeFile(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function load(sources: ConfigSources) {
  const loaded = loadConfig({ env: key, ...sources })
  if (!loaded.ok) throw new Error(loaded.problems.map(renderProblem).join('\n'))
  return loaded.settings
}

function findProblems(sources: ConfigSources): string[] {
  const loaded = loadConfig({ env: key, ...sources })
  return loaded.ok ? [] : loaded.problems.map(renderProblem)
}

const fromEnv = (GATEHOUSE_STORE: string, more = {}) => ({
  env: { ...key, GATEHOUSE_STORE, ...more },
})

describe('the store setting', () => {
  it('is SQLite in the data folder unless something else is named', () => {
    const { data, store } = load({})
    expect(store).toEqual({ driver: 'sqlite', path: join(data, 'gatehouse.db') })
  })

  it.each([
    ['memory:', { driver: 'memory' }],
    ['sqlite:/var/lib/gate.db', { driver: 'sqlite', path: '/var/lib/gate.db' }],
    ['sqlite:///var/lib/gate.db', { driver: 'sqlite', path: '/var/lib/gate.db' }],
    ['postgres://u:p@h/d', { driver: 'postgres', url: 'postgres://u:p@h/d', prefix: 'gatehouse' }],
    ['postgresql://h/d', { driver: 'postgres', url: 'postgresql://h/d' }],
    ['redis://h', { driver: 'redis', url: 'redis://h', onWeakDurability: 'refuse' }],
    ['rediss://u:p@h:7/1', { driver: 'redis', url: 'rediss://u:p@h:7/1' }],
  ])('reads %s', (url, expected) => {
    expect(load(fromEnv(url)).store).toMatchObject(expected)
  })

  it('comes from a file as a text, a map, or a reference to a secret', () => {
    const text = writeFile('text.yaml', 'store: sqlite:here/gate.db')
    expect(load({ file: text }).store).toEqual({
      driver: 'sqlite',
      path: join(folder, 'here/gate.db'),
    })
    const map = writeFile(
      'map.yaml',
      'store: { url: { env: DATABASE_URL }, directUrl: postgres://direct/d, prefix: mine }',
    )
    const env = { ...key, DATABASE_URL: 'postgres://u:p@pool/d' }
    expect(load({ file: map, env }).store).toEqual({
      driver: 'postgres',
      url: 'postgres://u:p@pool/d',
      directUrl: 'postgres://direct/d',
      prefix: 'mine',
    })
    writeFile('url', 'redis://:secret@h\n')
    const reference = writeFile('reference.yaml', 'store: { file: url }')
    expect(load({ file: reference }).store).toMatchObject({ url: 'redis://:secret@h' })
  })

  it('comes from GATEHOUSE_STORE_FILE too, and a name given twice must agree', () => {
    const path = writeFile('secret', 'postgres://u:p@h/d')
    const env = { ...key, GATEHOUSE_STORE_FILE: path }
    expect(load({ env }).store).toMatchObject({ url: 'postgres://u:p@h/d' })
    expect(findProblems({ env: { ...env, GATEHOUSE_STORE: 'memory:' } })).toHaveLength(1)
  })

  it('keeps the members of the file when the environment names another URL', () => {
    const file = writeFile('prefix.yaml', 'store: { url: redis://old, prefix: mine }')
    expect(load({ file, ...fromEnv('redis://new') }).store).toMatchObject({
      url: 'redis://new',
      prefix: 'mine',
    })
  })

  it.each([
    ['mysql://u:hunter2@h/d', /must be postgres:/],
    ['hunter2', /must be postgres:/],
    ['memory:hunter2', /must be memory: and nothing more/],
    ['sqlite:', /must name a file/],
    ['sqlite://hunter2/d', /must name a file/],
    ['redis://u:hunter2%@h', /%25/],
    ['redis://u:hunter2@h/name', /must have the form redis/],
    ['postgres://u:hunter2@h:port/d', /must have the form postgres/],
  ])('refuses %s without repeating it', (url, expected) => {
    const problems = findProblems(fromEnv(url))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(expected)
    expect(problems[0]).not.toContain('hunter2')
    expect(problems[0]).toContain('GATEHOUSE_STORE')
  })

  it.each([
    ['redis://h', { GATEHOUSE_STORE_DIRECT_URL: 'postgres://h/d' }, /goes with postgres/],
    ['postgres://h/d', { GATEHOUSE_STORE_ON_WEAK_DURABILITY: 'warn' }, /goes with redis/],
    ['sqlite:x', { GATEHOUSE_STORE_PREFIX: 'a' }, /goes with postgres:\/\/ and redis/],
    ['postgres://h/d', { GATEHOUSE_STORE_PREFIX: 'A-b' }, /small letters/],
    ['postgres://h/d', { GATEHOUSE_STORE_DIRECT_URL: 'redis://h' }, /must begin with postgres/],
  ])('refuses with %s what does not go with it: %s', (url, more, expected) => {
    expect(findProblems(fromEnv(url, more))).toEqual([expect.stringMatching(expected)])
  })

  it('wants the master key of a shared store to be given, unless no key is used', () => {
    const env = { GATEHOUSE_STORE: 'postgres://u:hunter2@h/d' }
    expect(findProblems({ env })).toEqual([expect.stringMatching(/^tokenEncryptionKey is missing/)])
    expect(findProblems({ env, needsMasterKey: false })).toEqual([])
    expect(findProblems({ env: {} })).toEqual([])
  })

  it('knows a platform whose disk goes with the instance (H9)', () => {
    expect(load({ env: { ...key, K_SERVICE: 'gate' } }).ephemeralPlatform).toBe('Cloud Run')
    expect(load({}).ephemeralPlatform).toBeUndefined()
  })
})

describe('renderStore', () => {
  it.each([
    ['postgres://u:hunter2@h:5/d?password=hunter2', 'PostgreSQL at h:5/d'],
    ['redis://u:hunter2@h/3', 'Redis at h/3'],
    ['rediss://:hunter2@h', 'Redis at h'],
  ])('never shows the password of %s', (url, expected) => {
    expect(renderStore(load(fromEnv(url)).store)).toBe(expected)
  })
})

describe('parseStoreUrl', () => {
  const env = { TARGET: 'redis://u:hunter2@h' }

  it('takes the URL from the environment when told, so that no list of processes shows it', () => {
    expect(parseStoreUrl({ url: 'env:TARGET', prefix: 'mine' }, env)).toEqual({
      store: {
        driver: 'redis',
        url: env.TARGET,
        prefix: 'mine',
        onWeakDurability: 'refuse',
      },
    })
  })

  it.each([
    ['env:NOWHERE', undefined, 'names the environment variable NOWHERE, which is not set'],
    ['sqlite:x.db', 'a', 'has a prefix that goes with postgres:// and redis:// only'],
    ['http://u:hunter2@h', undefined, /^must be postgres/],
    ['', undefined, /^must be/],
  ])('says what is wrong with %s', (url, prefix, problem) => {
    expect(parseStoreUrl({ url, prefix }, env)).toEqual({
      problem: typeof problem === 'string' ? problem : expect.stringMatching(problem),
    })
  })
})

describe('openStore', () => {
  it('opens the one that is named', async () => {
    const store = await openStore({ driver: 'memory' }, { clock: systemClock })
    await store.commit({ set: [{ key: 'a', value: '1' }] })
    expect(await store.list('')).toHaveLength(1)
    await store.close()
  })
})
