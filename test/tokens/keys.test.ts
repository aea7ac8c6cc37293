import { join } from 'node:path'
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  jwtVerify,
} from 'jose'
import { describe, expect, it } from 'vitest'
import { signingKeys } from '../../src/storage/records/key.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import { createKeyRing } from '../../src/tokens/keys.ts'
import { createFolder, createTestClock } from '../storage/fixtures.ts'
import { createSealedStore, masterKey } from './fixtures.ts'

describe('createKeyRing', () => {
  it.each([
    ['ES256', { kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String) }],
    ['EdDSA', { kty: 'OKP', crv: 'Ed25519', x: expect.any(String) }],
    ['RS256', { kty: 'RSA', e: 'AQAB', n: expect.stringMatching(/^.{342,}$/) }],
  ] as const)(
    'publishes exactly the public members of an %s key (JW-14)',
    async (algorithm, jwk) => {
      const { store, sealer, clock } = await createSealedStore()
      const keys = await createKeyRing({ store, sealer, clock, algorithm })
      const kid = expect.stringMatching(/^[\w-]{43}$/)
      expect(keys.jwks()).toStrictEqual({ keys: [{ ...jwk, kid, alg: algorithm, use: 'sig' }] })
      const [published] = keys.jwks().keys
      expect(published?.kid).toBe(await calculateJwkThumbprint(published ?? {}))
    },
  )

  it('signs what anyone verifies with the published keys, with kid, alg and typ', async () => {
    const { store, sealer, clock } = await createSealedStore()
    const keys = await createKeyRing({ store, sealer, clock })
    const jws = await keys.sign({ sub: 'ada' }, 'test+jwt')
    const verified = await jwtVerify(jws, createLocalJWKSet(keys.jwks()), { typ: 'test+jwt' })
    expect(verified.payload).toEqual({ sub: 'ada' })
    const kid = keys.jwks().keys[0]?.kid
    expect(verified.protectedHeader).toEqual({ alg: 'ES256', kid, typ: 'test+jwt' })
    expect(keys.find(kid ?? '')).toMatchObject({ alg: 'ES256' })
    expect(keys.find('unknown')).toBeUndefined()
  })

  it('keeps its keys over a restart', async () => {
    const { store, sealer, clock } = await createSealedStore()
    const first = await createKeyRing({ store, sealer, clock })
    const second = await createKeyRing({ store, sealer, clock })
    expect(second.jwks()).toEqual(first.jwks())
  })

  it('agrees with every process that starts on the same empty store (HA-07)', async () => {
    const path = join(createFolder(), 'gatehouse.db')
    const clock = createTestClock()
    const starts = [1, 2, 3, 4].map(async () => {
      const store = await sqliteStore({ path, clock })
      const sealer = await createSealer({ store, masterKey, clock })
      return { store, keys: await createKeyRing({ store, sealer, clock }) }
    })
    const started = await Promise.all(starts)
    const kids = started.map(({ keys }) => keys.jwks().keys.map((key) => key.kid))
    expect(kids[0]).toHaveLength(1)
    for (const each of kids) expect(each).toEqual(kids[0])
    await Promise.all(started.map(({ store }) => store.close()))
  })

  it('signs with a newly configured algorithm once caches know its key (DI-14), and goes on verifying what older keys signed', async () => {
    const { store, sealer, clock } = await createSealedStore()
    const before = await createKeyRing({ store, sealer, clock })
    const old = await before.sign({ sub: 'ada' }, 'at+jwt')
    const after = await createKeyRing({ store, sealer, clock, algorithm: 'EdDSA' })
    const jwks = createLocalJWKSet(after.jwks())
    expect((await jwtVerify(old, jwks)).payload).toEqual({ sub: 'ada' })
    const signedWith = async () =>
      (await jwtVerify(await after.sign({}, 'at+jwt'), jwks)).protectedHeader.alg
    expect(await signedWith()).toBe('ES256')
    clock.advance(599)
    expect(await signedWith()).toBe('ES256')
    clock.advance(61)
    expect(await signedWith()).toBe('EdDSA')
  })

  it('seals the private key: the store shows none of its members (SG-14)', async () => {
    const { store, sealer, clock } = await createSealedStore()
    await createKeyRing({ store, sealer, clock })
    const [record] = await signingKeys.list(store)
    const sealed = record?.value.sealedPrivateJwk ?? ''
    const { d } = JSON.parse(sealer.open('signing-key', record?.key ?? '', sealed))
    expect(d).toMatch(/^[\w-]{43}$/)
    const dump = JSON.stringify(await store.list(''))
    expect(dump).not.toContain(d)
    expect(dump).not.toContain(Buffer.from(d, 'base64url').toString('hex'))
  })

  it('does not trust a key that someone wrote into the database (JW-03)', async () => {
    const { store, sealer, clock } = await createSealedStore()
    await createKeyRing({ store, sealer, clock })
    const { publicKey } = await generateKeyPair('ES256', { extractable: true })
    const [own] = await signingKeys.list(store)
    const publicJwk = await exportJWK(publicKey)
    const planted = { ...own?.value, kid: 'planted', publicJwk }
    await store.commit({ set: [{ key: 'key/planted', value: JSON.stringify(planted) }] })
    await expect(createKeyRing({ store, sealer, clock })).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringContaining('planted'),
    })
  })

  it('takes the public key from the sealed part, whatever the record shows (SG-11)', async () => {
    const { store, sealer, clock } = await createSealedStore()
    const keys = await createKeyRing({ store, sealer, clock })
    const [own] = await signingKeys.list(store)
    const { publicKey } = await generateKeyPair('ES256', { extractable: true })
    const changed = {
      ...own?.value,
      kid: 'other',
      alg: 'RS256',
      publicJwk: await exportJWK(publicKey),
    }
    await store.commit({ set: [{ key: own?.key ?? '', value: JSON.stringify(changed) }] })
    expect((await createKeyRing({ store, sealer, clock })).jwks()).toEqual(keys.jwks())
  })
})
