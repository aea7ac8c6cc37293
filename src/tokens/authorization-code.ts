/** Authorization codes: `ghc_<secret>`, 47 characters (RFC 6749 §10.10). Stored only as a hash. */
import { type Random, sha256 } from '../platform/crypto.ts'

const shape = /^ghc_[\w-]{43}$/

/** A new code, with a secret of 256 bits. */
export function mintCode(random: Random): string {
  return `ghc_${random(32)}`
}

/** The text, if it has the full length and shape of a code; says nothing about whether it is real (catalogue CD-14, CD-15). */
export function parseCode(text: string): string | undefined {
  return shape.test(text) ? text : undefined
}

/** What is stored of a code: the SHA-256 of all of it. */
export function hashCode(code: string): string {
  return sha256(code)
}
