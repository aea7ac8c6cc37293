import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseForm } from '../../src/oauth/params.ts'
import { parseCodeChallenge, verifyCodeVerifier } from '../../src/oauth/pkce.ts'
import { refusalOf } from './refusal.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** RFC 7636 appendix B. */
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

describe('PKCE', () => {
  it('agrees with RFC 7636 appendix B', () => {
    const params = parseForm(`code_challenge=${challenge}&code_challenge_method=S256`)
    expect(parseCodeChallenge(params)).toBe(challenge)
    expect(verifyCodeVerifier(verifier, challenge, sha256)).toBe(true)
  })

  it.each([
    '',
    'code_challenge_method=S256',
    `code_challenge=${challenge}`,
    `code_challenge=${challenge}&code_challenge_method=plain`,
    `code_challenge=${challenge}&code_challenge_method=S512`,
    `code_challenge=${challenge}&code_challenge_method=s256`,
  ])('demands a challenge and S256: %j (S4, AZ-07, AZ-08)', (query) => {
    expect(refusalOf(() => parseCodeChallenge(parseForm(query)))).toMatchObject({
      code: 'invalid_request',
      description: 'PKCE code_challenge and code_challenge_method=S256 are required',
    })
  })

  it.each([
    challenge.slice(1),
    `${challenge}A`,
    `${challenge}=`,
    challenge.replace('-', '~'),
    'a'.repeat(128),
  ])('refuses a challenge that no SHA-256 has: %s (AZ-09)', (odd) => {
    const params = parseForm(`code_challenge=${odd}&code_challenge_method=S256`)
    expect(refusalOf(() => parseCodeChallenge(params)).code).toBe('invalid_request')
  })

  it('refuses a repeated challenge (AZ-10)', () => {
    const params = parseForm(`code_challenge=${challenge}&code_challenge=${challenge}`)
    expect(refusalOf(() => parseCodeChallenge(params)).description).toContain('more than once')
  })

  it('accepts verifiers of 43 to 128 unreserved characters and no others', () => {
    const fits = (text: string): boolean => verifyCodeVerifier(text, sha256(text), sha256)
    expect(fits('-._~'.repeat(32))).toBe(true)
    expect(fits('a'.repeat(43))).toBe(true)
    expect(fits('a'.repeat(42))).toBe(false)
    expect(fits('a'.repeat(129))).toBe(false)
    expect(fits(`${'a'.repeat(43)}+`)).toBe(false)
    expect(fits(`${'a'.repeat(43)}\n`)).toBe(false)
  })

  it('refuses the challenge presented as the verifier', () => {
    expect(verifyCodeVerifier(challenge, challenge, sha256)).toBe(false)
    expect(verifyCodeVerifier(verifier, challenge.toLowerCase(), sha256)).toBe(false)
  })
})
