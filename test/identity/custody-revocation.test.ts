/** What a provider gave goes with the last grant that rests on it, and the provider is told. */
import { describe, expect, it, vi } from 'vitest'
import { revokeDue, type UpstreamRevocationPorts } from '../../src/identity/custody-revocation.ts'
import { endGrants } from '../../src/identity/grant-ending.ts'
import { removeUser } from '../../src/identity/removal.ts'
import { startUpstreamRevocation } from '../../src/operate/jobs.ts'
import { type EndReason, grants } from '../../src/storage/records/grant.ts'
import { links } from '../../src/storage/records/link.ts'
import { sessions, userSessions } from '../../src/storage/records/session.ts'
import { upstreamRevocations } from '../../src/storage/records/upstream-revocation.ts'
import { type User, users } from '../../src/storage/records/user.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import type { Store } from '../../src/storage/store.ts'
import { failingStore } from '../helpers/failing-store.ts'
import { masterKey } from '../helpers/gatehouse.ts'
import { createCustodyHouse, userId } from './custody-house.ts'

const rotating = 'rotating'
const never = () => false

async function createConnected(...ids: string[]) {
  const house = await createCustodyHouse()
  const custody = await house.start()
  const tokens = house.provider.issue()
  await custody.keep(userId, rotating, tokens)
  for (const id of ids) await house.addGrant(id)
  const { store, clock } = house
  const ending = { store, clock, accessTokenSeconds: 3600 }
  const end = (id: string, why: EndReason = 'revoked', through: Store = store) =>
    endGrants({ ...ending, store: through }, [{ id, userId, clientId: 'mcp_client' }], why)
  const ports: UpstreamRevocationPorts = {
    ...house,
    sealer: await createSealer({ store, masterKey, clock }),
    upstreams: new Map([[rotating, house.upstream]]),
    audit: (event) => house.audit.push(event),
  }
  return {
    ...house,
    custody,
    tokens,
    ending,
    end,
    ports,
    async revoke(changes: Partial<UpstreamRevocationPorts> = {}) {
      await revokeDue({ ...ports, ...changes }, rotating, never)
      await revokeDue({ ...ports, ...changes }, undefined, never)
    },
    listJobs: () => upstreamRevocations.list(store),
  }
}

describe('the end of a grant', () => {
  it('that is not the last of its person at the provider leaves the tokens alone', async () => {
    const { end, findLink, listJobs } = await createConnected('one', 'two')
    await end('one')
    expect((await findLink())?.sealedTokens).toBeDefined()
    expect(await listJobs()).toEqual([])
  })

  it('that is the last hands the tokens over to be revoked and signs the person out, in one commit', async () => {
    const { end, store, findLink, listJobs } = await createConnected('one', 'two', 'three')
    const session = { userId, upstream: rotating, createdAt: 0, expiresAt: 2e9 }
    await store.commit({
      set: [
        sessions.write(sessions.key('theirs'), session),
        sessions.write(sessions.key('local'), { ...session, upstream: 'local' }),
        userSessions.write(userSessions.key(userId), { hashes: ['theirs', 'local'] }),
      ],
    })
    await end('one')
    await end('two')
    const counted = failingStore(store)
    await end('three', 'revoked', counted)
    expect(counted.operations.filter((name) => name.startsWith('commit'))).toHaveLength(1)
    expect(await findLink()).toBeUndefined()
    expect(await listJobs()).toHaveLength(1)
    expect((await sessions.list(store)).map(({ key }) => key)).toEqual(['session/local'])
  })

  it('at the same moment as the other last one: exactly one of the two hands them over', async () => {
    for (let round = 0; round < 20; round++) {
      const { end, findLink, listJobs } = await createConnected('one', 'two')
      await Promise.all([end('one'), end('two')])
      expect(await findLink()).toBeUndefined()
      expect(await listJobs()).toHaveLength(1)
    }
  })

  it('of a grant that came another way leaves them alone', async () => {
    const { end, addGrant, findLink } = await createConnected('one')
    await addGrant('local', { upstream: 'local' })
    await end('local')
    expect(await findLink()).toBeDefined()
  })

  it('repeated after a commit of unknown outcome changes nothing', async () => {
    const { end, store, listJobs } = await createConnected('one')
    const faulty = failingStore(store)
    faulty.failOn('commit', 'after')
    await expect(end('one', 'revoked', faulty)).rejects.toMatchObject({ status: 503 })
    faulty.heal()
    await end('one', 'revoked', faulty)
    expect(await listJobs()).toHaveLength(1)
  })

  it('of several hundred at once, of one client, finds the last of each person', async () => {
    const { addGrant, store, ending, listJobs } = await createConnected()
    const ids = Array.from({ length: 230 }, (_, at) => `grant-${at}`)
    for (const id of ids) await addGrant(id)
    const ended = ids.map((id) => ({ id, userId, clientId: 'mcp_client' }))
    await endGrants(ending, ended, 'client_removed')
    expect(await grants.list(store)).toEqual([])
    expect(await listJobs()).toHaveLength(1)
  })
})

describe('the removal of a user', () => {
  it('hands everything over that providers gave for them', async () => {
    const { ending, store, listJobs, findLink } = await createConnected('one')
    const user: User = {
      id: userId,
      role: 'user',
      sealedProfile: '',
      upstream: rotating,
      lookupKey: 'user-by-upstream/x',
      createdAt: 0,
    }
    await store.commit({ set: [users.write(users.key(userId), user)] })
    expect(await removeUser(ending, userId)).toEqual(['one'])
    expect(await findLink()).toBeUndefined()
    expect(await listJobs()).toHaveLength(1)
  })

  it('also takes what a sign-in left behind at the same moment', async () => {
    const { ending, listJobs, findLink } = await createConnected()
    expect(await removeUser(ending, userId)).toEqual([])
    expect(await findLink()).toBeUndefined()
    expect(await listJobs()).toHaveLength(1)
  })
})

describe('what is to be revoked', () => {
  it('is revoked, recorded and forgotten', async () => {
    const { end, revoke, provider, tokens, audit, listJobs } = await createConnected('one')
    await end('one')
    await revoke()
    expect(provider.revoked).toEqual([tokens.accessToken])
    expect(audit).toMatchObject([
      { event: 'upstream.revoked', outcome: 'ok', userId, details: { upstream: rotating } },
    ])
    expect(await listJobs()).toEqual([])
  })

  it('is what was there and what a refresh under way brought after it', async () => {
    const { provider, clock, custody, end, revoke } = await createConnected('one')
    const tokens = provider.issue()
    await custody.keep(userId, rotating, tokens)
    clock.advance(3590)
    const release = provider.hold('refresh')
    const refreshing = custody.findAccessToken(userId, rotating).catch(() => undefined)
    await vi.waitUntil(() => provider.seen.refresh > 0)
    await end('one')
    release()
    await refreshing
    await revoke()
    expect(provider.revoked).toHaveLength(2)
    expect(provider.revoked).toContain(tokens.accessToken)
  })

  it('is revoked once by four processes', async () => {
    const { end, revoke, provider } = await createConnected('one')
    await end('one')
    await Promise.all([revoke(), revoke(), revoke(), revoke()])
    expect(provider.seen.revoke).toBe(1)
  })

  it('is tried again with growing pauses', async () => {
    const { end, revoke, provider, clock, audit } = await createConnected('one')
    await end('one')
    provider.fail('revoke', 'before', 'before')
    await revoke()
    await revoke()
    expect(provider.seen.revoke).toBe(1)
    clock.advance(60)
    await revoke()
    expect(provider.seen.revoke).toBe(2)
    clock.advance(60)
    await revoke()
    expect(provider.seen.revoke).toBe(2)
    clock.advance(60)
    await revoke()
    expect(provider.revoked).toHaveLength(1)
    expect(audit.map(({ event }) => event)).toEqual([
      'upstream.revocation_retried',
      'upstream.revocation_retried',
      'upstream.revoked',
    ])
  })

  it('is tried by another process when the one that tried died', async () => {
    const { end, revoke, provider, store, clock } = await createConnected('one')
    await end('one')
    const dying = failingStore(store)
    dying.failOn('commit -upstream-revocation', 'before')
    await revoke({ store: dying }).catch(() => undefined)
    clock.advance(60)
    await revoke()
    expect(provider.seen.revoke).toBe(2)
  })

  it('is given up after a week, which is recorded', async () => {
    const { end, revoke, provider, clock, audit, listJobs } = await createConnected('one')
    await end('one')
    provider.fail('revoke', ...Array.from({ length: 100 }, () => 'before' as const))
    for (let hours = 0; hours < 24 * 8; hours++) {
      await revoke()
      clock.advance(3600)
    }
    expect(audit.at(-1)?.event).toBe('upstream.revocation_failed')
    const others = new Set(audit.slice(0, -1).map(({ event }) => event))
    expect(others).toEqual(new Set(['upstream.revocation_retried']))
    expect(await listJobs()).toEqual([])
    expect(provider.seen.revoke).toBeLessThan(60)
  })

  it('waits for a provider that is not configured here, and is dropped where there is no way', async () => {
    const { end, revoke, upstream, listJobs, clock, audit } = await createConnected('one')
    await end('one')
    await revoke({ upstreams: new Map() })
    expect(await listJobs()).toHaveLength(1)
    clock.advance(60)
    const { revoke: _, ...mute } = upstream
    await revoke({ upstreams: new Map([[rotating, mute]]) })
    expect(await listJobs()).toEqual([])
    expect(audit.map(({ event }) => event)).toEqual(['upstream.revocation_retried'])
  })

  it('is dropped when the person has signed in there again, which is recorded', async () => {
    const { end, revoke, provider, custody, listJobs, audit } = await createConnected('one')
    await end('one')
    await custody.keep(userId, rotating, provider.issue())
    await revoke()
    expect(provider.seen.revoke).toBe(0)
    expect(await listJobs()).toEqual([])
    const reason = 'signed_in_again'
    expect(audit).toMatchObject([
      { event: 'upstream.revocation_dropped', outcome: 'refused', reason, userId },
    ])
  })

  it('does not wait for another provider, which hangs', async () => {
    const { store, ports, provider, upstream, listJobs, clock } = await createConnected()
    const { promise: never, resolve: answer } = Promise.withResolvers<void>()
    const hanging = { ...upstream, id: 'hanging', revoke: () => never }
    const job = startUpstreamRevocation({
      ...ports,
      upstreams: new Map([hanging, upstream].map((one) => [one.id, one])),
    })
    const add = async (upstreamId: string) => {
      const row = links.key(userId, upstreamId)
      const sealedTokens = ports.sealer.seal('upstream-tokens', row, '{"accessToken":"a"}')
      const key = upstreamRevocations.key(userId, upstreamId, '1')
      const at = clock.now()
      const value = { sealedTokens, askedAt: at, nextAt: at, attempts: 0 }
      await store.commit({ set: [upstreamRevocations.write(key, value)] })
    }
    await store.commit({ delete: [links.key(userId, rotating)] })
    await add('hanging')
    await add(rotating)
    await expect.poll(() => provider.seen.revoke).toBe(1)
    await add(rotating)
    await expect.poll(() => provider.seen.revoke).toBe(2)
    expect((await listJobs()).map(({ key }) => key)).toEqual([expect.stringContaining('hanging')])
    answer()
    await job.stop()
  })

  it('holds the tokens sealed, for the row they came from', async () => {
    const { end, store, tokens, ports, listJobs } = await createConnected('one')
    await end('one')
    const dump = JSON.stringify(await store.list('', { limit: 1000 }))
    expect(dump).not.toContain(tokens.accessToken)
    const [job] = await listJobs()
    const sealed = job?.value.sealedTokens ?? ''
    const row = links.key(userId, rotating)
    expect(ports.sealer.open('upstream-tokens', row, sealed)).toContain(tokens.accessToken)
  })
})
