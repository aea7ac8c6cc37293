import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { expect, it } from 'vitest'
import { toConcatenated, toDer } from '../../src/tokens/ecdsa-signature.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const signNumber = (n: number) => sign('sha256', Buffer.from([n, n >> 8]), privateKey)

/** Enough for numbers with a zero in front, in both places. */
const signatures = Array.from({ length: 2000 }, (_, n) => signNumber(n))

/** One in five hundred has a number that is a byte shorter: the first of them is at the end. */
while (signatures.length < 50_000 && !isShort(signatures.at(-1)))
  signatures.push(signNumber(signatures.length))

function isShort(der: Buffer | undefined): boolean {
  return der !== undefined && der.length < 70
}

it('writes a signature as JWS wants it, whatever the length of its numbers (RFC 7518 §3.4)', () => {
  expect(signatures.some(isShort)).toBe(true)
  signatures.forEach((der, n) => {
    const joined = toConcatenated(der)
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
    expect(joined).toHaveLength(64)
    if (n % 10 === 0) expect(verify('sha256', Buffer.from([n, n >> 8]), key, joined)).toBe(true)
  })
})

it('reads it back as the same bytes', () => {
  for (const der of signatures) expect(toDer(toConcatenated(der))).toEqual(der)
})

it('takes no other length, and zeros as the number zero', () => {
  for (const length of [0, 63, 65]) expect(toDer(Buffer.alloc(length))).toBeUndefined()
  expect(toDer(Buffer.alloc(64))).toEqual(Buffer.from([0x30, 6, 2, 1, 0, 2, 1, 0]))
})
