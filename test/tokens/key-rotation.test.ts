import { setTimeout as wait } from 'node:timers/promises'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startKeyKeeping } from '../../src/operate/jobs.ts'
import { systemRandom } from '../../src/platform/crypto.ts'
import { signingKeys } from '../../src/storage/records/key.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import { rotateDataKey } from '../../src/storage/sealed-rotation.ts'
import { createAccessTokens } from '../../src/tokens/access-token.ts'
import {
  keepKeys,
  type RotationRules,
  revokeKey,
  rotateKey,
} from '../../src/tokens/key-rotation.ts'
import { createKeyRing, type KeyRing } from '../../src/tokens/keys.ts'
import { failingStore } from '../helpers/failing-store.ts'
import { keptLog } from '../helpers/gatehouse.ts'
import { createSealedStore, issuer, masterKey } from './fixtures.ts'

const day = 86_400
const rules: RotationRules = { algorithm: 'ES256', rotationSeconds: 30 * day, tokenSeconds: 3600 }

type Site = Awaited<ReturnType<typeof createSealedStore>>

/** Another process on the same store. */
async function startProcess(site: Site) {
  const { store, clock } = site
  const sealer = await createSealer({ store, masterKey, clock })
  const ring = await createKeyRing({ store, sealer, clock })
  const keep = async (changes: Partial<RotationRules> = {}) => {
    await sealer.reread()
    await ring.reread()
    const change = await keepKeys({ store, sealer, clock }, { ...rules, ...changes })
    await ring.reread()
    return change
  }
  const tokens = createAccessTokens({ issuer, keys: ring, clock, random: systemRandom })
  return { store, sealer, clock, ring, keep, tokens }
}

const signerOf = async (ring: KeyRing) => decodeProtectedHeader(await ring.sign({}, 'at+jwt')).kid
const kidsOf = (ring: KeyRing) => ring.jwks().keys.map(({ kid }) => kid)

describe('signing keys', () => {
  it('are published for longer than twice what caches keep, before they sign (DI-14)', async () => {
    const { ring, keep, clock } = await startProcess(await createSealedStore())
    const first = await signerOf(ring)
    clock.advance(30 * day - 661)
    expect(await keep()).toEqual({})
    clock.advance(1)
    const { added } = await keep()
    expect(new Set(kidsOf(ring))).toEqual(new Set([first, added?.kid]))
    clock.advance(659)
    expect(await signerOf(ring)).toBe(first)
    clock.advance(1)
    expect(await signerOf(ring)).toBe(added?.kid)
    const jwks = createLocalJWKSet(ring.jwks())
    await expect(jwtVerify(await ring.sign({}, 'at+jwt'), jwks)).resolves.toBeDefined()
  })

  it('stay until the last token signed with them is dead, by a process that slept too, and then go', async () => {
    const { ring, keep, clock, store } = await startProcess(await createSealedStore())
    const first = await signerOf(ring)
    clock.advance(30 * day - 660)
    await keep()
    clock.advance(660)
    // A process may go on with what it knows for a day; its last token lives for an hour more.
    clock.advance(day + 3600)
    expect(await keep()).toEqual({})
    expect(kidsOf(ring)).toContain(first)
    clock.advance(60)
    expect(await keep()).toEqual({ removed: [first] })
    expect(kidsOf(ring)).not.toContain(first)
    expect(await signingKeys.list(store)).toHaveLength(1)
    expect(ring.find(first ?? '')).toBeUndefined()
  })

  it('are looked at anew by a process that slept in the middle of reading them (HA-03)', async () => {
    const site = await createSealedStore()
    const awake = await startProcess(site)
    const { promise: woken, resolve: wake } = Promise.withResolvers<void>()
    let sleeps = false
    const slow: Site['store'] = {
      ...site.store,
      get: async (keys) => {
        const entries = await site.store.get(keys)
        if (sleeps) await woken
        return entries
      },
    }
    const sleeper = await startProcess({ ...site, store: slow })

    sleeps = true
    const begun = sleeper.ring.reread()
    await wait(0)
    site.clock.advance(30 * day - 660)
    const { added } = await awake.keep()
    site.clock.advance(3 * day)
    const signer = signerOf(sleeper.ring)
    sleeps = false
    wake()
    await begun
    expect(added?.kid).toBeDefined()
    expect(await signer).toBe(added?.kid)
  })

  it('stay longer where tokens live longer', async () => {
    const { ring, keep, clock } = await startProcess(await createSealedStore())
    const long = { tokenSeconds: 7 * day }
    clock.advance(30 * day - 660)
    await keep(long)
    clock.advance(660 + day + 6 * day)
    expect(await keep(long)).toEqual({})
    clock.advance(day + 60)
    expect((await keep(long)).removed).toHaveLength(1)
    expect(kidsOf(ring)).toHaveLength(1)
  })

  it('are renewed once, however many processes find it due at the same moment (HA-07)', async () => {
    const site = await createSealedStore()
    const processes = await Promise.all(Array.from({ length: 20 }, () => startProcess(site)))
    site.clock.advance(30 * day)
    const changes = await Promise.all(processes.map(({ keep }) => keep()))
    expect(changes.filter(({ added }) => added)).toHaveLength(1)
    await Promise.all(processes.map(({ ring }) => ring.reread()))
    for (const { ring } of processes)
      expect(kidsOf(ring)).toEqual(kidsOf(processes[0]?.ring ?? ring))
    site.clock.advance(660)
    const signers = await Promise.all(processes.map(({ ring }) => signerOf(ring)))
    expect(new Set(signers).size).toBe(1)
  })

  it('never fail a token while they change: two processes verify each other for four months', async () => {
    const site = await createSealedStore()
    const [a, b] = [await startProcess(site), await startProcess(site)]
    const grant = { sub: 'u', aud: 'https://r.example', client_id: 'c', scope: 's', gid: 'g' }
    const kids = new Set<string | undefined>()
    for (let hour = 0; hour < 120 * 24; hour += 6) {
      await a.keep()
      const token = await a.tokens.mint(grant, 3600)
      kids.add(decodeProtectedHeader(token).kid)
      if (hour % 24 === 0) await b.ring.reread()
      site.clock.advance(3599)
      expect((await b.tokens.verify(token)).sub).toBe('u')
      site.clock.advance(6 * 3600 - 3599)
    }
    expect(kids.size).toBeGreaterThanOrEqual(4)
    expect((await signingKeys.list(site.store)).length).toBeLessThanOrEqual(2)
  })

  it('of an algorithm that nobody uses any more go after their usual time', async () => {
    const { keep, clock, store } = await startProcess(await createSealedStore())
    const changes = { algorithm: 'EdDSA' as const }
    expect((await keep(changes)).added?.alg).toBe('EdDSA')
    clock.advance(day + 3600 + 720)
    expect(await keep(changes)).toEqual({})
    clock.advance(29 * day)
    expect((await keep(changes)).added?.alg).toBe('EdDSA')
    clock.advance(day)
    expect((await keep(changes)).removed).toHaveLength(1)
    const algorithms = (await signingKeys.list(store)).map(({ value }) => value.alg)
    expect(algorithms).toEqual(['EdDSA', 'EdDSA'])
  })

  it('sign in ten seconds when it is urgent, and a process that has not heard looks once', async () => {
    const site = await createSealedStore()
    const [a, b] = [await startProcess(site), await startProcess(site)]
    const made = await rotateKey(a, 'ES256', true)
    await a.ring.reread()
    site.clock.advance(9)
    expect(await signerOf(a.ring)).not.toBe(made?.kid)
    site.clock.advance(1)
    expect(await signerOf(a.ring)).toBe(made?.kid)
    expect(b.ring.find(made?.kid ?? '')).toBeUndefined()
    expect(await b.ring.resolve(made?.kid ?? '')).toMatchObject({ alg: 'ES256' })
  })
})

describe('a revoked key', () => {
  it('is replaced by one that signs at once when there is no other', async () => {
    const { ring, tokens, ...ports } = await startProcess(await createSealedStore())
    const leaked = (await signerOf(ring)) ?? ''
    const claims = { sub: 'u', aud: 'a', client_id: 'c', scope: '', gid: 'g' }
    const token = await tokens.mint(claims, 3600)
    await tokens.verify(token)
    const change = await revokeKey(ports, leaked, 'ES256')
    expect(change).toMatchObject({ removed: [leaked], added: { alg: 'ES256' } })
    await ring.reread()
    expect(await signerOf(ring)).toBe(change?.added?.kid)
    expect(kidsOf(ring)).toEqual([change?.added?.kid])
    await expect(tokens.verify(token)).rejects.toMatchObject({ reason: 'unknown_key' })
    expect(await revokeKey(ports, leaked, 'ES256')).toEqual({})
  })

  it('leaves the signing to a key that verifiers know already', async () => {
    const { ring, ...ports } = await startProcess(await createSealedStore())
    const older = await signerOf(ring)
    const leaked = await rotateKey(ports, 'ES256', true)
    ports.clock.advance(10)
    expect(await revokeKey(ports, leaked?.kid ?? '', 'ES256')).toEqual({ removed: [leaked?.kid] })
    await ring.reread()
    expect(await signerOf(ring)).toBe(older)
  })

  it('goes although the set changes at the same time, and one of two commands finds it gone', async () => {
    const site = await createSealedStore()
    const [a, b] = [await startProcess(site), await startProcess(site)]
    const leaked = (await signerOf(a.ring)) ?? ''
    const changes = await Promise.all([
      revokeKey(a, leaked, 'ES256'),
      revokeKey(b, leaked, 'ES256'),
      rotateKey(b, 'ES256', false),
    ])
    expect(changes.slice(0, 2).filter((change) => 'removed' in (change ?? {}))).toHaveLength(1)
    await a.ring.reread()
    expect(kidsOf(a.ring)).not.toContain(leaked)
    expect(await signerOf(a.ring)).not.toBe(leaked)
  })
})

describe('an unknown kid', () => {
  async function startCounted() {
    const site = await createSealedStore()
    const store = failingStore(site.store)
    const ring = await createKeyRing({ ...site, store })
    store.heal()
    return { ring, store, clock: site.clock }
  }

  it('costs at most one read a second, however many ask', async () => {
    const { ring, store, clock } = await startCounted()
    for (let n = 0; n < 100; n++) expect(await ring.resolve(`kid-${n}`)).toBeUndefined()
    expect(store.operations).toHaveLength(0)
    clock.advance(1)
    await Promise.all(Array.from({ length: 100 }, (_, n) => ring.resolve(`kid-${n}`)))
    for (let n = 0; n < 100; n++) await ring.resolve(`kid-${n}`)
    expect(store.operations).toHaveLength(1)
    expect(ring.find('kid-1')).toBeUndefined()
  })

  it('is 503 while the store cannot say, known ones are not affected', async () => {
    const { ring, store, clock } = await startCounted()
    const kid = (await signerOf(ring)) ?? ''
    clock.advance(60)
    store.failAlways()
    for (let n = 0; n < 10; n++) {
      await expect(ring.resolve('other')).rejects.toMatchObject({ code: 'temporarily_unavailable' })
    }
    expect(store.operations).toHaveLength(1)
    expect(await ring.resolve(kid)).toBeDefined()
    expect(await signerOf(ring)).toBe(kid)
  })
})

describe('a key that was altered while the server runs', () => {
  it('is left out and told of; the others go on (SG-11, JW-03)', async () => {
    const { store, sealer, clock } = await createSealedStore()
    const log = keptLog()
    const ring = await createKeyRing({ store, sealer, clock, log })
    const before = kidsOf(ring)
    const [own] = await signingKeys.list(store)
    const planted = { ...own?.value, kid: 'planted' }
    await store.commit({
      set: [
        { key: 'key/planted', value: JSON.stringify(planted) },
        { key: 'key-ring/self', value: '{"changedAt":1}' },
      ],
    })
    await ring.reread()
    expect(kidsOf(ring)).toEqual(before)
    expect(log.lines).toContainEqual(expect.objectContaining({ level: 'error' }))
  })
})

describe('the job', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  async function start(jitter = 0.5) {
    const process = await startProcess(await createSealedStore())
    const log = keptLog()
    const job = startKeyKeeping({
      ...process,
      keys: process.ring,
      log,
      rules,
      jitter: () => jitter,
    })
    return { ...process, log, job }
  }

  it('renews keys soon after a start and every minute, and says so', async () => {
    const { ring, clock, log, job } = await start()
    clock.advance(30 * day)
    await vi.advanceTimersByTimeAsync(20_000)
    await vi.waitFor(() => expect(kidsOf(ring)).toHaveLength(2))
    expect(log.lines).toMatchObject([{ level: 'info', message: 'A new signing key was published' }])
    clock.advance(660 + day + 3660)
    await vi.advanceTimersByTimeAsync(60_000)
    await vi.waitFor(() => expect(kidsOf(ring)).toHaveLength(1))
    await job.stop()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('learns of a change at once by a hint, without a timer', async () => {
    const { ring, store, sealer, clock, job } = await start()
    const made = await rotateKey({ store, sealer, clock }, 'ES256', false)
    await vi.waitFor(() => expect(kidsOf(ring)).toContain(made?.kid))
    const id = await rotateDataKey({ store, masterKey, clock })
    vi.useRealTimers()
    await wait(0)
    clock.advance(300)
    expect(sealer.seal('p', 'r', 'x')).toContain(`v1.${id}.`)
    await job.stop()
  })

  it('goes on after a fault of the store', async () => {
    const site = await createSealedStore()
    const store = failingStore(site.store)
    const process = await startProcess({ ...site, store })
    const log = keptLog()
    const job = startKeyKeeping({ ...process, keys: process.ring, log, rules, jitter: () => 0.5 })
    site.clock.advance(30 * day)
    store.failAlways()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(log.lines).toMatchObject([{ level: 'warn' }])
    store.heal()
    await vi.advanceTimersByTimeAsync(60_000)
    await vi.waitFor(() => expect(kidsOf(process.ring)).toHaveLength(2))
    await job.stop()
  })
})
