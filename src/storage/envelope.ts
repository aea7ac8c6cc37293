/**
 * Authenticated encryption of text: AES-256-GCM with a random 96-bit nonce, keys derived by HKDF-SHA-256.
 *
 * The sealed text is `<nonce>.<ciphertext and tag>` in base64url; callers put a format version and the
 * name of the key in front.
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import type { Random } from '../platform/crypto.ts'

const algorithm = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/**
 * A 256-bit key for one purpose. The same secret and purpose give the same key.
 *
 * A key object and not bytes: Node turns bytes into one at every use, which costs more than the use.
 */
export function deriveKey(secret: Uint8Array, purpose: string): KeyObject {
  const bytes = hkdfSync('sha256', secret, '', `gatehouse ${purpose}`, keyBytes)
  return createSecretKey(Buffer.from(bytes))
}

/** Encrypts; `context` is authenticated and must be given again to decrypt. */
export function encryptText(
  key: KeyObject,
  context: string,
  plaintext: string,
  random: Random,
): string {
  const nonce = random(nonceBytes)
  const cipher = createCipheriv(algorithm, key, Buffer.from(nonce, 'base64url'))
  cipher.setAAD(Buffer.from(context))
  const parts = [cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]
  return `${nonce}.${Buffer.concat(parts).toString('base64url')}`
}

/** Decrypts what {@link encryptText} made; undefined when it was altered, or made with another key or context. */
export function decryptText(key: KeyObject, context: string, sealed: string): string | undefined {
  const [nonce = '', body = '', ...rest] = sealed.split('.', 3)
  const iv = Buffer.from(nonce, 'base64url')
  const bytes = Buffer.from(body, 'base64url')
  if (iv.length !== nonceBytes || bytes.length < tagBytes || rest.length > 0) return undefined
  const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(bytes.subarray(-tagBytes))
  try {
    return decipher.update(bytes.subarray(0, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
}
