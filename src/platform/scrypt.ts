/**
 * Password hashing with scrypt (RFC 7914), stored as `scrypt$N$r$p$salt$hash`.
 *
 * The cost is the one OWASP recommends for 32 MiB of memory. A hash says what it cost, so that a
 * later increase keeps the old ones valid. At most two derivations run at once in this process and
 * 32 wait, shared fairly between the networks that ask: a flood of sign-ins gets 503 instead of the
 * machine's memory and everyone's place in line (catalogue DS-06).
 */
import { randomBytes, type ScryptOptions, scrypt } from 'node:crypto'
import { equalInConstantTime } from './crypto.ts'
import { createTurns } from './turns.ts'

/** Work factors of RFC 7914: N iterations and memory, r block size, p repetitions. */
interface Cost {
  readonly N: number
  readonly r: number
  readonly p: number
}

const cost: Cost = { N: 2 ** 15, r: 8, p: 3 }
const saltBytes = 16
const hashBytes = 32
const memoryLimitBytes = 64 * 1024 * 1024

const takeTurn = createTurns({ atOnce: 2, waiting: 32, reason: 'passwords_busy' })

/** Who asks when it is not a network: new passwords are set by those who were let in already. */
const ourselves = 'ourselves'

/** One attempt to sign in. */
export interface PasswordAttempt {
  /** Whom the turn is taken for: the network that the attempt comes from. Default: one for all. */
  readonly network?: string
  /** Called when the password is about to be looked at; what it throws ends the attempt. */
  readonly onTurn?: () => Promise<void>
}

/** Stands in for the hash of a user who does not exist; nothing derives to it. */
const nobody = toText(cost, Buffer.alloc(saltBytes).toString('base64url'), '')

/**
 * Hashes a password with a fresh salt.
 *
 * @throws OAuthError `temporarily_unavailable` when too many derivations wait already
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes).toString('base64url')
  return toText(cost, salt, await takeTurn(ourselves, () => derive(password, salt, cost)))
}

/**
 * Whether a password belongs to a stored hash, compared in constant time.
 *
 * Without a stored hash the answer is no, after just as much work: whoever asks learns nothing about
 * which users exist.
 *
 * @throws OAuthError `temporarily_unavailable` when too many derivations wait already
 */
export async function verifyPassword(
  password: string,
  stored: string | undefined,
  { network = 'unknown', onTurn }: PasswordAttempt = {},
): Promise<boolean> {
  const { salt, hash, ...itsCost } = parseText(stored ?? nobody)
  const derived = await takeTurn(network, async () => {
    await onTurn?.()
    return derive(password, salt, itsCost)
  })
  return equalInConstantTime(derived, hash)
}

function derive(password: string, salt: string, { N, r, p }: Cost): Promise<string> {
  const options: ScryptOptions = { N, r, p, maxmem: memoryLimitBytes }
  return new Promise((resolve, reject) => {
    scrypt(password, Buffer.from(salt, 'base64url'), hashBytes, options, (error, key) => {
      if (error) reject(error)
      else resolve(key.toString('base64url'))
    })
  })
}

function toText({ N, r, p }: Cost, salt: string, hash: string): string {
  return ['scrypt', N, r, p, salt, hash].join('$')
}

function parseText(text: string): Cost & { salt: string; hash: string } {
  const [scheme, N, r, p, salt, hash, ...rest] = text.split('$')
  if (scheme !== 'scrypt' || salt === undefined || hash === undefined || rest.length > 0) {
    throw new TypeError('Not a stored scrypt hash')
  }
  return { N: Number(N), r: Number(r), p: Number(p), salt, hash }
}
