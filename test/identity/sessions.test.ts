import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/platform/crypto.ts'
import { createHouse, listKeys, sessionSeconds } from './fixtures.ts'

async function createSignedIn() {
  const house = await createHouse()
  const { record } = await house.users.admit('github', { subject: '1', login: 'octocat' })
  return { ...house, userId: record.value.id }
}

describe('a session', () => {
  it('is found by its cookie, of which only the hash is stored (P6)', async () => {
    const { sessions, store, userId } = await createSignedIn()
    const cookie = await sessions.open(userId)
    expect(cookie).toMatch(/^[A-Za-z0-9_-]{43}$/)
    const found = await sessions.find(cookie)
    expect(found?.hash).toBe(sha256(cookie))
    expect(found?.user.record.value.id).toBe(userId)
    expect(JSON.stringify(await store.list('', { limit: 100 }))).not.toContain(cookie)
  })

  it.each([undefined, '', 'x', 'a'.repeat(43), `${'a'.repeat(42)}/`, 'x'.repeat(10_000)])(
    'is not found by %s',
    async (cookie) => {
      const { sessions } = await createSignedIn()
      expect(await sessions.find(cookie)).toBeUndefined()
    },
  )

  it('ends when it is told to, others go on', async () => {
    const { sessions, userId } = await createSignedIn()
    const [first, second] = [await sessions.open(userId), await sessions.open(userId)]
    await sessions.end(first)
    await sessions.end(first)
    await sessions.end('no such cookie')
    expect(await sessions.find(first)).toBeUndefined()
    expect(await sessions.find(second)).toBeDefined()
  })

  it('ends by itself when its time is over', async () => {
    const { sessions, clock, userId } = await createSignedIn()
    const cookie = await sessions.open(userId)
    clock.advance(sessionSeconds - 1)
    expect(await sessions.find(cookie)).toBeDefined()
    clock.advance(1)
    expect(await sessions.find(cookie)).toBeUndefined()
  })

  it('ends when its user is removed', async () => {
    const { sessions, users, userId, store } = await createSignedIn()
    const cookie = await sessions.open(userId)
    await users.remove(userId)
    expect(await sessions.find(cookie)).toBeUndefined()
    expect(await listKeys(store)).toEqual([`removed-user/${userId}`])
  })

  it('is one of five at most: the oldest ends (EN-09)', async () => {
    const { sessions, userId } = await createSignedIn()
    const cookies: string[] = []
    for (let count = 0; count < 7; count += 1) cookies.push(await sessions.open(userId))
    const found = await Promise.all(cookies.map((cookie) => sessions.find(cookie)))
    expect(found.map(Boolean)).toEqual([false, false, true, true, true, true, true])
  })

  it('stays one of five when many browsers sign in at the same moment', async () => {
    const { sessions, store, userId } = await createSignedIn()
    const cookies = await Promise.all(Array.from({ length: 50 }, () => sessions.open(userId)))
    const found = await Promise.all(cookies.map((cookie) => sessions.find(cookie)))
    expect(found.filter(Boolean)).toHaveLength(5)
    expect((await listKeys(store)).filter((key) => key.startsWith('session/'))).toHaveLength(5)
  })
})
