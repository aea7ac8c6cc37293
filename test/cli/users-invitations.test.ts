import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { createUsers } from '../../src/identity/users.ts'
import { openMasterKey } from '../../src/operate/config/secrets.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { systemRandom } from '../../src/platform/crypto.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { Store } from '../../src/storage/store.ts'
import { createFolder, runCommand } from './command.ts'

let folder: string
beforeEach(async () => {
  const created = await createFolder()
  folder = created.folder
  return created.remove
})

const data = (): string => join(folder, 'data')
const run = (...args: string[]) => runCommand(['users', ...args, '--data', data()])

async function runWell(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args)
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
  return stdout
}

const list = async () => JSON.parse(await runWell('invitations', '--json'))

describe('gatehouse users invite', () => {
  it('invites by address or by login, lists it and takes it back', async () => {
    expect(await runWell('invite', 'Ann@Example.com')).toMatch(
      /^Invited ann@example\.com at any provider as user, until \d{4}-\d\d-\d\d \d\d:\d\d UTC\n$/,
    )
    await runWell('invite', 'Octocat', '--provider', 'github', '--role', 'owner', '--expires', '3')
    const [login, address] = (await list()).sort((a: { provider: string | null }) =>
      a.provider ? -1 : 1,
    )
    expect(login).toMatchObject({ name: 'octocat', provider: 'github', role: 'owner' })
    expect(login.expires_at - login.created_at).toBe(3 * 86_400)
    expect(address).toMatchObject({ name: 'ann@example.com', provider: null, role: 'user' })
    expect(address.expires_at - address.created_at).toBe(14 * 86_400)
    expect(await runWell('invitations')).toMatch(/ann@example\.com +any provider +user/)

    expect(await runWell('uninvite', 'OCTOCAT')).toBe('octocat is no longer invited\n')
    expect(await runWell('uninvite', 'ann@EXAMPLE.com')).toContain('no longer invited')
    expect(await list()).toEqual([])
    expect(await runWell('invitations')).toContain('Nobody is invited')
  })

  it('knows the providers of the configuration, where there is one', async () => {
    const env = { GITHUB_CLIENT_ID: 'id', GITHUB_CLIENT_SECRET: 'secret' }
    const at = (provider: string) =>
      runCommand(['users', 'invite', 'ann', '--provider', provider, '--data', data()], { env })
    expect((await at('github')).code).toBe(0)
    const { code, stderr } = await at('gitbuh')
    expect([code, stderr]).toEqual([
      2,
      'Error: There is no provider gitbuh in this configuration; there is github\n',
    ])
  })

  it('takes back the invitation for one provider only when one is named', async () => {
    await runWell('invite', 'ann@example.com')
    await runWell('invite', 'ann@example.com', '--provider', 'github')
    await runWell('uninvite', 'ann@example.com', '--provider', 'github')
    expect(await list()).toMatchObject([{ provider: null }])
    const { code, stderr } = await run('uninvite', 'ann@example.com', '--provider', 'github')
    expect(code).toBe(1)
    expect(stderr).toContain('ann@example.com is not invited')
  })

  it.each([
    [['octocat'], /A login is a name at one provider.*--provider ID/],
    [['a@b@example.com'], /is no e-mail address/],
    [['octocat', '--provider', 'Git Hub'], /is no id of a provider/],
    [['ann@example.com', '--expires', '0'], /from 1 to 365/],
    [['ann@example.com', '--expires', 'soon'], /from 1 to 365/],
    [['ann@example.com', '--role', 'admin'], /owner, user/],
  ])('refuses %j', async (args, reason) => {
    const { code, stderr } = await run('invite', ...args)
    expect(code).toBe(2)
    expect(stderr).toMatch(reason)
  })
})

/** Opens what the commands work on, and lets Ann in through two providers. */
async function enterTwice(work: (store: Store) => Promise<void> = async () => {}): Promise<void> {
  const path = join(data(), 'gatehouse.db')
  const store = await sqliteStore({ path, clock: systemClock })
  try {
    const ports = { store, clock: systemClock, random: systemRandom }
    const sealer = await createSealer({ ...ports, masterKey: openMasterKey(data(), path) })
    const users = createUsers({ ...ports, sealer, accessTokenSeconds: 60 })
    const ann = { login: 'ann', email: 'ann@example.com', emailVerified: true }
    for (const upstream of ['github', 'google']) {
      await users.admit(upstream, { ...ann, subject: upstream }, { linkByVerifiedEmail: true })
    }
    await work(store)
  } finally {
    await store.close()
  }
}

describe('gatehouse store verify', () => {
  const verify = () => runCommand(['store', 'verify', '--data', data()])

  it('knows linked users, their addresses and invitations', async () => {
    await runWell('invite', 'bob@example.com')
    await enterTwice()
    const { code, stdout, stderr } = await verify()
    expect(stdout + stderr).not.toMatch(/unknown|damaged/i)
    expect(code).toBe(0)
  })

  it.each(['user-by-upstream', 'user-by-email'])('misses a %s that is gone', async (kind) => {
    await runWell('invite', 'bob@example.com')
    await enterTwice(async (store) => {
      const found = await store.list(`${kind}/`)
      await store.commit({ delete: [found.at(-1)?.key ?? ''] })
    })
    expect((await verify()).code).toBe(1)
  })
})
