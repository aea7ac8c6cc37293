import { describe, expect, it } from 'vitest'
import {
  invitationSeconds,
  invite,
  listInvitations,
  parseGuest,
  removeInvitations,
} from '../../src/identity/invitations.ts'
import type { Identity } from '../../src/identity/upstream.ts'
import { invitations } from '../../src/storage/records/invitation.ts'
import { createHouse, createOvertaking } from './fixtures.ts'

const octocat: Identity = {
  subject: '583231',
  login: 'Octocat',
  email: 'octocat@example.com',
  emailVerified: true,
}
const invitedOnly = { invitedOnly: true, label: 'GitHub' }
const notInvited = { code: 'access_denied', status: 403, reason: 'not_invited' }

async function createInvitingHouse() {
  const { line, wrap } = createOvertaking()
  const house = await createHouse(wrap)
  const bid = (name: string, upstream?: string, role: 'owner' | 'user' = 'user') =>
    invite(house, parseGuest(name, upstream), { role, validSeconds: invitationSeconds })
  const come = (identity: Identity = octocat, upstream = 'github') =>
    house.users.admit(upstream, identity, invitedOnly)
  return { ...house, bid, come, line }
}

describe('where only invited people become users', () => {
  it('somebody else is told which account it was', async () => {
    const { come, users } = await createInvitingHouse()
    await expect(come()).rejects.toMatchObject({
      ...notInvited,
      description: expect.stringContaining('Octocat (octocat@example.com) at GitHub'),
    })
    expect(await users.list()).toEqual([])
  })

  it.each<[string, string | undefined]>([
    ['Octocat@Example.com', undefined],
    ['octocat@example.com', 'github'],
    ['OCTOCAT', 'github'],
  ])('an invitation of %s at %s is used up by coming', async (name, upstream) => {
    const { come, bid, store } = await createInvitingHouse()
    await bid(name, upstream)
    const first = await come()
    expect(first.record.value.role).toBe('user')
    expect(await invitations.list(store)).toEqual([])
    expect((await come()).record.value.id).toBe(first.record.value.id)
  })

  it.each<[string, string | undefined, Partial<Identity>]>([
    ['octocat@example.com', 'other', {}],
    ['octocat', 'other', {}],
    ['octocat2', 'github', {}],
    ['octocat@example.com', undefined, { emailVerified: false }],
    ['octocat@sub.example.com', undefined, {}],
  ])('an invitation of %s at %s is not one of %j (UP-08)', async (name, upstream, changes) => {
    const { come, bid, store } = await createInvitingHouse()
    await bid(name, upstream)
    await expect(come({ ...octocat, ...changes })).rejects.toMatchObject(notInvited)
    expect(await invitations.list(store)).toHaveLength(1)
  })

  it('an address that the provider does not call verified is not invited (UP-08)', async () => {
    const { come, bid } = await createInvitingHouse()
    await bid('octocat@example.com')
    const { emailVerified: _, ...silent } = octocat
    await expect(come(silent)).rejects.toMatchObject(notInvited)
  })

  it('a login is no address, and an address no login', async () => {
    const { come, bid } = await createInvitingHouse()
    await bid('octocat@example.com', 'github')
    const posing = { subject: '2', login: 'octocat@example.com' }
    await expect(come(posing)).rejects.toMatchObject(notInvited)
  })

  it('a login is not that of another account that only looks like it', async () => {
    const { come, bid } = await createInvitingHouse()
    await bid('Kate', 'github')
    const posing = { subject: '2', login: '\u212aate' }
    await expect(come(posing)).rejects.toMatchObject(notInvited)
    expect((await come({ subject: '3', login: 'kATE' })).profile.login).toBe('kATE')
  })

  it('all invitations of a person are used up at once, and the widest counts', async () => {
    const { come, bid, store } = await createInvitingHouse()
    await bid('octocat@example.com')
    await bid('octocat', 'github', 'owner')
    expect((await come()).record.value.role).toBe('owner')
    expect(await invitations.list(store)).toEqual([])
  })

  it('an invitation ends', async () => {
    const { come, bid, clock, sealer } = await createInvitingHouse()
    await bid('octocat@example.com')
    clock.advance(invitationSeconds)
    await sealer.reread()
    await expect(come()).rejects.toMatchObject(notInvited)
    await bid('octocat@example.com')
    await come()
  })

  it('one invitation makes one user, whoever comes at the same moment', async () => {
    const { come, bid, users } = await createInvitingHouse()
    await bid('octocat@example.com')
    const arrivals = await Promise.allSettled(
      Array.from({ length: 12 }, (_, at) => come({ ...octocat, subject: `${at}` })),
    )
    const refused = arrivals.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(11)
    for (const arrival of refused) expect(arrival).toMatchObject({ reason: notInvited })
    expect(await users.list()).toHaveLength(1)
  })

  it('an invitation that is taken back right before it is used does not count', async () => {
    const house = await createInvitingHouse()
    const { come, bid, users, line } = house
    await bid('octocat@example.com')
    line.first = async () => removeInvitations(house, await listInvitations(house))
    await expect(come()).rejects.toMatchObject(notInvited)
    expect(await users.list()).toEqual([])
  })

  it('whoever was removed needs another invitation', async () => {
    const { come, bid, users } = await createInvitingHouse()
    await bid('octocat@example.com')
    const { record } = await come()
    await users.remove(record.value.id)
    await expect(come()).rejects.toMatchObject(notInvited)
  })
})

describe('where anyone may come', () => {
  it('an invitation still says what somebody is, and is used up', async () => {
    const { users, bid, store } = await createInvitingHouse()
    await bid('octocat@example.com', undefined, 'owner')
    const known = await users.admit('github', octocat)
    expect(known.record.value.role).toBe('owner')
    expect(await invitations.list(store)).toEqual([])
  })
})

describe('an invitation', () => {
  it('keeps nobody’s address in the clear, neither in keys nor in values (P6)', async () => {
    const { bid, store } = await createInvitingHouse()
    await bid('octocat@example.com')
    await bid('octocat', 'github')
    const entries = await store.list('', { limit: 100 })
    expect(entries).toHaveLength(2)
    expect(entries.map(({ key, value }) => key + value).join('\n')).not.toMatch(/octocat|github/)
  })

  it('is replaced by another of the same person', async () => {
    const house = await createInvitingHouse()
    await house.bid('octocat@example.com')
    await house.bid('OCTOCAT@example.com', undefined, 'owner')
    expect(await listInvitations(house)).toMatchObject([
      { guest: { email: 'octocat@example.com' }, record: { value: { role: 'owner' } } },
    ])
  })

  it('that is over goes with the next listing, and no other', async () => {
    const house = await createInvitingHouse()
    await house.bid('old@example.com')
    house.clock.advance(invitationSeconds - 1)
    await house.sealer.reread()
    await house.bid('new@example.com')
    house.clock.advance(1)
    expect(await listInvitations(house)).toMatchObject([{ guest: { email: 'new@example.com' } }])
    expect(await invitations.list(house.store)).toHaveLength(1)
  })

  it.each<[string, string | undefined]>([
    ['octocat', undefined],
    ['a@b@example.com', undefined],
    ['', 'github'],
    ['two words', 'github'],
    ['octocat', 'Git Hub'],
    ['a@example.com', 'Git Hub'],
  ])('cannot be made of %j at %j', (name, upstream) => {
    expect(() => parseGuest(name, upstream)).toThrow(TypeError)
  })
})
