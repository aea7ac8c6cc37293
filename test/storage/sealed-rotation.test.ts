import { describe, expect, it } from 'vitest'
import { createUsers } from '../../src/identity/users.ts'
import { systemRandom } from '../../src/platform/crypto.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { flows } from '../../src/storage/records/flow.ts'
import { resealings, vaults } from '../../src/storage/records/vault.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import { sealedRecords } from '../../src/storage/sealed-records.ts'
import { resealSlice, rotateDataKey } from '../../src/storage/sealed-rotation.ts'
import type { Sealer } from '../../src/storage/sealer.ts'
import type { Store } from '../../src/storage/store.ts'
import { createKeyRing } from '../../src/tokens/keys.ts'
import { keptLog } from '../helpers/gatehouse.ts'
import { listFiles, readSource } from '../helpers/sources.ts'
import { verifiesThat } from '../verifies.ts'
import { createTestClock, refusal } from './fixtures.ts'

const masterKey = Buffer.alloc(32, 'master')
const ada = { email: 'ada@example.com', password: 'correct horse battery' }
const day = 86_400

/** One process over a store that others may share. */
async function startProcess(
  options: { store?: Store; clock?: ReturnType<typeof createTestClock> } = {},
) {
  const clock = options.clock ?? createTestClock()
  const store = options.store ?? memoryStore({ clock })
  const sealer = await createSealer({ store, masterKey, clock })
  const users = createUsers({ store, sealer, clock, random: systemRandom, accessTokenSeconds: 60 })
  const log = keptLog()
  return {
    clock,
    store,
    sealer,
    users,
    log,
    rotate: () => rotateDataKey({ store, masterKey, clock }),
  }
}

type Process = Awaited<ReturnType<typeof startProcess>>

/** Lets re-sealing go on until there is nothing to do now; returns the number of slices. */
async function resealAll(process: Process): Promise<number> {
  await process.sealer.reread()
  for (let slices = 1; slices < 1000; slices++) if (!(await resealSlice(process))) return slices
  throw new Error('Re-sealing does not end')
}

async function findDataKeyIds(store: Store): Promise<string[]> {
  return (await vaults.find(store, 'self'))?.value.dataKeys.map(({ id }) => id) ?? []
}

/** The ids of the data keys that sealed anything in the store. */
async function findIdsInUse(store: Store): Promise<string[]> {
  const entries = await store.list('', { limit: 10_000 })
  const ids = entries.flatMap(({ value }) => [...value.matchAll(/"v1\.([\w-]{8})\./g)])
  return [...new Set(ids.map(([, id = '']) => id))]
}

function expectOpens(sealer: Sealer, sealed: string): void {
  expect(sealer.open('p', 'r', sealed)).toBe('secret')
}

describe('a new data key', () => {
  it('is published five minutes before it seals, and then seals everywhere without a restart', async () => {
    const a = await startProcess()
    const b = await startProcess(a)
    const [old = ''] = await findDataKeyIds(a.store)
    const id = await a.rotate()
    await Promise.all([a.sealer.reread(), b.sealer.reread()])
    a.clock.advance(299)
    expect(a.sealer.seal('p', 'r', 'secret')).toContain(`v1.${old}.`)
    a.clock.advance(1)
    const sealed = a.sealer.seal('p', 'r', 'secret')
    expect(sealed).toContain(`v1.${id}.`)
    expectOpens(b.sealer, sealed)
    expect(b.sealer.seal('p', 'r', 'secret')).toContain(`v1.${id}.`)
  })

  it('is one, however many processes ask for it at once', async () => {
    const a = await startProcess()
    const ids = await Promise.all(Array.from({ length: 50 }, () => a.rotate()))
    expect(new Set(ids).size).toBe(1)
    expect(await findDataKeyIds(a.store)).toHaveLength(2)
  })

  it('that a process missed is a fault that passes, not damage: it reads the vault and opens', async () => {
    const a = await startProcess()
    const b = await startProcess(a)
    await a.rotate()
    await a.sealer.reread()
    a.clock.advance(300)
    const sealed = a.sealer.seal('p', 'r', 'secret')
    const missed = refusal('temporarily_unavailable', 'data_key_unknown')
    expect(() => b.sealer.open('p', 'r', sealed)).toThrow(expect.objectContaining(missed))
    await b.sealer.reread()
    expectOpens(b.sealer, sealed)
  })

  it('that does not exist is damage once the vault was read (SG-11)', async () => {
    const { sealer } = await startProcess()
    const forged = sealer.seal('p', 'r', 'secret').replace(/^v1\.[\w-]+/, 'v1.AAAAAAAA')
    expect(() => sealer.open('p', 'r', forged)).toThrow(OAuthErrorOf('temporarily_unavailable'))
    await sealer.reread()
    expect(() => sealer.open('p', 'r', forged)).toThrow(OAuthErrorOf('server_error'))
  })

  it('stops a process that heard nothing for a day from sealing until it has read the vault', async () => {
    const { sealer, clock } = await startProcess()
    clock.advance(day)
    expect(sealer.seal('p', 'r', 'secret')).toMatch(/^v1\./)
    clock.advance(1)
    expect(() => sealer.seal('p', 'r', 'secret')).toThrow(OAuthErrorOf('temporarily_unavailable'))
    await sealer.reread()
    expect(sealer.seal('p', 'r', 'secret')).toMatch(/^v1\./)
  })
})

function OAuthErrorOf(code: string) {
  return expect.objectContaining({ name: 'OAuthError', code })
}

describe('re-sealing', () => {
  verifiesThat(
    'X7',
    'the sealing key is renewed while running: records follow, the old key goes',
    async () => {
      const process = await startProcess()
      const { store, clock, users, sealer } = process
      const known = await users.addLocal(ada.email, ada.password, 'owner')
      const keys = await createKeyRing(process)
      for (let n = 0; n < 250; n++) await users.admit('github', { subject: `${n}`, login: `p${n}` })
      const [old = ''] = await findDataKeyIds(store)
      expect(await findIdsInUse(store)).toEqual([old])

      const id = await process.rotate()
      expect(await resealAll(process)).toBe(1)
      clock.advance(300)
      expect(await resealAll(process)).toBeGreaterThan(3)
      expect(await findIdsInUse(store)).toEqual([id])
      expect((await resealings.find(store, 'self'))?.value).toMatchObject({
        dataKeyId: id,
        seen: 252,
        resealed: 252,
        left: 0,
        finishedAt: clock.now(),
      })
      expect(await findDataKeyIds(store)).toEqual([old, id])

      clock.advance(day + 60)
      await resealAll(process)
      expect(await findDataKeyIds(store)).toEqual([id])
      expect(await resealings.find(store, 'self')).toBeUndefined()

      const later = await startProcess({ store, clock })
      expect(await later.users.verifyPassword(ada.email, ada.password)).toMatchObject({
        record: { value: { id: known.record.value.id } },
        profile: { email: ada.email },
      })
      expect((await createKeyRing(later)).jwks()).toEqual(keys.jwks())
      expect(sealer.index('p', 'x')).toBe(later.sealer.index('p', 'x'))
    },
  )

  it('loses nothing that is written between its reading and its writing', async () => {
    const clock = createTestClock()
    const inner = memoryStore({ clock })
    let meanwhile = async () => {}
    const list: Store['list'] = async (prefix, options) => {
      const entries = await inner.list(prefix, options)
      if (prefix === 'user/') await meanwhile()
      return entries
    }
    const process = await startProcess({ store: { ...inner, list }, clock })
    const { store, users } = process
    const numbers = Array.from({ length: 40 }, (_, n) => n)
    const admitAll = (when: string) =>
      Promise.all(
        numbers.map((n) => users.admit('github', { subject: `${n}`, login: `${when}-${n}` })),
      )
    await admitAll('before')
    const { record } = await users.addLocal(ada.email, ada.password, 'owner')
    const id = await process.rotate()
    clock.advance(300)
    meanwhile = async () => {
      meanwhile = async () => {}
      await admitAll('after')
      await users.setPassword(record.value.id, 'another long password')
      await users.remove(
        (await users.admit('github', { subject: '0', login: 'after-0' })).record.value.id,
      )
    }
    await resealAll(process)
    const logins = (await users.list()).map(({ profile }) => profile.login)
    const expected = numbers.slice(1).map((n) => `after-${n}`)
    expect(new Set(logins)).toEqual(new Set([...expected, ada.email]))
    expect(await users.verifyPassword(ada.email, 'another long password')).toBeDefined()
    expect(await findIdsInUse(store)).toEqual([id])
  })

  it('goes on in another process where one stopped', async () => {
    const a = await startProcess()
    for (let n = 0; n < 250; n++) await a.users.admit('github', { subject: `${n}`, login: `p${n}` })
    await a.rotate()
    a.clock.advance(300)
    await a.sealer.reread()
    expect(await resealSlice(a)).toBe(true)
    expect(await resealSlice(a)).toBe(true)
    const b = await startProcess(a)
    await resealAll(b)
    const walk = await resealings.find(a.store, 'self')
    expect(walk?.value).toMatchObject({ seen: 250, resealed: 250, left: 0 })
  })

  it('keeps the old key while a sign-in in progress needs it, and looks again', async () => {
    const process = await startProcess()
    const { store, clock, sealer } = process
    const key = flows.key('f1')
    const value = { id: 'f1', upstream: { sealedSecrets: sealer.seal('upstream-trip', 'f1', 'x') } }
    const expiresAt = clock.now() + 600
    await store.commit({ set: [{ key, value: JSON.stringify(value), expiresAt }] })
    const [old = ''] = await findDataKeyIds(store)
    await process.rotate()
    clock.advance(300)
    await resealAll(process)
    expect((await resealings.find(store, 'self'))?.value).toMatchObject({ left: 1, resealed: 0 })
    expect(await flows.find(store, 'f1')).toMatchObject({ value })
    clock.advance(600)
    await resealAll(process)
    expect((await resealings.find(store, 'self'))?.value).toMatchObject({ left: 0 })
    expect(await findDataKeyIds(store)).toContain(old)
  })

  it('keeps the old key for a value that does not open, and says so (SG-11)', async () => {
    const process = await startProcess()
    const { store, clock, users, log } = process
    const { record } = await users.addLocal(ada.email, ada.password, 'owner')
    const damaged = {
      ...record.value,
      sealedProfile: `${record.value.sealedProfile.slice(0, -4)}AAAA`,
    }
    await store.commit({ set: [{ key: record.key, value: JSON.stringify(damaged) }] })
    const [old = ''] = await findDataKeyIds(store)
    await process.rotate()
    for (const seconds of [300, day + 60, day]) {
      clock.advance(seconds)
      await resealAll(process)
    }
    expect(await findDataKeyIds(store)).toContain(old)
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: { key: record.key } }),
    )
  })

  it('knows every place that seals: each purpose in the sources is in its table or expires', () => {
    const passing = ['upstream-trip', 'audit-note', 'legacy-session']
    const known = sealedRecords.flatMap(({ members }) => Object.values(members))
    const sources = listFiles('src').filter((path) => /sealer\.seal\(/.test(readSource(path)))
    for (const path of sources) {
      const found = [...known, ...passing].filter((purpose) =>
        readSource(path).includes(`'${purpose}'`),
      )
      const isGeneric = path === 'src/storage/sealed-rotation.ts'
      expect(found.length > 0 || isGeneric, path).toBe(true)
    }
    expect(sources).toEqual([
      'src/gate/backends/legacy/session.ts',
      'src/identity/custody-link.ts',
      'src/identity/invitations.ts',
      'src/identity/profiles.ts',
      'src/identity/users.ts',
      'src/operate/audit-notes.ts',
      'src/server/flow/upstream-trip.ts',
      'src/storage/sealed-rotation.ts',
      'src/tokens/key-records.ts',
    ])
  })
})

describe('another master key', () => {
  const newKey = Buffer.alloc(32, 'new')
  const previousMasterKey = masterKey

  it('takes over in one commit when both are given once; then it alone is enough', async () => {
    const { store, clock, sealer } = await startProcess()
    const sealed = sealer.seal('p', 'r', 'secret')
    const moved = await createSealer({ store, masterKey: newKey, previousMasterKey, clock })
    expectOpens(moved, sealed)
    const again = await createSealer({ store, masterKey: newKey, clock })
    expectOpens(again, sealed)
    expect(again.index('login', ada.email)).toBe(sealer.index('login', ada.email))
    await createSealer({ store, masterKey: newKey, previousMasterKey, clock })
  })

  it('ends the old one: a start with it says what is needed (JW-19)', async () => {
    const { store, clock } = await startProcess()
    await createSealer({ store, masterKey: newKey, previousMasterKey, clock })
    await expect(createSealer({ store, masterKey, clock })).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringMatching(/not the one this store is sealed with .*start with that key/),
    })
    const wrong = { store, masterKey: Buffer.alloc(32, 'x'), previousMasterKey, clock }
    await expect(createSealer(wrong)).rejects.toMatchObject({ name: 'StartError' })
  })

  it('takes over in many processes at once, and those with the old one go on serving', async () => {
    const running = await startProcess()
    const { store, clock } = running
    const sealed = running.sealer.seal('p', 'r', 'secret')
    const options = { store, masterKey: newKey, previousMasterKey, clock }
    const moved = await Promise.all(Array.from({ length: 4 }, () => createSealer(options)))
    await running.sealer.reread()
    expectOpens(running.sealer, sealed)
    for (const sealer of moved) expectOpens(sealer, running.sealer.seal('p', 'r', 'secret'))
    await expect(running.rotate()).rejects.toMatchObject({ name: 'StartError' })
  })

  it('must have 32 bytes, and so must the previous one', async () => {
    const { store, clock } = await startProcess()
    const short = Buffer.alloc(31, 1)
    const options = { store, masterKey: newKey, previousMasterKey: short, clock }
    await expect(createSealer(options)).rejects.toThrow(TypeError)
  })
})
