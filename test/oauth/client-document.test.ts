import { describe, expect, it } from 'vitest'
import { addRedirectUris, parseClientDocument } from '../../src/oauth/client-document.ts'

const id = 'https://client.example/oauth/client.json'
const redirect_uris = ['https://client.example/callback']
const publicKey = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'one' }

function parse(members: Record<string, unknown> = {}) {
  return parseClientDocument(id, JSON.stringify({ client_id: id, redirect_uris, ...members }))
}

describe('a metadata document', () => {
  it('is read like a registration: what cannot harm is dropped (-00, -01, -02)', () => {
    expect(
      parse({
        client_name: 'Client',
        client_uri: 'https://client.example/',
        grant_types: [
          'authorization_code',
          'refresh_token',
          'urn:ietf:params:oauth:grant-type:jwt-bearer',
        ],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
        token_endpoint_auth_signing_alg: 'RS256',
        skip_consent: true,
        unknown: { a: 1 },
      }),
    ).toEqual({
      metadata: {
        client_name: 'Client',
        client_uri: 'https://client.example/',
        redirect_uris,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
      authMethods: ['none'],
    })
  })

  it.each([
    ['upper case', 'https://client.example/oauth/Client.json'],
    ['a trailing slash', `${id}/`],
    ['the default port', 'https://client.example:443/oauth/client.json'],
    ['an escaped letter', 'https://client.example/oauth/%63lient.json'],
    ['another host', 'https://evil.example/oauth/client.json'],
    ['nothing', undefined],
    ['a list', [id]],
  ])('names itself byte for byte, not with %s (CM-02)', (_, client_id) => {
    expect(() => parse({ client_id })).toThrow('Its client_id is not its own address')
  })

  it.each(['null', '[]', '"text"', '1', '{', '', '<html></html>'])('is no %s (CM-11)', (text) => {
    expect(() => parseClientDocument(id, text)).toThrow(
      /^It is not JSON$|^It is not a JSON object$/,
    )
  })

  it('is not nested deeply (CM-11)', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) })
    expect(() => parse({ nested: nested(9) })).not.toThrow()
    expect(() => parse({ nested: nested(10) })).toThrow('nested deeper')
  })

  it.each([
    ['a secret', { client_secret: 'x' }],
    ['the end of a secret', { client_secret_expires_at: 0 }],
    ['client_secret_basic', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['client_secret_post', { token_endpoint_auth_method: 'client_secret_post' }],
    ['client_secret_jwt', { token_endpoint_auth_method: 'client_secret_jwt' }],
    ['a private key', { jwks: { keys: [{ ...publicKey, d: 'd' }] } }],
    ['a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'k' }] } }],
    ['keys that are none', { jwks: 'keys' }],
    ['both kinds of keys', { jwks: { keys: [] }, jwks_uri: 'https://client.example/keys' }],
    ['keys on this machine', { jwks_uri: 'http://127.0.0.1/keys' }],
    ['keys by plain http', { jwks_uri: 'http://client.example/keys' }],
    ['keys without their method', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['a method that nobody has', { token_endpoint_auth_method: 'tls_client_auth' }],
  ])('is refused with %s (CM-12, CM-13)', (_, members) => {
    expect(() => parse(members)).toThrow()
  })

  it.each([
    ['no redirect URI', undefined],
    ['an empty list', []],
    ['a script', ['javascript:alert(1)']],
    ['plain http to a host', ['http://client.example/callback']],
    ['a wildcard', ['https://*.client.example/callback']],
    ['user information', ['https://a@client.example/callback']],
    ['a fragment', ['https://client.example/callback#x']],
  ])('is refused with %s (CM-13)', (_, uris) => {
    expect(() => parse({ redirect_uris: uris })).toThrow()
  })

  it.each(['logo_uri', 'client_uri', 'tos_uri', 'policy_uri'])(
    'has a %s that is https (CM-13)',
    (member) => {
      expect(() => parse({ [member]: 'javascript:alert(1)' })).toThrow()
    },
  )

  it('that says nothing of authentication needs none', () => {
    expect(parse().authMethods).toEqual(['none'])
  })

  it('may list none beside the method it names, as that of ChatGPT does', () => {
    const jwks_uri = 'https://client.example/keys'
    const document = parse({
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      jwks_uri,
    })
    expect(document).toMatchObject({
      metadata: { token_endpoint_auth_method: 'none' },
      authMethods: ['none', 'private_key_jwt'],
      keys: { jwksUri: jwks_uri },
    })
  })

  it('that names private_key_jwt alone has to prove itself', () => {
    const jwks = { keys: [publicKey] }
    const document = parse({ token_endpoint_auth_method: 'private_key_jwt', jwks })
    expect(document).toMatchObject({
      metadata: { token_endpoint_auth_method: 'private_key_jwt' },
      authMethods: ['private_key_jwt'],
      keys: { jwks },
    })
  })

  it('gets redirect URIs that its vendor forgot, each once', () => {
    const { metadata } = addRedirectUris(parse(), [...redirect_uris, 'claude://claude.ai/sdk'])
    expect(metadata.redirect_uris).toEqual([...redirect_uris, 'claude://claude.ai/sdk'])
  })
})
