import { createPrivateKey, createPublicKey } from 'node:crypto'
import { compactVerify, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createClaimsSigner, isSignedBy } from '../../src/tokens/key-signature.ts'

const claims = { sub: 'ada', text: 'é 🔑' }

async function createKeys(alg: 'ES256' | 'EdDSA' | 'RS256') {
  const jwk = await exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey)
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  return { jwk, alg, sign: createClaimsSigner(key, { alg, kid: 'k' }), key: createPublicKey(key) }
}

function split(token: string): { input: string; signature: Buffer } {
  const at = token.lastIndexOf('.')
  return { input: token.slice(0, at), signature: Buffer.from(token.slice(at + 1), 'base64url') }
}

describe.each(['ES256', 'EdDSA', 'RS256'] as const)('%s', (alg) => {
  it('signs what another implementation accepts, and accepts what that one signs (RFC 7515)', async () => {
    const keys = await createKeys(alg)
    const { kty, crv, x, y, n, e } = keys.jwk
    const theirs = await importJWK({ kty, crv, x, y, n, e }, alg)
    for (const typ of ['at+jwt', 'gatehouse-assertion+jwt', 'at+jwt']) {
      const { payload, protectedHeader } = await compactVerify(await keys.sign(claims, typ), theirs)
      expect(protectedHeader).toEqual({ alg, kid: 'k', typ })
      expect(JSON.parse(Buffer.from(payload).toString())).toEqual(claims)
    }
    const signer = new SignJWT(claims).setProtectedHeader({ alg })
    const { input, signature } = split(await signer.sign(await importJWK(keys.jwk, alg)))
    expect(isSignedBy(keys, input, signature)).toBe(true)
  })

  it('refuses signatures of any other length or key, and never throws (JW-14)', async () => {
    const keys = await createKeys(alg)
    const { input, signature } = split(await keys.sign(claims, 'at+jwt'))
    expect(isSignedBy(keys, input, signature)).toBe(true)
    const wrong = [
      Buffer.alloc(0),
      signature.subarray(1),
      signature.subarray(0, -1),
      Buffer.concat([signature, Buffer.alloc(1)]),
      Buffer.concat([signature, signature]),
      Buffer.alloc(signature.length),
      Buffer.alloc(signature.length, 255),
    ]
    for (const bytes of wrong) expect(isSignedBy(keys, input, bytes)).toBe(false)
    expect(isSignedBy(keys, `${input}x`, signature)).toBe(false)
    expect(isSignedBy(await createKeys(alg), input, signature)).toBe(false)
  })
})

it('ES256 refuses a DER signature (JW-14)', async () => {
  const { sign: signDer } = await import('node:crypto')
  const keys = await createKeys('ES256')
  const { input } = split(await keys.sign(claims, 'at+jwt'))
  const der = signDer(
    'sha256',
    Buffer.from(input),
    createPrivateKey({ key: keys.jwk, format: 'jwk' }),
  )
  expect(isSignedBy(keys, input, der)).toBe(false)
})
