import { describe, expect, it, vi } from 'vitest'
import type { Identity } from '../../src/identity/upstream.ts'
import { endedGrants, grants } from '../../src/storage/records/grant.ts'
import { users as userRecords } from '../../src/storage/records/user.ts'
import type { Store } from '../../src/storage/store.ts'
import { accessTokenSeconds, addGrant, createHouse, listKeys } from './fixtures.ts'

vi.unmock('../../src/platform/scrypt.ts')

const password = 'correct horse battery'
const octocat: Identity = {
  subject: '583231',
  login: 'octocat',
  email: 'octocat@example.com',
  emailVerified: true,
  name: 'The Octocat',
  tokens: { accessToken: 'gho_secret' },
}

describe('local users', { timeout: 30_000 }, () => {
  it('are found by any spelling of their e-mail address (UP-09)', async () => {
    const { users } = await createHouse()
    const added = await users.addLocal(' Ada@Example.COM ', password, 'owner')
    expect(added.profile).toEqual({ login: 'ada@example.com', email: 'ada@example.com' })
    expect(added.record.value).toMatchObject({ role: 'owner', upstream: 'local' })
    expect((await users.findByLogin('ADA＠example.com'))?.record.value.id).toBe(
      added.record.value.id,
    )
    expect(await users.findByLogin('ada@example.com@evil.com')).toBeUndefined()
    expect(await users.findByLogin('eve@example.com')).toBeUndefined()
  })

  it('have random ids of 22 characters, unlike any client id (JW-17)', async () => {
    const { users } = await createHouse()
    const added = await users.addLocal('ada@example.com', password, 'user')
    expect(added.record.value.id).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(added.record.key).toBe(`user/${added.record.value.id}`)
  })

  it('are let in by their password and by nothing else', async () => {
    const { users } = await createHouse()
    const added = await users.addLocal('ada@example.com', password, 'user')
    const id = added.record.value.id
    expect((await users.verifyPassword('ada@example.com', password))?.record.value.id).toBe(id)
    expect(await users.verifyPassword('ada@example.com', `${password}!`)).toBeUndefined()
    expect(await users.verifyPassword('ada@example.com', '')).toBeUndefined()
    expect(await users.verifyPassword('eve@example.com', password)).toBeUndefined()
    expect(await users.verifyPassword('no address', password)).toBeUndefined()
  })

  it('do not have their password asked for when it is longer than any can be (DS-06)', async () => {
    const { users } = await createHouse()
    const longest = 'x'.repeat(200)
    await users.addLocal('ada@example.com', longest, 'user')
    expect(await users.verifyPassword('ada@example.com', longest)).toBeDefined()
    expect(await users.verifyPassword('ada@example.com', `${longest}x`)).toBeUndefined()
  })

  it('keep no password, name or address in the clear (P6)', async () => {
    const { users, store, sealer } = await createHouse()
    await users.addLocal('ada@example.com', password, 'user')
    const entries = await store.list('', { limit: 100 })
    const everything = entries.map(({ key, value }) => key + value).join('\n')
    expect(everything).not.toContain('ada')
    expect(everything).not.toContain(password)
    const [user] = await userRecords.list(store)
    const { id = '', sealedPassword = '' } = user?.value ?? {}
    expect(sealer.open('user-password', id, sealedPassword)).toMatch(/^scrypt\$32768\$8\$3\$/)
  })

  it.each([
    ['no address', password, 'email_malformed'],
    ['a@b@example.com', password, 'email_malformed'],
    ['ada@example.com', 'too short', 'password_too_short'],
    ['ada@example.com', 'x'.repeat(201), 'password_too_long'],
  ])('are refused as %s / %s', async (email, secret, reason) => {
    const { users } = await createHouse()
    const refused = expect(users.addLocal(email, secret, 'user')).rejects
    await refused.toMatchObject({ code: 'invalid_request', reason })
  })

  it('are one when two are added at the same moment', async () => {
    const { users } = await createHouse()
    const both = await Promise.allSettled([
      users.addLocal('ada@example.com', password, 'user'),
      users.addLocal('Ada@example.com', password, 'user'),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const refused = both.find((result) => result.status === 'rejected')
    expect(refused?.reason).toMatchObject({ code: 'invalid_request', reason: 'email_taken' })
    expect(await users.list()).toHaveLength(1)
  })

  it('lose every session with their old password', async () => {
    const { users, sessions } = await createHouse()
    const { record } = await users.addLocal('ada@example.com', password, 'user')
    const cookie = await sessions.open(record.value.id)
    await users.setPassword(record.value.id, 'another long password')
    expect(await users.verifyPassword('ada@example.com', password)).toBeUndefined()
    expect(await users.verifyPassword('ada@example.com', 'another long password')).toBeDefined()
    expect(await sessions.find(cookie)).toBeUndefined()
  })

  it('must exist to get another password', async () => {
    const refused = expect((await createHouse()).users.setPassword('nobody', password)).rejects
    await refused.toMatchObject({ code: 'invalid_request', reason: 'no_user' })
  })
})

describe('users from a provider', { timeout: 30_000 }, () => {
  it('are created at their first sign-in, without the tokens', async () => {
    const { users, store } = await createHouse()
    const admitted = await users.admit('github', octocat)
    expect(admitted.profile).toEqual({
      login: 'octocat',
      email: 'octocat@example.com',
      emailVerified: true,
      name: 'The Octocat',
    })
    expect(admitted.record.value).toMatchObject({ role: 'user', upstream: 'github' })
    expect(JSON.stringify(await store.list('user'))).not.toContain('gho_secret')
  })

  it('are the same person whatever their login and e-mail become (UP-08)', async () => {
    const { users } = await createHouse()
    const first = await users.admit('github', octocat)
    const renamed = await users.admit('github', { subject: '583231', login: 'hubot' })
    expect(renamed.record.value.id).toBe(first.record.value.id)
    expect(renamed.profile).toEqual({ login: 'hubot' })
    expect((await users.find(first.record.value.id))?.profile).toEqual({ login: 'hubot' })
  })

  it('write nothing when nothing changed', async () => {
    const { users } = await createHouse()
    const first = await users.admit('github', octocat)
    expect((await users.admit('github', octocat)).record.version).toBe(first.record.version)
  })

  it('are others at another provider, and never a local user with that e-mail (UP-08, JW-17)', async () => {
    const { users } = await createHouse()
    const local = await users.addLocal('octocat@example.com', password, 'owner')
    const github = await users.admit('github', octocat)
    const other = await users.admit('other', octocat)
    expect(new Set([local, github, other].map(({ record }) => record.value.id)).size).toBe(3)
    expect(await users.verifyPassword('octocat@example.com', password)).toMatchObject({
      record: { value: { id: local.record.value.id } },
    })
  })

  it('are one when the first two sign-ins arrive at the same moment', async () => {
    const { users } = await createHouse()
    const admitted = await Promise.all(
      Array.from({ length: 20 }, () => users.admit('github', octocat)),
    )
    expect(new Set(admitted.map(({ record }) => record.value.id)).size).toBe(1)
    expect(await users.list()).toHaveLength(1)
  })
})

describe('all users', () => {
  it('are listed over many pages, and there are any once there is one', async () => {
    const { users } = await createHouse()
    expect(await users.any()).toBe(false)
    for (let count = 0; count < 205; count += 1) {
      await users.admit('github', { subject: String(count), login: `user-${count}` })
    }
    expect(await users.any()).toBe(true)
    const logins = (await users.list()).map(({ profile }) => profile.login)
    expect(new Set(logins).size).toBe(205)
  })
})

describe('a removed user', { timeout: 30_000 }, () => {
  it('is gone with sessions, lookup and grants, whose access tokens stay refused (RF-16)', async () => {
    const { users, sessions, store, clock } = await createHouse()
    const { record } = await users.addLocal('ada@example.com', password, 'user')
    const cookie = await sessions.open(record.value.id)
    await addGrant(store, record.value.id, 'grant-1')
    await addGrant(store, record.value.id, 'grant-2')
    await addGrant(store, 'someone-else', 'grant-3')

    expect((await users.remove(record.value.id)).sort()).toEqual(['grant-1', 'grant-2'])
    expect(await users.find(record.value.id)).toBeUndefined()
    expect(await users.findByLogin('ada@example.com')).toBeUndefined()
    expect(await sessions.find(cookie)).toBeUndefined()
    expect(await listKeys(store)).toEqual([
      'client-grant/mcp_client/grant-3',
      'ended/grant-1',
      'ended/grant-2',
      'family/grant-3',
      'grant/grant-3',
      `removed-user/${record.value.id}`,
      'user-grant/someone-else/grant-3',
    ])
    expect((await endedGrants.find(store, 'grant-1'))?.value).toEqual({
      at: clock.now(),
      why: 'user_removed',
    })
    clock.advance(accessTokenSeconds)
    expect(await endedGrants.find(store, 'grant-1')).toBeDefined()
    clock.advance(60)
    expect(await endedGrants.find(store, 'grant-1')).toBeUndefined()
  })

  it('may come back as somebody new', async () => {
    const { users } = await createHouse()
    const first = await users.admit('github', octocat)
    await users.remove(first.record.value.id)
    const second = await users.admit('github', octocat)
    expect(second.record.value.id).not.toBe(first.record.value.id)
  })

  it('takes any number of grants along', async () => {
    const { users, store } = await createHouse()
    const { record } = await users.admit('github', octocat)
    for (let count = 0; count < 250; count += 1) await addGrant(store, record.value.id, `g${count}`)
    expect(await users.remove(record.value.id)).toHaveLength(250)
    expect(await grants.list(store)).toEqual([])
    expect(await endedGrants.list(store, [], { limit: 1000 })).toHaveLength(250)
  })

  it('is gone first, and the rest goes when a removal that was cut short is repeated', async () => {
    let commitsLeft = Number.POSITIVE_INFINITY
    const failing = (store: Store): Store => ({
      ...store,
      commit: async (change) => {
        if (commitsLeft === 0) throw new Error('store lost')
        commitsLeft -= 1
        return store.commit(change)
      },
    })
    const { users, store } = await createHouse(failing)
    const { record } = await users.admit('github', octocat)
    for (let count = 0; count < 150; count += 1) await addGrant(store, record.value.id, `g${count}`)

    commitsLeft = 1
    await expect(users.remove(record.value.id)).rejects.toThrow('store lost')
    expect(await users.find(record.value.id)).toBeUndefined()
    commitsLeft = Number.POSITIVE_INFINITY
    expect(await users.remove(record.value.id)).toHaveLength(50)
    expect(await grants.list(store)).toEqual([])
  })

  it('was nobody: nothing happens', async () => {
    expect(await (await createHouse()).users.remove('nobody')).toEqual([])
  })
})
