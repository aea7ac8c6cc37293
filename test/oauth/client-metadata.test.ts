import { describe, expect, it } from 'vitest'
import { parseClientMetadata } from '../../src/oauth/client-metadata.ts'
import { refusalOf } from './refusal.ts'

const callback = 'https://client.example/cb'
const minimal = { redirect_uris: [callback] }

/** The code with which a registration is refused, minimal but for the given members. */
function refusalFor(members: object): string {
  return refusalOf(() => parseClientMetadata({ ...minimal, ...members })).code
}

describe('client metadata', () => {
  it('fills in what a minimal registration leaves out', () => {
    expect(parseClientMetadata(minimal)).toEqual({
      redirect_uris: [callback],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    })
  })

  it('leaves no absent member behind, not even as undefined', () => {
    expect(Object.keys(parseClientMetadata(minimal))).toHaveLength(4)
  })

  it('takes empty and null members for absent ones (Inspector, Gemini CLI)', () => {
    const empty = {
      ...minimal,
      client_name: null,
      client_uri: '',
      logo_uri: '',
      tos_uri: null,
      scope: '',
      grant_types: null,
      response_types: null,
      token_endpoint_auth_method: '',
      application_type: null,
      contacts: null,
      jwks: null,
      jwks_uri: '',
    }
    expect(parseClientMetadata(empty)).toEqual(parseClientMetadata(minimal))
  })

  it('ignores unknown and privileged members (CR-12, CR-13)', () => {
    const greedy: unknown = JSON.parse(
      `{"redirect_uris":["${callback}"],"skip_consent":true,"trusted":true,"require_pkce":false,
        "client_id":"mine","client_secret":"mine","owner":"me","pkce":"optional","id":"x",
        "__proto__":{"client_name":"x"},"sector_identifier_uri":"http://169.254.169.254/"}`,
    )
    expect(parseClientMetadata(greedy)).toEqual(parseClientMetadata(minimal))
  })

  it.each([null, undefined, 'text', 7, [], [minimal]])('refuses the body %j (CR-07)', (body) => {
    expect(refusalOf(() => parseClientMetadata(body)).code).toBe('invalid_client_metadata')
  })

  it.each([
    {},
    { jwks: { keys: {} } },
    { client_name: {} },
    { grant_types: [1] },
    { grant_types: 'x' },
  ])('never fails with anything but a refusal: %j (CR-07)', (members) => {
    expect(() => refusalOf(() => parseClientMetadata(members))).not.toThrow()
  })
})

describe('redirect URIs of a client', () => {
  it.each([undefined, null, [], 'https://client.example/cb', {}, [7], [null], [''], [[]]])(
    'refuses %j (CR-07)',
    (redirect_uris) => {
      expect(refusalFor({ redirect_uris })).toBe('invalid_redirect_uri')
    },
  )

  it('takes ten and no more (CR-08)', () => {
    const uris = Array.from({ length: 11 }, (_, index) => `https://client.example/${index}`)
    expect(parseClientMetadata({ redirect_uris: uris.slice(1) }).redirect_uris).toHaveLength(10)
    expect(refusalFor({ redirect_uris: uris })).toBe('invalid_redirect_uri')
  })

  it('names the one bad URI among good ones (CR-01)', () => {
    const redirect_uris = [callback, 'javascript:alert(1)']
    expect(refusalOf(() => parseClientMetadata({ redirect_uris }))).toMatchObject({
      code: 'invalid_redirect_uri',
      description: 'Redirect URI javascript:alert(1) has the reserved scheme javascript',
    })
  })
})

describe('grant and response types', () => {
  it('drops what we do not offer and says what is left (CR-14)', () => {
    const metadata = parseClientMetadata({
      ...minimal,
      grant_types: ['implicit', 'authorization_code', 'password'],
      response_types: ['token', 'code', 'code id_token'],
    })
    expect(metadata.grant_types).toEqual(['authorization_code'])
    expect(metadata.response_types).toEqual(['code'])
  })

  it.each([
    { grant_types: ['implicit'] },
    { grant_types: ['client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer'] },
    { grant_types: ['refresh_token'] },
    { grant_types: 'authorization_code' },
    { response_types: ['token'] },
    { response_types: [null] },
  ])('refuses %j, which leaves nothing to do (CR-14)', (members) => {
    expect(refusalFor(members)).toBe('invalid_client_metadata')
  })
})

describe('client authentication', () => {
  it.each(['none', 'client_secret_post', 'client_secret_basic'])('keeps %s', (method) => {
    const metadata = parseClientMetadata({ ...minimal, token_endpoint_auth_method: method })
    expect(metadata.token_endpoint_auth_method).toBe(method)
  })

  it.each(['private_key_jwt', 'tls_client_auth', 'NONE', 7])('replaces %j', (method) => {
    const metadata = parseClientMetadata({ ...minimal, token_endpoint_auth_method: method })
    expect(metadata.token_endpoint_auth_method).toBe('client_secret_basic')
  })
})

describe('client name', () => {
  it('is normalised and trimmed', () => {
    const parse = (client_name: string): string | undefined =>
      parseClientMetadata({ ...minimal, client_name }).client_name
    expect(parse('  Ｃｌａｕｄｅ Code (notes)  ')).toBe('Claude Code (notes)')
    expect(parse('Müller’s <b>Büro</b> ❤️ 日本語')).toBe('Müller’s <b>Büro</b> ❤️ 日本語')
  })

  it.each([
    'a\nb',
    'a\u0000b',
    'a\u0085b',
    'a\u202eb',
    'a\u2066b',
    'a\u200bb',
    'a\u200db',
    'a\ufeffb',
    'a\u00adb',
    'a\u2028b',
    'a\u3164b',
    'a\uffa0b',
    'a\u2800b',
    'a\u{e0041}b',
    'a\ud800b',
    '\u200b',
    '   ',
    7,
    {},
  ])('refuses %j (CR-11)', (client_name) => {
    expect(refusalFor({ client_name })).toBe('invalid_client_metadata')
    expect(refusalFor({ 'client_name#ja': client_name })).toBe('invalid_client_metadata')
  })

  it('has at most 128 characters after normalising (CR-08, CR-11)', () => {
    expect(parseClientMetadata({ ...minimal, client_name: '😀'.repeat(128) })).toBeDefined()
    expect(refusalFor({ client_name: 'a'.repeat(129) })).toBe('invalid_client_metadata')
    expect(refusalFor({ client_name: 'ﷺ'.repeat(8) })).toBe('invalid_client_metadata')
  })
})

describe('links of a client', () => {
  it('keeps https, and http to this machine', () => {
    const links = {
      client_uri: 'https://client.example',
      logo_uri: 'http://localhost:3000/logo.png',
      tos_uri: 'https://client.example/tos?v=1#top',
      policy_uri: 'http://[::1]/policy',
    }
    expect(parseClientMetadata({ ...minimal, ...links })).toMatchObject(links)
  })

  it.each([
    'javascript:alert(1)',
    'data:image/svg+xml,x',
    'http://client.example/',
    'http://localhost.evil.example/',
    '//client.example',
    '/logo.png',
    'https:client.example',
    'https:///client.example',
    'https://user:pw@client.example',
    'https://client.example/"onerror="x',
    'https://client.example/ x',
    'https://client.example/\n',
    'https://[x]/',
    `https://client.example/${'a'.repeat(2048)}`,
    7,
    ['https://client.example'],
  ])('refuses %j everywhere, in every language (CR-09)', (value) => {
    for (const member of ['client_uri', 'logo_uri', 'tos_uri', 'policy_uri', 'jwks_uri']) {
      expect(refusalFor({ [member]: value })).toBe('invalid_client_metadata')
      expect(refusalFor({ [`${member}#de`]: value })).toBe('invalid_client_metadata')
    }
  })

  it('checks other languages and does not keep them (CR-09)', () => {
    const translated = { 'logo_uri#de': 'https://client.example/de', 'client_name#de': 'Kunde' }
    expect(parseClientMetadata({ ...minimal, ...translated })).toEqual(parseClientMetadata(minimal))
  })
})

describe('keys of a client', () => {
  const publicKey = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }

  it('may be registered, and are not kept', () => {
    const jwks = { keys: [publicKey] }
    expect(parseClientMetadata({ ...minimal, jwks })).toEqual(parseClientMetadata(minimal))
  })

  it.each([
    { jwks: { keys: [publicKey, { ...publicKey, d: 'secret' }] } },
    { jwks: { keys: [{ kty: 'oct', k: 'secret' }] } },
    { jwks: { keys: [{ kty: 'RSA', n: 'n', e: 'AQAB', dp: 'secret' }] } },
    { jwks: { keys: [null] } },
    { jwks: { keys: 'x' } },
    { jwks: 'x' },
    { jwks: { keys: [publicKey] }, jwks_uri: 'https://client.example/jwks' },
  ])('are refused when private, symmetric, broken or given twice: %j (CR-16)', (members) => {
    expect(refusalFor(members)).toBe('invalid_client_metadata')
  })
})

describe('further members', () => {
  it('are kept when they are what they should be', () => {
    const members = {
      scope: 'openid email',
      contacts: ['ops@client.example'],
      software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d',
      software_version: '1.2.3',
      application_type: 'native',
    }
    expect(parseClientMetadata({ ...minimal, ...members })).toMatchObject(members)
  })

  it.each([
    { scope: 'a"b' },
    { scope: ['a'] },
    { scope: ' ' },
    { contacts: 'ops@client.example' },
    { contacts: ['a\nb'] },
    { contacts: Array.from({ length: 11 }, () => 'x') },
    { software_id: 7 },
    { software_version: 'é' },
    { application_type: 'mobile' },
  ])('are dropped otherwise: %j', (members) => {
    expect(parseClientMetadata({ ...minimal, ...members })).toEqual(parseClientMetadata(minimal))
  })
})

describe('the size of a registration', () => {
  const nest = (depth: number): unknown =>
    Array.from({ length: depth }).reduce<unknown>((inner) => ({ inner }), 1)

  it('is at most 32 levels deep and 200 members wide (CR-08, DS-03)', () => {
    expect(parseClientMetadata({ ...minimal, x: nest(30) })).toBeDefined()
    expect(refusalFor({ x: nest(33) })).toBe('invalid_client_metadata')
    expect(refusalFor({ x: nest(100_000) })).toBe('invalid_client_metadata')
    expect(refusalFor({ x: Array.from({ length: 200 }) })).toBe('invalid_client_metadata')
    expect(parseClientMetadata({ ...minimal, x: Array.from({ length: 190 }) })).toBeDefined()
  })
})
