/** Secrets in what is kept of a visit: replaced, wherever a server or a client writes them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseBearerChallenge } from '../../src/doctor/challenge.ts'
import { maskBody, maskHeaders, maskText } from '../../src/doctor/masking.ts'

const secret = 'q7-Zx_9.Kp~3vR8sT2wY'
const names = [
  'code',
  'access_token',
  'refresh_token',
  'id_token',
  'client_secret',
  'registration_access_token',
  'code_verifier',
  'client_assertion',
  'password',
]

describe('masking', () => {
  it.each(names)('hides %s in a query, a fragment, a form and JSON of any depth', (name) => {
    const written = [
      `https://a.example/cb?${name}=${secret}&x=1`,
      `https://a.example/cb#${name}=${secret}`,
      `grant_type=a&${name}=${secret}`,
      `https://a.example/authorize?resource=https%3A%2F%2Fb.example%2Fmcp%3Fx%3D1%26${name}%3D${secret}&x=1`,
      `https://a.example/authorize?resource=https%3A%2F%2Fb.example%2Fmcp%3F${name}%3D${secret}%26x%3D1`,
      `{"a":[{"b":{"${name}":"${secret}"}}]}`,
      `data: {"${name}": "${secret}"}\n\n`,
      `{"${name}":"${secret}","cut":"of`,
    ]
    for (const text of written) {
      expect(maskBody(text).body).not.toContain(secret)
      expect(JSON.stringify(maskBody(text).json ?? '')).not.toContain(secret)
    }
  })

  it.each(['tavilyApiKey', 'api_key', 'apikey', 'subscription-key', 'key', 'sig'])(
    'hides the key %s of an address, also inside of another',
    (name) => {
      const url = `https://a.example/mcp?x=1&${name}=${secret}`
      expect(maskText(url)).toBe(`https://a.example/mcp?x=1&${name}=[masked]`)
      expect(maskText(`/authorize?resource=${encodeURIComponent(url)}&y=1`)).toMatch(
        /%3D\[masked\]&y=1$/,
      )
    },
  )

  it('hides a token in any JSON', () => {
    const holder = fc.letrec((tie) => ({
      node: fc.oneof(
        fc.constantFrom(...names).map((name) => ({ [name]: secret })),
        fc.dictionary(fc.string(), tie('node'), { maxKeys: 3 }),
        fc.array(tie('node'), { maxLength: 3 }),
      ),
    })).node
    fc.assert(
      fc.property(holder, (value) => {
        expect(maskBody(JSON.stringify(value)).body).not.toContain(secret)
      }),
    )
  })

  it('hides credentials in headers and keeps their scheme, cookies and keeps their names', () => {
    const seen = maskHeaders({
      authorization: `Bearer ${secret}`,
      cookie: `a=${secret}; b=${secret}`,
      'set-cookie': `a=${secret}; Expires=Wed, 21 Nov 2026 07:28:00 GMT; Path=/, b=${secret}`,
      location: `/cb?code=${secret}&state=s`,
      'x-api-key': secret,
    })
    expect(seen).toEqual({
      authorization: 'Bearer [masked]',
      cookie: 'a=[masked]; b=[masked]',
      'set-cookie': 'a=[masked]; Expires=Wed, 21 Nov 2026 07:28:00 GMT; Path=/, b=[masked]',
      location: '/cb?code=[masked]&state=s',
      'x-api-key': '[masked]',
    })
  })

  it('hides the private part of a published key, and shows that there is one', () => {
    const { json } = maskBody(JSON.stringify({ keys: [{ kty: 'EC', x: 'public', d: secret }] }))
    expect(json).toEqual({ keys: [{ kty: 'EC', x: 'public', d: '[masked]' }] })
  })

  it('hides name and password of an address, and tokens by their shape', () => {
    expect(maskText(`https://me:${secret}@a.example/`)).toBe('https://[masked]@a.example/')
    expect(maskText(`see eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl now`)).toBe(
      'see [masked] now',
    )
  })

  it('leaves what is no secret as it came, byte by byte', () => {
    const documents = [
      '{ "token_endpoint":\n "https://a.example/token", "code_challenge_methods_supported": ["S256"] }',
      '{"error":{"code":-32001,"message":"Unauthorized"}}',
      '{"code":"invalid_token"}',
      'https://a.example/authorize?code_challenge=abc&state=s&response_type=code',
    ]
    for (const text of documents) expect(maskBody(text).body).toBe(text)
    const challenge = 'Bearer resource_metadata="https://a.example/x", error="invalid_token"'
    expect(maskHeaders({ 'www-authenticate': challenge })).toEqual({
      'www-authenticate': challenge,
    })
  })
})

describe('reading a challenge (RFC 9110 §11.6.1)', () => {
  it.each([
    [
      'Bearer resource_metadata="https://a/x", scope="a b"',
      { resource_metadata: 'https://a/x', scope: 'a b' },
    ],
    ['bearer error=invalid_token', { error: 'invalid_token' }],
    ['Basic realm="x, Bearer y", Bearer realm="z"', { realm: 'z' }],
    ['Bearer realm="a \\"b\\"", Basic realm="other"', { realm: 'a "b"' }],
    ['Bearer', {}],
  ])('%s', (header, parameters) => {
    expect(parseBearerChallenge(header)).toEqual({ parameters })
  })

  it('finds none where there is none', () => {
    expect(parseBearerChallenge('Basic realm="Bearer x"')).toBeUndefined()
    expect(parseBearerChallenge(undefined)).toBeUndefined()
  })
})
