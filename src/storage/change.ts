/** What every driver accepts, checked before it touches anything, so that all drivers refuse alike. */
import type { Commit, Write } from './store.ts'

/** In UTF-8. */
const maxValueBytes = 256 * 1024

const storableKey = /^[\x20-\x7e]{1,512}$/

/**
 * Checks a change before it is applied. Every breach is a mistake of the caller, not of the network.
 *
 * @throws TypeError when a key is not printable ASCII of at most 512 characters or is written twice,
 *   a value is longer than 256 KiB, or an expiry is not a whole number of seconds
 */
export function verifyChange(change: Commit): void {
  const sets = change.set ?? []
  const written = [...sets.map((write) => write.key), ...(change.delete ?? [])]
  for (const key of written) {
    if (!storableKey.test(key)) throw new TypeError(`Key ${JSON.stringify(key)} cannot be stored`)
  }
  if (new Set(written).size < written.length) {
    throw new TypeError(`A commit writes a key twice: ${written.join(', ')}`)
  }
  for (const write of sets) verifyWrite(write)
}

function verifyWrite({ key, value, expiresAt }: Write): void {
  if (isTooLong(value)) throw new TypeError(`The value of ${key} is longer than 256 KiB`)
  if (expiresAt !== undefined && !Number.isSafeInteger(expiresAt)) {
    throw new TypeError(`The expiry of ${key} must be whole unix seconds, not ${expiresAt}`)
  }
}

function isTooLong(value: string): boolean {
  if (value.length * 3 <= maxValueBytes) return false
  return Buffer.byteLength(value) > maxValueBytes
}
