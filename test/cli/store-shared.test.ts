/** Every store behind the real command: serving, several instances, moving between them, interrupted copies. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { redisStore } from '../../src/storage/redis.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import { createBrowser } from '../helpers/browser.ts'
import { approve, owner } from '../helpers/live.ts'
import {
  authorizePath,
  type Registered,
  redeem,
  refresh,
  registerClient,
} from '../helpers/oauth-client.ts'
import { type PostgresServer, startPostgres } from '../helpers/postgres.ts'
import { hasRedis, type RedisServer, startRedis } from '../helpers/redis.ts'
import { createFolder, type RunOptions, runCommand, startCommand } from './command.ts'
import {
  endServers,
  findPort,
  listAll,
  listEntries,
  type Serving,
  startServing,
} from './store-serving.ts'

let postgres: PostgresServer
let redis: RedisServer
beforeAll(async () => {
  if (!hasRedis) return
  ;[postgres, redis] = await Promise.all([startPostgres(), startRedis()])
})
afterAll(() => Promise.all([postgres?.stop(), redis?.close()]))

let folder: string
beforeEach(async () => {
  const created = await createFolder()
  folder = created.folder
  return created.remove
})
afterEach(() => endServers())

const run = (args: string[], options: RunOptions = {}) =>
  runCommand(args, { cwd: folder, ...options })

async function runWell(args: string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(args, options)
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
  return stdout
}

const addOwner = (args: string[] = [], env = {}) =>
  runWell(['users', 'add', owner.email, '--password-stdin', ...args], {
    input: owner.password,
    env,
  })

/** Registers, signs in and redeems, as a client and its user do. */
async function connect({ origin, send }: Serving): Promise<[Registered, string]> {
  const client = await registerClient(send)
  const browser = createBrowser(origin, (request) => fetch(request))
  const back = await approve(browser, origin + authorizePath(client))
  const { body } = await redeem(send, client, back.url.searchParams.get('code') ?? '')
  return [client, body.refresh_token ?? '']
}

async function refreshWell({ send }: Serving, client: Registered, token: string): Promise<string> {
  const { status, body } = await refresh(send, client, token)
  expect(status, JSON.stringify(body)).toBe(200)
  return body.refresh_token ?? ''
}

describe.skipIf(!hasRedis)('a store named with --store', () => {
  it('moves SQLite → Redis → PostgreSQL → SQLite, and tokens survive every move (H9)', async () => {
    await addOwner()
    const first = await startServing(folder, [])
    const connected = await connect(first)
    const [client] = connected
    let token = await refreshWell(first, client, connected[1])
    await first.stop()

    const key = readFileSync(join(folder, 'gatehouse-data/master.key'), 'utf8').trim()
    const env = { TOKEN_ENCRYPTION_KEY: key }
    const places = [redis.url, postgres.url, 'sqlite:moved/gate.db']
    let from: string[] = []
    for (const place of places) {
      await runWell(['store', 'copy', ...from, '--to', place])
      const served = await startServing(folder, ['--store', place], first.port, env)
      expect(served.printed).toMatch(/Store +(Redis|PostgreSQL|SQLite) /)
      token = await refreshWell(served, client, token)
      await served.stop()
      await runWell(['store', 'verify', '--store', place], { env })
      const status = JSON.parse(await runWell(['store', 'status', '--json', '--store', place]))
      expect(status).toMatchObject({ schema: 1, kinds: { grant: 1, family: 1 }, copy_from: null })
      from = ['--from', place]
    }
    const users = await run(['users', 'list', '--json', '--store', 'sqlite:moved/gate.db'], { env })
    expect(JSON.parse(users.stdout)).toMatchObject([{ login: owner.email }])
  }, 60_000)

  it.each(['redis', 'postgres'] as const)(
    'lets any instance on %s do any step, and keeps all over restarts (H9)',
    async (driver) => {
      const url = driver === 'redis' ? redis.url : postgres.url
      const env = { TOKEN_ENCRYPTION_KEY: 'm'.repeat(43), GATEHOUSE_STORE_PREFIX: 'instances' }
      const shared = { ...env, GATEHOUSE_STORE: url }
      await addOwner([], shared)
      const [portOne, portTwo] = [await findPort(), await findPort()]
      const issuer = { ...shared, SERVER_URL: `http://localhost:${portOne}` }
      const [one, two] = await Promise.all([
        startServing(folder, [], portOne, issuer),
        startServing(folder, [], portTwo, issuer),
      ])
      const [client, token] = await connect(one)
      const next = await refreshWell(two, client, token)
      await Promise.all([one.stop(), two.stop()])
      const again = await startServing(folder, [], portOne, issuer)
      await refreshWell(again, client, next)
    },
    60_000,
  )

  it('wants the master key for a shared store, and warns on a disk that goes (H9)', async () => {
    const serve = ['serve', '--to', 'http://127.0.0.1:9/mcp', '--port', '0']
    const keyless = await run([...serve, '--store', postgres.url])
    expect(keyless).toMatchObject({ code: 2, stdout: '' })
    expect(keyless.stderr).toMatch(/tokenEncryptionKey is missing: .* openssl rand -base64 32/)

    const env = { K_SERVICE: 'gate' }
    for (const args of [[], ['--store', 'memory:']]) {
      const served = await startServing(folder, args, undefined, env)
      await served.until(/On Cloud Run the disk goes with the instance.*--store postgres/)
      await served.stop()
    }
  }, 60_000)
})

describe.skipIf(!hasRedis)('gatehouse store copy', () => {
  it('goes on where it was killed, and nobody serves from a part (SG-08)', async () => {
    await addOwner()
    const path = join(folder, 'gatehouse-data/gatehouse.db')
    const source = await sqliteStore({ path, clock: systemClock })
    const expiresAt = systemClock.now() + 3600
    const set = Array.from({ length: 30_000 }, (_, n) => ({
      key: `filler/${String(n).padStart(6, '0')}`,
      value: JSON.stringify({ n, text: 'x'.repeat(300) }),
      ...(n % 3 === 0 && { expiresAt }),
    }))
    await source.commit({ set })
    await source.close()

    const copy = ['store', 'copy', '--to', redis.url, '--to-prefix', 'killed']
    const killed = startCommand(copy, { cwd: folder })
    const count = async () => Number(await redis.command('ZCARD', '{killed}:names'))
    for (let polls = 0; polls < 5000 && (await count()) < 2000; polls += 1);
    killed.child.kill('SIGKILL')
    await killed.ended
    const reached = await count()
    expect(reached).toBeGreaterThan(2000)
    expect(reached).toBeLessThan(30_000)

    const env = { GATEHOUSE_STORE: redis.url, GATEHOUSE_STORE_PREFIX: 'killed' }
    const status = JSON.parse(await runWell(['store', 'status', '--json'], { env }))
    expect(status).toMatchObject({ copy_finished: false })
    const early = await run(['users', 'list'], {
      env: { ...env, TOKEN_ENCRYPTION_KEY: 'k'.repeat(43) },
    })
    expect(early.stderr).toContain('only part of a copy')
    await addOwner(['--store', 'sqlite:second.db'])
    const other = await run([...copy, '--from', 'sqlite:second.db'])
    expect(other.stderr).toMatch(/The target holds a copy from SQLite .*, not from SQLite/)

    const resumed = await run(copy)
    expect(resumed.code).toBe(0)
    expect(resumed.stderr).toContain('Going on with the copy from SQLite')
    expect(Number(/([\d,]+) written/.exec(resumed.stdout)?.[1]?.replace(',', ''))).toBeLessThan(
      28_200,
    )
    const target = await redisStore({ url: redis.url, prefix: 'killed', clock: systemClock })
    expect(await listEntries(target)).toEqual(await listAll(path))
    await target.close()
  }, 60_000)
})
