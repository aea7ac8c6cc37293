/**
 * New passwords are hashed at next to no cost in tests: a stored hash says what it cost, so everything that
 * verifies one is the real thing. Without it most of CI's time went into hashing the same few passwords. What a
 * password really costs is proven in `test/platform/scrypt.test.ts`, which takes this away again, and by every
 * test that starts the command line.
 */
import { randomBytes, scryptSync } from 'node:crypto'
import { vi } from 'vitest'
import type * as real from '../../src/platform/scrypt.ts'

const cost = { N: 2, r: 1, p: 1 }

vi.mock('../../src/platform/scrypt.ts', async (importOriginal) => ({
  ...(await importOriginal<typeof real>()),
  async hashPassword(password: string): Promise<string> {
    const salt = randomBytes(16)
    const hash = scryptSync(password, salt, 32, cost)
    return ['scrypt', 2, 1, 1, salt.toString('base64url'), hash.toString('base64url')].join('$')
  },
}))
