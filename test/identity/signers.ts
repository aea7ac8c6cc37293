/** Keys of a test provider, and JSON Web Signatures made at once, right or wrong. */
import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A key that signs. `jwk` and `pem` are its public half; a shared secret has none. */
export interface Signer {
  readonly alg: string
  readonly kid?: string
  readonly jwk?: object
  readonly pem?: string
  sign(input: string): string
}

/** A new key for this algorithm. */
export function createSigner(alg: 'RS256' | 'PS256' | 'ES256' | 'EdDSA', kid: string): Signer {
  const { publicKey, privateKey } = createKeyPair(alg)
  const details = { dsaEncoding: 'ieee-p1363' as const, ...(alg === 'PS256' && pss) }
  const digest = alg === 'EdDSA' ? null : 'sha256'
  return {
    alg,
    kid,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
    pem: String(publicKey.export({ type: 'spki', format: 'pem' })),
    sign: (input) =>
      sign(digest, Buffer.from(input), { key: privateKey, ...details }).toString('base64url'),
  }
}

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }

function createKeyPair(alg: string): { publicKey: KeyObject; privateKey: KeyObject } {
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519')
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

/** HS256 with this secret. */
export function createSharedSigner(secret: string, kid?: string): Signer {
  return {
    alg: 'HS256',
    ...(kid !== undefined && { kid }),
    sign: (input) => createHmac('sha256', secret).update(input).digest('base64url'),
  }
}

/** No signature at all. */
export const unsigned: Signer = { alg: 'none', sign: () => '' }

/** A JWS of this payload. */
export function signJwt(signer: Signer, payload: object): string {
  const { alg, kid } = signer
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const input = `${encode({ alg, typ: 'JWT', ...(kid !== undefined && { kid }) })}.${encode(payload)}`
  return `${input}.${signer.sign(input)}`
}
