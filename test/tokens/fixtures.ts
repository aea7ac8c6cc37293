/** A store, a sealer and a key ring of each test's own. */
import { systemRandom } from '../../src/platform/crypto.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import type { SigningAlgorithm } from '../../src/storage/records/key.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import { createAccessTokens } from '../../src/tokens/access-token.ts'
import { createKeyRing } from '../../src/tokens/keys.ts'
import { createTestClock } from '../storage/fixtures.ts'

export const issuer = 'https://gatehouse.example'

export const masterKey = Buffer.alloc(32, 'master')

/** An empty memory store with its sealer. */
export async function createSealedStore(clock = createTestClock()) {
  const store = memoryStore({ clock })
  return { clock, store, sealer: await createSealer({ store, masterKey, clock }) }
}

/** Everything that mints and verifies access tokens. */
export async function createMint(algorithm: SigningAlgorithm = 'ES256') {
  const { clock, store, sealer } = await createSealedStore()
  const keys = await createKeyRing({ store, sealer, clock, algorithm })
  const tokens = createAccessTokens({ issuer, keys, clock, random: systemRandom })
  return { clock, store, sealer, keys, tokens }
}
