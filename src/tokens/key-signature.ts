/**
 * Signatures of compact JWS (RFC 7515 §3.1), through `node:crypto` directly: WebCrypto sends each one
 * through a job queue, which costs as much again as the signature.
 *
 * A key is bound to its one algorithm when it is made; no token header can change it (catalogue JW-02).
 */
import { createHmac, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto'
import type { SigningAlgorithm } from '../storage/records/key.ts'
import { toConcatenated, toDer } from './ecdsa-signature.ts'

/** Signs claims; the header is `alg`, `kid` and the given `typ`. */
export type ClaimsSigner = (claims: object, typ: string) => Promise<string>

/** What an access token may be signed with: a key of ours, or a secret that backends share (S5). */
export type TokenAlgorithm = SigningAlgorithm | 'HS256'

/** A public key, or a shared secret, and the one algorithm it is used with. */
export interface VerificationKey {
  readonly key: KeyObject
  readonly alg: TokenAlgorithm
}

/** What Node calls the hash of each algorithm; Ed25519 brings its own. */
const hashes: Record<SigningAlgorithm, string | null> = {
  ES256: 'sha256',
  EdDSA: null,
  RS256: 'sha256',
}

/** A signer that remembers the encoded header of each `typ`; there are two. */
export function createClaimsSigner(
  key: KeyObject,
  { alg, kid }: { readonly alg: TokenAlgorithm; readonly kid: string },
): ClaimsSigner {
  const headers = new Map<string, string>()
  const toHeader = (typ: string): string => {
    const header = headers.get(typ) ?? toBase64url(JSON.stringify({ alg, kid, typ }))
    headers.set(typ, header)
    return header
  }
  const signBytes = createBytesSigner(key, alg)
  return async (claims, typ) => {
    const input = `${toHeader(typ)}.${toBase64url(JSON.stringify(claims))}`
    return `${input}.${(await signBytes(Buffer.from(input))).toString('base64url')}`
  }
}

/** Whether the signature over `<header>.<payload>` is right (RFC 7515 §5.2). */
export function isSignedBy(
  { key, alg }: VerificationKey,
  input: string,
  signature: Uint8Array,
): boolean {
  if (alg === 'HS256') return isEqual(digest(key, input), signature)
  const bytes = alg === 'ES256' ? toDer(signature) : signature
  return bytes !== undefined && verify(hashes[alg], Buffer.from(input), key, bytes)
}

/** An RSA signature takes long enough to be worth another thread; the others are shorter than the way there. */
function createBytesSigner(
  key: KeyObject,
  alg: TokenAlgorithm,
): (input: Buffer) => Buffer | Promise<Buffer> {
  if (alg === 'HS256') return (input) => digest(key, input)
  const hash = hashes[alg]
  if (alg === 'ES256') return (input) => toConcatenated(sign(hash, input, key))
  if (alg === 'EdDSA') return (input) => sign(hash, input, key)
  return (input) =>
    new Promise((resolve, reject) => {
      sign(hash, input, key, (error, signature) => (error ? reject(error) : resolve(signature)))
    })
}

function digest(key: KeyObject, input: Buffer | string): Buffer {
  return createHmac('sha256', key).update(input).digest()
}

function isEqual(expected: Buffer, presented: Uint8Array): boolean {
  return expected.length === presented.length && timingSafeEqual(expected, presented)
}

function toBase64url(text: string): string {
  return Buffer.from(text).toString('base64url')
}
