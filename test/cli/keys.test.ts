import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import { createFolder, type Running, type RunOptions, runCommand, startCommand } from './command.ts'

let folder: string
let server: Running | undefined
beforeEach(async () => {
  const created = await createFolder()
  folder = created.folder
  return created.remove
})
afterEach(() => stop())

const oldKey = Buffer.alloc(32, 'old').toString('base64')
const newKey = Buffer.alloc(32, 'new').toString('base64')

const data = (): string => join(folder, 'data')
const run = (args: string[], options?: RunOptions) =>
  runCommand([...args, '--data', data()], options)

async function runWell(args: string[], options?: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await run(args, options)
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
  return stdout
}

async function listKeys() {
  return JSON.parse(await runWell(['keys', 'list', '--json']))
}

/** Starts a server on the folder; returns its issuer. */
async function serve(env: Record<string, string> = {}): Promise<string> {
  const args = ['serve', '--to', 'http://127.0.0.1:9/mcp', '--port', '0', '--data', data()]
  server = startCommand(args, { env })
  const said = await server.until(/Issuer +http:\S+/)
  return /Issuer +(http:\S+)/.exec(said)?.[1] ?? ''
}

async function stop(): Promise<void> {
  server?.child.kill('SIGTERM')
  await server?.ended
  server = undefined
}

async function fetchKids(issuer: string): Promise<string[]> {
  const { keys } = (await (await fetch(`${issuer}/jwks`)).json()) as { keys: { kid: string }[] }
  return keys.map(({ kid }) => kid)
}

/** Asks again until the server has heard of a change. */
async function waitForKids(issuer: string, count: number): Promise<string[]> {
  await expect.poll(() => fetchKids(issuer), { timeout: 10_000, interval: 50 }).toHaveLength(count)
  return fetchKids(issuer)
}

describe('gatehouse keys', () => {
  it('makes the next signing key, and a running server publishes it without a restart', async () => {
    const issuer = await serve()
    const [first] = await fetchKids(issuer)
    const said = await runWell(['keys', 'rotate'])
    const kid = /Signing key (\S+) signs from \d{4}-\d\d-\d\d \d\d:\d\d UTC on/.exec(said)?.[1]
    expect(new Set(await waitForKids(issuer, 2))).toEqual(new Set([first, kid]))
    const { signing_keys } = await listKeys()
    expect(signing_keys).toHaveLength(2)
    expect(signing_keys).toContainEqual(
      expect.objectContaining({ kid: first, state: 'signs', removed_at: expect.any(Number) }),
    )
    expect(signing_keys).toContainEqual(
      expect.objectContaining({ kid, algorithm: 'ES256', state: 'published', removed_at: null }),
    )
    const next = signing_keys.find((key: { kid: string }) => key.kid === kid)
    expect(next.active_at - next.created_at).toBe(660)
  }, 60_000)

  it('signs with it in ten seconds when told so, and warns of caches', async () => {
    await serve()
    await stop()
    expect(await runWell(['keys', 'rotate', '--now'])).toContain('may refuse its tokens')
    const { signing_keys } = await listKeys()
    const spans = signing_keys.map(
      (key: Record<string, number>) => (key.active_at ?? 0) - (key.created_at ?? 0),
    )
    expect(spans.toSorted()).toEqual([0, 10])
  }, 30_000)

  it('revokes a key: a running server no longer publishes it, and another one signs', async () => {
    const issuer = await serve()
    const [leaked = ''] = await fetchKids(issuer)
    const said = await runWell(['keys', 'revoke', leaked])
    const next = /^Signing key (\S+) signs$/m.exec(said)?.[1]
    expect(said).toContain(`Revoked signing key ${leaked}`)
    await expect
      .poll(() => fetchKids(issuer), { timeout: 10_000, interval: 50 })
      .toEqual([expect.not.stringContaining(leaked)])
    expect((await listKeys()).signing_keys).toMatchObject([{ kid: next, state: 'signs' }])
    const again = await run(['keys', 'revoke', leaked])
    expect(again).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`There is no signing key ${leaked}`),
    })
  }, 60_000)

  it('makes the next data key, once, and shows how far values have followed', async () => {
    await serve()
    const said = await runWell(['keys', 'rotate', '--data-key'])
    const id = /Data key (\S+) seals new values in five minutes/.exec(said)?.[1]
    expect(await runWell(['keys', 'rotate', '--data-key'])).toContain(id)
    expect((await listKeys()).data_keys).toMatchObject([
      { state: 'seals' },
      { id, state: 'published' },
    ])
    await stop()
    const store = await sqliteStore({ path: join(data(), 'gatehouse.db'), clock: systemClock })
    const walk = { dataKeyId: id, startedAt: 1, seen: 1200, resealed: 800, left: 3 }
    await store.commit({ set: [{ key: 'resealing/self', value: JSON.stringify(walk) }] })
    await store.close()
    const list = await runWell(['keys', 'list'])
    expect(list).toMatch(/^Signing keys\n\nKID +ALGORITHM +STATE +MADE +SIGNS FROM +REMOVED FROM\n/)
    expect(list).toMatch(/\nData keys\n\nID +STATE +MADE +SEALS FROM\n/)
    expect(list).toContain(`Re-sealing goes on: 800 of 1200 records brought under ${id} so far`)
    expect((await listKeys()).resealing).toEqual({
      data_key: id,
      started_at: 1,
      finished_at: null,
      seen: 1200,
      resealed: 800,
      left: 3,
    })
  }, 60_000)

  it('refuses what makes no sense', async () => {
    const missing = await run(['keys', 'list'])
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no data folder'),
    })
    const both = await run(['keys', 'rotate', '--now', '--data-key'])
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('--now') })
    const often = await run(['keys', 'list'], {
      env: { GATEHOUSE_SIGNING_KEY_ROTATION_SECONDS: '60' },
    })
    expect(often).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('SIGNING_KEY_ROTATION'),
    })
  }, 30_000)
})

describe('another master key', () => {
  it('takes over with both given once; then the new one is enough and the old one is refused', async () => {
    const list = ['users', 'list', '--json']
    const add = ['users', 'add', 'ada@example.com', '--password-stdin']
    await runWell(add, { input: 'correct horse battery', env: { TOKEN_ENCRYPTION_KEY: oldKey } })
    await serve({ TOKEN_ENCRYPTION_KEY: newKey, TOKEN_ENCRYPTION_KEY_PREVIOUS: oldKey })
    await stop()
    const users = await runWell(list, { env: { TOKEN_ENCRYPTION_KEY: newKey } })
    expect(users).toContain('ada@example.com')
    const old = await run(list, { env: { TOKEN_ENCRYPTION_KEY: oldKey } })
    expect(old.code).toBe(1)
    expect(old.stderr).toMatch(
      /^Error: The master key is not the one this store is sealed with .*start with that key/,
    )
    expect(old.stderr.trimEnd().split('\n')).toHaveLength(1)
  }, 60_000)

  it('can follow the file of the data folder', async () => {
    const env = {
      TOKEN_ENCRYPTION_KEY: newKey,
      TOKEN_ENCRYPTION_KEY_PREVIOUS_FILE: join(data(), 'master.key'),
    }
    await runWell(['users', 'add', 'ada@example.com', '--password-stdin'], {
      input: 'correct horse battery',
    })
    expect(await runWell(['users', 'list', '--json'], { env })).toContain('ada@example.com')
    expect((await run(['users', 'list'])).code).toBe(1)
  }, 30_000)
})
