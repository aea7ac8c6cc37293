/**
 * The two spellings of an ECDSA signature with P-256: ASN.1 DER, which OpenSSL speaks (RFC 3279 §2.2.3),
 * and the two numbers side by side, which JWS wants (RFC 7518 §3.4).
 *
 * Node can translate too, but takes twenty microseconds longer for a key with options than for a bare
 * one: more than the signature itself.
 */

const numberBytes = 32
const sequenceTag = 0x30
const integerTag = 0x02

/** DER as OpenSSL writes it, as 64 bytes. */
export function toConcatenated(der: Uint8Array): Buffer {
  const joined = Buffer.alloc(2 * numberBytes)
  const end = copyNumber(der, 2, joined, numberBytes)
  copyNumber(der, end, joined, 2 * numberBytes)
  return joined
}

/** 64 bytes as DER; undefined when there are more or fewer. */
export function toDer(joined: Uint8Array): Buffer | undefined {
  if (joined.length !== 2 * numberBytes) return undefined
  const numbers = [joined.subarray(0, numberBytes), joined.subarray(numberBytes)].flatMap(toInteger)
  return Buffer.from([sequenceTag, numbers.length, ...numbers])
}

/** Copies the integer at `at` so that it ends before `end`; returns where the next one begins. */
function copyNumber(der: Uint8Array, at: number, target: Buffer, end: number): number {
  const next = at + 2 + (der[at + 1] ?? 0)
  // DER puts a zero before a number whose first bit is set.
  const digits = der.subarray(Math.max(at + 2, next - numberBytes), next)
  target.set(digits, end - digits.length)
  return next
}

/** The shortest form of a positive number: no zero in front but the one that keeps it positive. */
function toInteger(number: Uint8Array): number[] {
  const first = number.findIndex((byte) => byte !== 0)
  const digits = first < 0 ? [0] : [...number.subarray(first)]
  const padded = (digits[0] ?? 0) >= 0x80 ? [0, ...digits] : digits
  return [integerTag, padded.length, ...padded]
}
