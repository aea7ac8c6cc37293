/** The cryptographic primitives of the platform, as plain functions over `node:crypto`. */
import { createHash, createHmac, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'

/** Returns `bytes` random bytes as base64url text. Handed in wherever randomness is needed. */
export type Random = (bytes: number) => string

/** Randomness from the operating system. */
export const systemRandom: Random = (bytes) => randomBytes(bytes).toString('base64url')

/** SHA-256 of UTF-8 text, as base64url without padding (43 characters). */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
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
