import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../src/platform/crypto.ts'
import { codes } from '../../src/storage/records/code.ts'
import { families } from '../../src/storage/records/family.ts'
import { signingKeys } from '../../src/storage/records/key.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import { hashCode, mintCode } from '../../src/tokens/authorization-code.ts'
import { createKeyRing } from '../../src/tokens/keys.ts'
import {
  hashRefreshToken,
  mintRefreshToken,
  sealSuccessor,
} from '../../src/tokens/refresh-token.ts'
import { createFolder, createTestClock } from '../storage/fixtures.ts'
import { masterKey } from './fixtures.ts'

const clock = createTestClock()

async function fillDatabase(folder: string) {
  const store = await sqliteStore({ path: join(folder, 'gatehouse.db'), clock })
  const sealer = await createSealer({ store, masterKey, clock })
  await createKeyRing({ store, sealer, clock })
  const grantId = systemRandom(16)
  const ports = { sealer, random: systemRandom }
  const [first, second] = [mintRefreshToken(grantId, ports), mintRefreshToken(grantId, ports)]
  const code = mintCode(systemRandom)
  const family = {
    currentHash: hashRefreshToken(second),
    previousHash: hashRefreshToken(first),
    sealedSuccessor: sealSuccessor(first, second, systemRandom),
  }
  await store.commit({
    set: [
      { key: codes.key(hashCode(code)), value: '{}' },
      { key: families.key(grantId), value: JSON.stringify(family) },
    ],
  })
  const [key] = await signingKeys.list(store)
  const sealed = key?.value.sealedPrivateJwk ?? ''
  const privateJwk = JSON.parse(sealer.open('signing-key', key?.key ?? '', sealed))
  return { store, secrets: { first, second, code, d: privateJwk.d, master: masterKey.toString() } }
}

/** What would betray a secret: itself, its random part, and the bytes that it spells. */
function toTraces(secret: string): Buffer[] {
  const random = secret.replace(/^gh[rc]_([\w-]{22}_)?/, '').slice(0, 43)
  return [Buffer.from(secret), Buffer.from(random), Buffer.from(random, 'base64url')]
}

describe('a stolen database', () => {
  it('shows no code, refresh token, private key or master key in any of its files (SG-14)', async () => {
    const folder = createFolder()
    const { store, secrets } = await fillDatabase(folder)
    const expectNone = (): void => {
      for (const file of readdirSync(folder)) {
        const bytes = readFileSync(join(folder, file))
        const found = Object.entries(secrets).filter(([, secret]) =>
          toTraces(secret).some((trace) => bytes.includes(trace)),
        )
        expect(found).toEqual([])
      }
    }
    expect(readFileSync(join(folder, 'gatehouse.db-wal')).includes('sealedSuccessor')).toBe(true)
    expectNone()
    await store.close()
    expect(readFileSync(join(folder, 'gatehouse.db')).includes('sealedSuccessor')).toBe(true)
    expectNone()
  })
})
