import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../src/platform/crypto.ts'
import { deriveKey, encryptText } from '../../src/storage/envelope.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { vaults } from '../../src/storage/records/vault.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { Store } from '../../src/storage/store.ts'
import { createFolder, createTestClock, refusal } from './fixtures.ts'

const clock = createTestClock()
const masterKey = Buffer.alloc(32, 'master')
const unsealable = refusal('server_error', 'unsealable')

async function createPair() {
  const store = memoryStore({ clock })
  return { store, sealer: await createSealer({ store, masterKey, clock }) }
}

describe('createSealer', () => {
  it('opens what it sealed, also in another process and after a restart', async () => {
    const { store, sealer } = await createPair()
    const again = await createSealer({ store, masterKey, clock })
    for (const plaintext of ['', 'secret', 'é 🔑', 'x'.repeat(100_000)]) {
      expect(again.open('user', 'user/1', sealer.seal('user', 'user/1', plaintext))).toBe(plaintext)
    }
  })

  it('writes a format that names its version and its key', async () => {
    const { sealer } = await createPair()
    expect(sealer.seal('user', 'user/1', 'secret')).toMatch(/^v1\.[\w-]{8}\.[\w-]{16}\.[\w-]+$/)
  })

  it('refuses a sealed value moved to another row or purpose (SG-11, CD-16)', async () => {
    const { sealer } = await createPair()
    const sealed = sealer.seal('user', 'user/1', 'secret')
    expect(() => sealer.open('user', 'user/2', sealed)).toThrow(expect.objectContaining(unsealable))
    expect(() => sealer.open('key', 'user/1', sealed)).toThrow(expect.objectContaining(unsealable))
    // The boundary between purpose and row cannot be shifted either.
    const joined = sealer.seal('a', 'b/c', 'secret')
    expect(() => sealer.open('a/b', 'c', joined)).toThrow(expect.objectContaining(unsealable))
  })

  it('refuses every altered, truncated or foreign text and never crashes (SG-11)', async () => {
    const { sealer } = await createPair()
    const other = (await createPair()).sealer
    const sealed = sealer.seal('user', 'user/1', 'secret')
    const bent = [...sealed].map((letter, at) => {
      return sealed.slice(0, at) + (letter === 'A' ? 'B' : 'A') + sealed.slice(at + 1)
    })
    // The last letter carries four bits that belong to no byte.
    bent.pop()
    const cut = Array.from(sealed, (_, length) => sealed.slice(0, length))
    const odd = [
      'secret',
      'v1',
      'v1...',
      'v2.a.b.c',
      `${sealed}.x`,
      other.seal('user', 'user/1', 'x'),
    ]
    // A key id that nobody knows could be that of a new key: it is looked up first.
    for (const text of [...bent, ...odd]) {
      expect(() => sealer.open('user', 'user/1', text)).toThrow(
        expect.objectContaining({ name: 'OAuthError' }),
      )
    }
    await sealer.reread()
    for (const text of [...bent, ...cut, ...odd]) {
      expect(() => sealer.open('user', 'user/1', text)).toThrow(expect.objectContaining(unsealable))
    }
  })

  it('never uses a nonce twice (SG-13)', async () => {
    const { sealer } = await createPair()
    const nonces = Array.from({ length: 20_000 }, () => sealer.seal('p', 'r', 'x').split('.')[2])
    expect(new Set(nonces).size).toBe(nonces.length)
  })

  it('makes keyed hashes that outlive a restart and differ by purpose, value and store', async () => {
    const { store, sealer } = await createPair()
    const again = await createSealer({ store, masterKey, clock })
    const other = (await createPair()).sealer
    const index = sealer.index('login', 'ada@example.com')
    expect(index).toMatch(/^[\w-]{43}$/)
    expect(again.index('login', 'ada@example.com')).toBe(index)
    const others = [
      sealer.index('client', 'ada@example.com'),
      sealer.index('login', 'eve@example.com'),
      other.index('login', 'ada@example.com'),
    ]
    expect(new Set([index, ...others]).size).toBe(4)
  })

  it('agrees with every process that starts on the same empty store (HA-07)', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const stores = await Promise.all([1, 2, 3, 4].map(() => sqliteStore({ path, clock })))
    const sealers = await Promise.all(
      stores.map((store) => createSealer({ store, masterKey, clock })),
    )
    const sealed = sealers.map((sealer) => sealer.seal('p', 'r', 'secret'))
    for (const sealer of sealers) {
      expect(sealed.map((text) => sealer.open('p', 'r', text))).toEqual(sealed.map(() => 'secret'))
    }
    await Promise.all(stores.map((store) => store.close()))
  })

  it('opens values of every data key in the vault and seals with the current one', async () => {
    const { store, sealer } = await createPair()
    const old = sealer.seal('p', 'r', 'old')
    await addDataKey(store, 'second')
    const rotated = await createSealer({ store, masterKey, clock })
    expect(rotated.open('p', 'r', old)).toBe('old')
    const fresh = rotated.seal('p', 'r', 'new')
    expect(fresh).toMatch(/^v1\.second\./)
    expect(rotated.open('p', 'r', fresh)).toBe('new')
  })

  it('refuses to start with another master key, saying so and the way out (JW-19)', async () => {
    const { store } = await createPair()
    const wrong = createSealer({ store, masterKey: Buffer.alloc(32, 'other'), clock })
    await expect(wrong).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringMatching(/master key is not the one this store is sealed with.*start/),
    })
  })

  it('refuses to start on a vault that was altered (SG-11)', async () => {
    const { store } = await createPair()
    const vault = await vaults.find(store, 'self')
    const { sealedIndexKey } = vault?.value ?? {}
    const altered = { ...vault?.value, sealedIndexKey: sealedIndexKey?.replace(/.$/, '') }
    await store.commit({ set: [{ key: 'vault/self', value: JSON.stringify(altered) }] })
    await expect(createSealer({ store, masterKey, clock })).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringContaining('altered'),
    })
  })

  it('refuses a master key under 32 bytes as a mistake of the embedder (JW-19)', async () => {
    const store = memoryStore({ clock })
    await expect(createSealer({ store, masterKey: Buffer.alloc(31, 1), clock })).rejects.toThrow(
      TypeError,
    )
    expect(await store.list('')).toEqual([])
  })

  it('leaves neither plaintext nor any of its keys in the database files (SG-14)', async () => {
    const folder = createFolder()
    const store = await sqliteStore({ path: join(folder, 'gatehouse.db'), clock })
    const drawn: string[] = []
    const random = (bytes: number): string => {
      const text = systemRandom(bytes)
      if (bytes === 32) drawn.push(text)
      return text
    }
    const sealer = await createSealer({ store, masterKey, clock, random })
    const sealed = sealer.seal('user', 'user/1', 'ada@example.com')
    const key = `user-by-login/${sealer.index('login', 'ada@example.com')}`
    await store.commit({ set: [{ key, value: JSON.stringify({ sealed }) }] })
    expect(drawn).toHaveLength(2)
    for (const file of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, file))
      const secrets = [masterKey, ...drawn.map((text) => Buffer.from(text, 'base64url'))]
      for (const secret of [...secrets, ...drawn.map((text) => Buffer.from(text))]) {
        expect(bytes.includes(secret)).toBe(false)
      }
      expect(bytes.includes('ada@')).toBe(false)
    }
    await store.close()
    expect(readFileSync(join(folder, 'gatehouse.db')).includes(sealed)).toBe(true)
  })
})

/** Adds a data key to the vault and makes it the current one. */
async function addDataKey(store: Store, id: string): Promise<void> {
  const vault = await vaults.find(store, 'self')
  if (!vault) throw new Error('The store has no vault')
  const key = deriveKey(masterKey, 'vault')
  const sealedKey = encryptText(key, `data-key/${id}`, systemRandom(32), systemRandom)
  const dataKeys = [...vault.value.dataKeys, { id, sealedKey, createdAt: clock.now() }]
  const changed = { ...vault.value, dataKeys }
  await store.commit({ set: [vaults.write(vault.key, changed)] })
}
