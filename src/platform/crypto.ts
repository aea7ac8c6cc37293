/** The cryptographic primitives of the platform, as plain functions over `node:crypto`. */
import { createHmac, hash, type KeyObject, randomFillSync, timingSafeEqual } from 'node:crypto'

/** Returns `bytes` random bytes as base64url text. Handed in wherever randomness is needed. */
export type Random = (bytes: number) => string

/** Bytes asked for at once: a request needs about seventy, in five pieces. */
const poolBytes = 4096

const pool = Buffer.alloc(poolBytes)
let poolUsed = poolBytes

/** Randomness from the operating system, asked for in advance and wiped when it is given out. */
export const systemRandom: Random = (bytes) => {
  if (bytes > poolBytes) throw new RangeError(`${bytes} random bytes are more than ${poolBytes}`)
  if (poolUsed + bytes > poolBytes) {
    randomFillSync(pool)
    poolUsed = 0
  }
  const drawn = pool.subarray(poolUsed, poolUsed + bytes)
  poolUsed += bytes
  const text = drawn.toString('base64url')
  drawn.fill(0)
  return text
}

/** SHA-256 of UTF-8 text, as base64url without padding (43 characters). */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** HMAC-SHA-256 of UTF-8 text, as base64url without padding (43 characters). */
export function hmacSha256(key: KeyObject, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

/** Compares two texts in time that depends on their lengths only. */
export function equalInConstantTime(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  if (left.length !== right.length) return false
  return timingSafeEqual(left, right)
}

/** Rewrites base64url text as hexadecimal digits. */
export function toHex(base64url: string): string {
  return Buffer.from(base64url, 'base64url').toString('hex')
}
