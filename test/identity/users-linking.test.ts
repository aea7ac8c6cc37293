import { describe, expect, it } from 'vitest'
import type { ArrivalRules } from '../../src/identity/arrivals.ts'
import type { Identity } from '../../src/identity/upstream.ts'
import { users as userRecords, usersByEmail } from '../../src/storage/records/user.ts'
import { createHouse, createOvertaking, listKeys } from './fixtures.ts'

const linking: ArrivalRules = { linkByVerifiedEmail: true }
const atGitHub: Identity = {
  subject: '583231',
  login: 'octocat',
  email: 'octocat@example.com',
  emailVerified: true,
}
const atGoogle: Identity = {
  subject: '1000',
  login: 'octocat@example.com',
  email: 'Octocat@Example.com',
  emailVerified: true,
  name: 'The Octocat',
}

async function createLinkingHouse() {
  const { line, wrap } = createOvertaking()
  const house = await createHouse(wrap)
  const come = async (upstream: string, identity: Identity, rules: ArrivalRules = linking) =>
    (await house.users.admit(upstream, identity, rules)).record.value.id
  return { ...house, come, line }
}

describe('a verified e-mail address at two providers', () => {
  it('is two users by default (UP-08)', async () => {
    const { come } = await createLinkingHouse()
    expect(await come('google', atGoogle, {})).not.toBe(await come('github', atGitHub, {}))
  })

  it('is one user where the owner wants it, also later and without the address', async () => {
    const { come, users } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    expect(await come('google', atGoogle)).toBe(id)
    expect(await come('google', { subject: '1000', login: 'renamed' })).toBe(id)
    expect(await come('google', { subject: '1000', login: 'renamed' }, {})).toBe(id)
    expect(await come('github', atGitHub)).toBe(id)
    expect(await users.list()).toHaveLength(1)
  })

  it('is two users when only compatibility letters make the addresses one (UP-09)', async () => {
    const { come } = await createLinkingHouse()
    const fiona = { subject: '1', login: 'a', email: 'fiona@example.com', emailVerified: true }
    const other = { subject: '2', login: 'b', email: '\ufb01ona@example.com', emailVerified: true }
    expect(await come('google', other)).not.toBe(await come('github', fiona))
  })

  it('links a third provider', async () => {
    const { come } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    expect(await come('google', atGoogle)).toBe(id)
    expect(await come('okta', { ...atGoogle, subject: 'o' })).toBe(id)
  })

  it('links whom the owner let in before linking was on', async () => {
    const { come } = await createLinkingHouse()
    const id = await come('github', atGitHub, {})
    expect(await come('google', atGoogle)).toBe(id)
  })

  it('leaves the profile to the provider that the user came from', async () => {
    const { come, users } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    await come('google', { ...atGoogle, email: 'octocat@example.com' })
    await come('google', { ...atGoogle, email: 'taken@example.com' })
    expect((await users.find(id))?.profile).toMatchObject({
      login: 'octocat',
      email: 'octocat@example.com',
    })
    // The address of a linked login leads nobody here.
    const other = await come('okta', {
      subject: 'o',
      login: 'x',
      email: 'taken@example.com',
      emailVerified: true,
    })
    expect(other).not.toBe(id)
  })
})

describe('nobody is linked', () => {
  it.each<[string, Partial<Identity>]>([
    ['with an address that nobody verified', { emailVerified: false }],
    ['with another address', { email: 'octocat@example.org' }],
    ['with a malformed address', { email: 'octocat@example.com@evil.example' }],
    ['with a look-alike', { email: 'octocat@exаmple.com' }],
  ])('%s (UP-08, UP-09)', async (_, changes) => {
    const { come } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    expect(await come('google', { ...atGoogle, ...changes })).not.toBe(id)
  })

  it('with an address of which the provider does not say whether it was verified', async () => {
    const { come } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    const { emailVerified: _, ...silent } = atGoogle
    expect(await come('google', silent)).not.toBe(id)
  })

  it('to a user whose own address nobody verified', async () => {
    const { come } = await createLinkingHouse()
    const id = await come('github', { ...atGitHub, emailVerified: false })
    expect(await come('google', atGoogle)).not.toBe(id)
  })

  it('to a local account, whose address nobody verified', { timeout: 30_000 }, async () => {
    const { come, users } = await createLinkingHouse()
    const local = await users.addLocal('octocat@example.com', 'correct horse battery', 'owner')
    expect(await come('google', atGoogle)).not.toBe(local.record.value.id)
    expect(await come('github', atGitHub)).not.toBe(local.record.value.id)
  })

  it('within one provider: there, the address went on to somebody else', async () => {
    const { come } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    expect(await come('github', { ...atGitHub, subject: '2' })).not.toBe(id)
  })

  it('twice at one provider', async () => {
    const { come } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    await come('google', atGoogle)
    expect(await come('google', { ...atGoogle, subject: '2000' })).not.toBe(id)
  })

  it('where it is not clear to whom', async () => {
    const { come } = await createLinkingHouse()
    const known = [await come('github', atGitHub, {}), await come('google', atGoogle, {})]
    expect(known).not.toContain(await come('okta', { ...atGoogle, subject: 'o' }))
  })

  it('by an address that the user no longer has', async () => {
    const { come } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    expect(await come('github', { ...atGitHub, email: 'new@example.com' })).toBe(id)
    expect(await come('google', atGoogle)).not.toBe(id)
    expect(await come('okta', { ...atGoogle, subject: 'o', email: 'new@example.com' })).toBe(id)
  })
})

describe('at the same moment', () => {
  it('the first sign-ins at several providers are one user', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { come, users } = await createLinkingHouse()
      const providers = ['github', 'google', 'okta', 'github', 'google', 'okta']
      const ids = await Promise.all(providers.map((upstream) => come(upstream, atGoogle)))
      expect(new Set(ids).size).toBe(1)
      expect(await users.list()).toHaveLength(1)
    }
  })

  it('a user who is removed right before the link stays removed', async () => {
    const { come, users, line } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    line.first = () => users.remove(id)
    expect(await come('google', atGoogle)).not.toBe(id)
    expect(await users.find(id)).toBeUndefined()
    expect(await users.list()).toHaveLength(1)
  })

  it('a user who is removed right before their profile changes stays removed', async () => {
    const { come, users, line } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    line.first = () => users.remove(id)
    expect(await come('github', { ...atGitHub, name: 'Octo' })).not.toBe(id)
    expect(await users.find(id)).toBeUndefined()
  })

  it('a profile that changes right before the link stays changed', async () => {
    const { come, users, line } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    line.first = () => come('github', { ...atGitHub, name: 'Octo' })
    expect(await come('google', atGoogle)).toBe(id)
    expect((await users.find(id))?.profile.name).toBe('Octo')
  })

  it('an address that gets a second owner right before the link, links nobody', async () => {
    const { come, line } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    line.first = () => come('okta', { ...atGoogle, subject: 'o' }, {})
    expect(await come('google', atGoogle)).not.toBe(id)
  })

  it('a login that was linked elsewhere right before stays there', async () => {
    const { come, line } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    line.first = () => come('google', atGoogle)
    expect(await come('google', atGoogle)).toBe(id)
    line.first = () => come('github', { ...atGitHub, email: 'new@example.com' })
    expect(await come('github', { ...atGitHub, name: 'Octo' })).toBe(id)
  })

  it('a removal and a link leave nobody behind who cannot be removed', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { come, users, store } = await createLinkingHouse()
      const id = await come('github', atGitHub)
      await Promise.all([users.remove(id), come('google', atGoogle)])
      for (const { record } of await users.list()) await users.remove(record.value.id)
      expect((await listKeys(store)).filter((key) => !key.startsWith('removed-user/'))).toEqual([])
    }
  })
})

describe('a removed user', () => {
  it('takes every way in along, and their place in the list of their address', async () => {
    const { come, users, store } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    await come('google', atGoogle)
    const other = await come('github', { ...atGitHub, subject: '2' })
    await users.remove(id)
    expect((await usersByEmail.list(store)).map(({ value }) => value.userIds)).toEqual([[other]])
    expect(await come('google', atGoogle)).toBe(other)
    await users.remove(other)
    expect(await listKeys(store)).toEqual([id, other].sort().map((gone) => `removed-user/${gone}`))
  })
})

describe('the index', () => {
  it('holds no address in the clear (P6)', async () => {
    const { come, store } = await createLinkingHouse()
    await come('github', atGitHub)
    await come('google', atGoogle)
    const entries = await store.list('', { limit: 100 })
    expect(entries.map(({ key, value }) => key + value).join('\n')).not.toMatch(/octocat|example/i)
  })

  it('takes in users from before it was there, when they come again', async () => {
    const { come, store } = await createLinkingHouse()
    const id = await come('github', atGitHub)
    const [user = expect.unreachable()] = await userRecords.list(store)
    const { emailKey = '', ...before } = user.value
    await store.commit({ set: [userRecords.write(user.key, before)], delete: [emailKey] })
    expect(await come('github', atGitHub)).toBe(id)
    expect(await come('google', atGoogle)).toBe(id)
  })
})
