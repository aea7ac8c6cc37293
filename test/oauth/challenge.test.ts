import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OAuthError } from '../../src/errors.ts'
import { formatChallenge, parseBearer } from '../../src/oauth/challenge.ts'
import { refusalOf } from './refusal.ts'

const resourceMetadata = 'https://h.example/.well-known/oauth-protected-resource/mcp'

describe('challenge', () => {
  it('names metadata and scope, and no error when no token came (RS-01)', () => {
    expect(formatChallenge({ resourceMetadata, scope: 'read write' })).toBe(
      `Bearer resource_metadata="${resourceMetadata}", scope="read write"`,
    )
  })

  it('names the error and its description', () => {
    const errorDescription = 'The access token expired'
    expect(formatChallenge({ resourceMetadata, error: 'invalid_token', errorDescription })).toBe(
      `Bearer resource_metadata="${resourceMetadata}", error="invalid_token", error_description="${errorDescription}"`,
    )
    expect(formatChallenge({ resourceMetadata, scope: '' })).not.toContain('scope=')
  })

  it('writes other quotes for quotes', () => {
    expect(formatChallenge({ resourceMetadata, errorDescription: 'no "x"' })).toContain(
      `error_description="no 'x'"`,
    )
  })

  it('lets no value leave its quotes or its line (I17)', () => {
    const parameter = '[a-z_]+="[\\x20\\x21\\x23-\\x5B\\x5D-\\x7E]*"'
    const shape = new RegExp(`^Bearer ${parameter}(?:, ${parameter})*$`)
    const text = fc.string({ unit: fc.constantFrom(...'"\\\r\n\0\t aé,='), minLength: 1 })
    fc.assert(
      fc.property(text, text, (scope, errorDescription) => {
        const written = formatChallenge({ resourceMetadata, scope, errorDescription })
        expect(written).toMatch(shape)
        expect(written.match(/ scope="/g)).toHaveLength(1)
      }),
    )
  })
})

describe('bearer token', () => {
  it('reads the scheme in any case (RS-06)', () => {
    for (const scheme of ['Bearer', 'bearer', 'bEaReR']) {
      expect(parseBearer(`${scheme} aA0-._~+/==`)).toBe('aA0-._~+/==')
    }
    expect(parseBearer('Bearer  \t x ')).toBe('x')
  })

  it.each([null, '', 'Bearer', 'Bearer ', 'Basic eyJhbGciOi', 'Token eyJ', 'BearerX y', 'eyJ.a.b'])(
    'finds no token in %j (RS-06)',
    (header) => {
      expect(parseBearer(header)).toBeUndefined()
    },
  )

  it.each([
    'Bearer a b',
    'Bearer a, Bearer b',
    'Bearer a,Bearer b',
    'Bearer a,b',
    'Basic eA==, Bearer b',
  ])('refuses more than one credential: %j (RS-05)', (header) => {
    expect(refusalOf(() => parseBearer(header))).toMatchObject({
      code: 'invalid_request',
      status: 400,
    })
  })

  it.each(['Bearer %zz', 'Bearer é', 'Bearer a=b', 'Bearer "x"', 'Bearer \0', 'Bearer {}'])(
    'answers 401 to a malformed token: %j (JW-11, JW-13)',
    (header) => {
      expect(refusalOf(() => parseBearer(header))).toMatchObject({
        code: 'invalid_token',
        status: 401,
      })
    },
  )

  it('bounds the length at 8 KB and the time it takes (JW-11, DS-05)', () => {
    expect(parseBearer(`Bearer ${'a'.repeat(8192 - 7)}`)).toHaveLength(8192 - 7)
    expect(refusalOf(() => parseBearer(`Bearer ${'a'.repeat(8192 - 6)}`)).code).toBe(
      'invalid_token',
    )
    const nasty = [`Bearer ${'.'.repeat(1_000_000)}`, `${', \t'.repeat(300_000)}`, ' '.repeat(1e6)]
    const begun = performance.now()
    for (const header of nasty) expect(() => void tryParse(header)).not.toThrow()
    expect(performance.now() - begun).toBeLessThan(500)
  })

  it('fails with nothing but an OAuthError, and passes on nothing but b64token', () => {
    const junk = fc.string({ unit: fc.constantFrom(...'bBearer basic,=. \t"%\0é') })
    fc.assert(
      fc.property(junk, fc.boolean(), (text, prefixed) => {
        const token = tryParse(prefixed ? `Bearer ${text}` : text)
        if (token !== undefined) expect(token).toMatch(/^[A-Za-z0-9._~+/-]+=*$/)
      }),
    )
  })
})

function tryParse(header: string): string | undefined {
  try {
    return parseBearer(header)
  } catch (error) {
    if (error instanceof OAuthError) return undefined
    throw error
  }
}
