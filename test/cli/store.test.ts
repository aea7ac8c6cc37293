/** `gatehouse store` over SQLite, by the real command. */
import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { clients } from '../../src/storage/records/client.ts'
import { families } from '../../src/storage/records/family.ts'
import { grants, toGrantWrites } from '../../src/storage/records/grant.ts'
import { users, usersByLogin } from '../../src/storage/records/user.ts'
import { vaults } from '../../src/storage/records/vault.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { Store } from '../../src/storage/store.ts'
import { authorizePath, registerClient } from '../helpers/oauth-client.ts'
import { createFolder, type RunOptions, runCommand } from './command.ts'
import { endServers, listAll, startServing } from './store-serving.ts'
import { sync } from './store-syncing.ts'

let folder: string
beforeEach(async () => {
  const created = await createFolder()
  folder = created.folder
  return created.remove
})
afterEach(() => endServers())

const run = (args: string[], options: RunOptions = {}) =>
  runCommand(args, { cwd: folder, ...options })
const file = (name = 'gatehouse-data/gatehouse.db') => join(folder, name)

async function open<T>(path: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await sqliteStore({ path, clock: systemClock })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

async function addUser(): Promise<void> {
  const input = 'correct horse battery'
  const added = await run(['users', 'add', 'ada@example.com', '--password-stdin'], { input })
  expect(added.code).toBe(0)
}

/** Writes a grant that leads to nobody's user, which is no damage. */
async function addGrant(): Promise<void> {
  const now = systemClock.now()
  const until = { expiresAt: now + 86_400, storedUntil: now + 86_400, createdAt: now }
  const names = { id: 'g1', userId: 'u1', clientId: 'c1', resource: 'http://localhost/mcp' }
  const grant = { ...names, ...until, scope: 'a', requestedScope: 'a' }
  await open(file(), (store) => store.commit({ set: toGrantWrites(grant) }))
}

async function fill(path: string, count: number): Promise<void> {
  const expiresAt = systemClock.now() + 3600
  const set = Array.from({ length: count }, (_, n) => ({
    key: `filler/${String(n).padStart(6, '0')}`,
    value: JSON.stringify({ n, text: 'x'.repeat(200) }),
    ...(n % 2 === 0 && { expiresAt }),
  }))
  await open(path, (store) => store.commit({ set }))
}

describe('gatehouse store status and migrate', () => {
  it('tell what is there and change nothing', async () => {
    const before = JSON.parse((await run(['store', 'status', '--json'])).stdout)
    expect(before).toMatchObject({ driver: 'sqlite', reachable: true, schema: null, live: null })
    expect(existsSync(file('gatehouse-data'))).toBe(false)

    const migrated = await run(['store', 'migrate'])
    expect(migrated.stderr).toMatch(/^Error: There is no store yet/)
    expect(existsSync(file('gatehouse-data'))).toBe(false)

    await addUser()
    expect((await run(['store', 'migrate'])).stdout).toMatch(/^Nothing to do/)
    const after = JSON.parse((await run(['store', 'status', '--json'])).stdout)
    expect(after).toMatchObject({
      schema: 1,
      live: 4,
      expired: 0,
      durability: { journal_mode: 'wal', synchronous: 'full' },
      kinds: { audit: 1, user: 1, 'user-by-login': 1, vault: 1 },
    })
    expect(after.size_bytes).toBeGreaterThan(4096)
    expect((await run(['store', 'status'])).stdout).toMatch(/KIND +LIVE\n/)
  })

  it('say why a store cannot be reached, exit code 1, without the password', async () => {
    for (const url of ['postgres://u:hunter2@127.0.0.1:1/d', 'redis://u:hunter2@127.0.0.1:1']) {
      const { code, stdout, stderr } = await run(['store', 'status', '--json', '--store', url])
      expect(code).toBe(1)
      expect(JSON.parse(stdout)).toMatchObject({ reachable: false })
      expect(stderr).toContain('127.0.0.1:1')
      expect(stdout + stderr).not.toContain('hunter2')
    }
    const memory = await run(['users', 'list', '--store', 'memory:'])
    expect(memory.stderr).toContain('The memory store is seen by its server alone')
  })
})

describe('gatehouse store copy', () => {
  it('copies entries with their expiry, says so, and brings later changes when run again', async () => {
    await addUser()
    await fill(file(), 1000)
    const copied = await run(['store', 'copy', '--to', 'sqlite:other.db'])
    expect(copied).toMatchObject({ code: 0 })
    expect(copied.stdout).toMatch(/^Copied: 1,004 entries .* 1,004 written in this run/)
    expect(await listAll(file('other.db'))).toEqual(await listAll(file()))

    await open(file(), (store) =>
      store.commit({
        set: [
          { key: 'filler/000001', value: '"changed"' },
          { key: 'filler/000002', value: JSON.stringify({ n: 2, text: 'x'.repeat(200) }) },
          { key: 'zz', value: '1' },
        ],
        delete: ['filler/000999', 'filler/000500'],
      }),
    )
    const again = await run(['store', 'copy', '--to', 'sqlite:other.db', '--json'])
    expect(again.code).toBe(0)
    expect(JSON.parse(again.stdout)).toMatchObject({ changed: 5, equal: true })
    expect(again.stderr).toBe('')
    expect(await listAll(file('other.db'))).toEqual(await listAll(file()))
  })

  it('refuses a target that is not empty, or is in use, unless told to merge', async () => {
    await addUser()
    await open(file('other.db'), (store) => store.commit({ set: [{ key: 'own', value: '1' }] }))
    const copy = ['store', 'copy', '--to', 'sqlite:other.db']
    const refused = await run(copy)
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toMatch(/^Error: The target is not empty;.*--merge.*\n$/)
    expect(await listAll(file('other.db'))).toHaveLength(1)

    expect(await run([...copy, '--merge'])).toMatchObject({ code: 0 })
    const keys = (await listAll(file('other.db'))).map(({ key }) => key)
    expect(keys).toHaveLength(5)
    expect(keys).toContain('own')
  })

  it('refuses to merge stores that are sealed apart, a source that is not there, and itself', async () => {
    await addUser()
    const apart = { TOKEN_ENCRYPTION_KEY: 'x'.repeat(43) }
    const add = ['users', 'add', 'b@example.com', '--password-stdin', '--store', 'sqlite:other.db']
    await run(add, { input: 'correct horse battery', env: apart })
    const merged = await run(['store', 'copy', '--to', 'sqlite:other.db', '--merge'])
    expect(merged).toMatchObject({ code: 1 })
    expect(merged.stderr).toContain('sealed with different keys')

    const missing = await run(['store', 'copy', '--from', 'sqlite:no.db', '--to', 'sqlite:new.db'])
    expect(missing.stderr).toContain('There is no store yet')
    const same = await run(['store', 'copy', '--to', 'sqlite:gatehouse-data/gatehouse.db'])
    expect(same.stderr).toContain('are the same store')
    expect(same.code).toBe(2)
  })

  it('lets nobody serve from a copy that is behind its source, until it is run again', async () => {
    await addUser()
    await open(file(), (source) =>
      open(file('other.db'), async (target) => {
        const busy = async (pass: number) => {
          await source.commit({ set: [{ key: 'busy', value: `${pass}` }] })
        }
        const { isEqual } = await sync(source, target, { from: `SQLite ${file()}`, onSlice: busy })
        expect(isEqual).toBe(false)
      }),
    )
    const early = await run(['users', 'list', '--store', 'sqlite:other.db'])
    expect(early.code).toBe(1)
    expect(early.stderr).toMatch(/only part of a copy from SQLite .*: finish it/)

    expect(await run(['store', 'copy', '--to', 'sqlite:other.db'])).toMatchObject({ code: 0 })
    expect(await run(['users', 'list', '--store', 'sqlite:other.db'])).toMatchObject({ code: 0 })
    expect(await listAll(file('other.db'))).toEqual(await listAll(file()))
  })

  it('copies nothing more into a store that a server was started on', async () => {
    await addUser()
    const copy = ['store', 'copy', '--to', 'sqlite:other.db']
    expect(await run(copy)).toMatchObject({ code: 0 })
    const served = await startServing(folder, ['--store', 'sqlite:other.db'])
    await served.stop()
    const late = await run(copy)
    expect(late).toMatchObject({ code: 2 })
    expect(late.stderr).toContain('The target is not empty')
  })
})

describe('gatehouse store verify', () => {
  const verify = async () => {
    const { code, stdout } = await run(['store', 'verify', '--json'])
    const { problems } = JSON.parse(stdout) as {
      problems: { problem: string; count: number; examples: string[] }[]
    }
    return { code, found: problems.map((one) => [one.problem, one.count, one.examples[0]]) }
  }

  it('finds nothing wrong with what it wrote itself', async () => {
    await addUser()
    await addGrant()
    expect(await verify()).toEqual({ code: 0, found: [] })
    expect((await run(['store', 'verify'])).stdout).toContain('Everything is in order')
  })

  it('finds a flipped byte, broken JSON, missing members and dangling entries, exit code 1', async () => {
    await addUser()
    await addGrant()
    const expected = await open(file(), async (store) => {
      const [user] = await users.list(store)
      if (!user) throw new Error('There is no user')
      const { sealedProfile } = user.value
      const at = sealedProfile.length - 5
      const flipped = sealedProfile[at] === 'A' ? 'B' : 'A'
      const altered = sealedProfile.slice(0, at) + flipped + sealedProfile.slice(at + 1)
      await store.commit({
        set: [
          users.write(user.key, { ...user.value, sealedProfile: altered }),
          { key: clients.key('bad'), value: '{"id":' },
          { key: clients.key('worse'), value: '{"id":"worse"}' },
          usersByLogin.write(usersByLogin.key('nobody'), { userId: 'gone' }),
          { key: families.key('gone'), value: '{"currentHash":"h","rotatedAt":1,"generation":0}' },
        ],
        delete: [grants.key('g1')],
      })
      return [
        ['client record is no JSON object', 1, 'client/bad'],
        ['client record lacks origin, or has it in another type', 1, 'client/worse'],
        ['client record lacks metadata, or has it in another type', 1, 'client/worse'],
        ['client record lacks createdAt, or has it in another type', 1, 'client/worse'],
        ['user record has a sealedProfile that does not open', 1, user.key],
        ['user-by-login record leads to no fitting user record', 1, 'user-by-login/nobody'],
        ['family record leads to no fitting grant record', 1, 'family/gone'],
        ['client-grant record leads to no fitting grant record', 1, 'client-grant/c1/g1'],
        ['user-grant record leads to no fitting grant record', 1, 'user-grant/u1/g1'],
      ]
    })
    const { code, found } = await verify()
    expect(code).toBe(1)
    expect(new Set(found)).toEqual(new Set(expected))
    const { stdout, stderr } = await run(['store', 'verify'])
    expect(stdout).toMatch(/COUNT +PROBLEM +FOR EXAMPLE\n/)
    expect(stderr).toBe('Error: 9 problems in the store\n')
  })

  it('finds a grant that is not listed, and a vault that is gone, without making another', async () => {
    await addUser()
    await addGrant()
    await open(file(), (store) =>
      store.commit({ delete: ['user-grant/u1/g1', vaults.key('self')] }),
    )
    const { code, found } = await verify()
    expect(code).toBe(1)
    expect(found).toEqual([
      ['vault record is missing, so nothing that is sealed can be opened', 1, 'vault/self'],
      ['grant record leads to no fitting user-grant record', 1, 'grant/g1'],
    ])
    expect(await open(file(), (store) => vaults.find(store, 'self'))).toBeUndefined()
  })

  it('says that it was given another master key', async () => {
    await addUser()
    const env = { TOKEN_ENCRYPTION_KEY: 'x'.repeat(43) }
    const { code, stderr } = await run(['store', 'verify'], { env })
    expect(code).toBe(1)
    expect(stderr).toContain('The master key is not the one this store is sealed with')
  })
})

describe('gatehouse store backup', () => {
  it('is sound and can be served from, although writes went on meanwhile', async () => {
    const served = await startServing(folder, [])
    const first = await registerClient(served.send)
    await fill(file(), 5000)
    let isBackingUp = true
    let written = 0
    const writing = open(file(), async (store) => {
      for (; isBackingUp; written += 1) {
        await store.commit({ set: [{ key: 'filler/busy', value: `${written}` }] })
      }
    })
    const backup = ['store', 'backup', '--to', 'backup.db']
    const made = await run(backup)
    isBackingUp = false
    await writing
    await served.stop()
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(made.stdout).toMatch(/^Backed up to backup\.db\. Keep the master key too/)
    expect(written).toBeGreaterThan(0)
    expect(statSync(file('backup.db')).mode & 0o777).toBe(0o600)
    expect(existsSync(file('backup.db-wal'))).toBe(false)
    expect((await run(backup)).stderr).toContain('exists; choose another file')

    mkdirSync(file('restored'))
    copyFileSync(file('backup.db'), file('restored/gatehouse.db'))
    copyFileSync(file('gatehouse-data/master.key'), file('restored/master.key'))
    const restored = ['--data', 'restored']
    expect(await run(['store', 'verify', ...restored])).toMatchObject({ code: 0 })
    const again = await startServing(folder, restored, served.port)
    const page = await again.send(authorizePath(first), { redirect: 'manual' })
    expect(page.status).toBe(200)
  })

  it('names the right tool for the others', async () => {
    const backup = ['store', 'backup', '--to', 'x.db', '--store']
    const postgres = await run([...backup, 'postgres://u:hunter2@h/d'])
    expect(postgres.stderr).toMatch(/pg_dump.*gatehouse store copy --to sqlite:x\.db\n$/)
    expect(postgres.stderr).not.toContain('hunter2')
    const redis = await run([...backup, 'redis://h'])
    expect(redis).toMatchObject({ code: 2 })
    expect(redis.stderr).toMatch(/append-only folder/)
  })
})
