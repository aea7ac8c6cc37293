/** Access tokens signed with a secret that backends share (HS256). */
import { createHmac, createSecretKey } from 'node:crypto'
import { createServer } from 'node:http'
import {
  CompactSign,
  createLocalJWKSet,
  exportJWK,
  exportSPKI,
  importJWK,
  type JSONWebKeySet,
  jwtVerify,
} from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { parseClientMetadata } from '../../src/oauth/client-metadata.ts'
import { systemRandom } from '../../src/platform/crypto.ts'
import { registerClient as storeClient } from '../../src/server/clients/register.ts'
import { createAccessTokens } from '../../src/tokens/access-token.ts'
import { createSharedSecretKeys } from '../../src/tokens/shared-secret.ts'
import { masterKey, startTestGatehouse, type TestGatehouse } from '../helpers/gatehouse.ts'
import { postForm, redeem, registerClient } from '../helpers/oauth-client.ts'
import { createPerson } from '../helpers/person.ts'
import { refusal } from '../storage/fixtures.ts'
import { verifiesThat } from '../verifies.ts'
import { createMint, issuer } from './fixtures.ts'

const secret = Buffer.alloc(32, 'shared secret ')
const other = Buffer.alloc(40, 'another secret ')
const grant = { sub: 'u', aud: `${issuer}/mcp`, client_id: 'c', scope: 'mcp', gid: 'g' }

const running: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const one of running.splice(0)) await one.close()
})

async function start(options: Parameters<typeof startTestGatehouse>[0] = {}) {
  const site = await startTestGatehouse({
    signingAlgorithm: 'HS256',
    hs256Secret: secret,
    ...options,
  })
  running.push(site)
  return site
}

/** An access token as a client gets it. */
async function connect(site: TestGatehouse): Promise<string> {
  const client = await registerClient(site.send)
  const person = await createPerson(site)
  const { body } = await redeem(site.send, client, await person.authorize(client))
  return body.access_token ?? ''
}

function decodeHeader(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
}

/** A minter and verifier with these secrets, at the time of `mint`. */
function createTokens(
  { clock }: Awaited<ReturnType<typeof createMint>>,
  current: Uint8Array,
  previous?: Uint8Array,
) {
  const keys = createSharedSecretKeys({ secret: current, previous })
  return createAccessTokens({ issuer, keys, clock, random: systemRandom })
}

describe('HS256', () => {
  verifiesThat('S5', 'any JWT library verifies the token with the secret', async () => {
    const site = await start()
    const token = await connect(site)
    const { payload, protectedHeader } = await jwtVerify(token, secret, {
      algorithms: ['HS256'],
      issuer: site.issuer,
      audience: `${site.issuer}/mcp`,
      typ: 'at+jwt',
      currentDate: new Date(site.clock.now() * 1000),
    })
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'at+jwt', kid: expect.any(String) })
    expect(payload).toMatchObject({ scope: 'notes:read', gid: expect.any(String) })
  })

  it('keeps the secret out of every document, and lists the key of assertions alone (S5, DI-13)', async () => {
    const site = await start()
    const { keys } = (await (await site.send('/jwks')).json()) as JSONWebKeySet
    expect(keys.map(({ kty, alg }) => [kty, alg])).toEqual([['EC', 'ES256']])
    for (const path of [
      '/jwks',
      '/.well-known/oauth-authorization-server',
      '/.well-known/oauth-protected-resource/mcp',
    ]) {
      const text = await (await site.send(path)).text()
      for (const form of ['utf8', 'hex', 'base64', 'base64url'] as const) {
        expect(text).not.toContain(secret.toString(form))
      }
      expect(text).not.toContain('"oct"')
    }
    const kid = String(decodeHeader(await connect(site)).kid)
    expect(keys.map((key) => key.kid)).not.toContain(kid)
  })

  it('signs assertions to backends with a key of ours, which JWKS lists', async () => {
    const seen: string[] = []
    const backend = createServer((request, response) => {
      seen.push(String(request.headers['x-gatehouse-assertion']))
      response.end('{}')
    })
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
    running.push({ close: () => new Promise((resolve) => backend.close(resolve)) })
    const address = backend.address()
    const port = typeof address === 'object' ? address?.port : 0
    const to = `http://127.0.0.1:${port}/mcp`
    const site = await start({ backends: [{ to, identity: 'assertion' }] })
    const answer = await site.send('/mcp', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await connect(site)}`,
        'content-type': 'application/json',
      },
      body: '{}',
    })
    expect(answer.status).toBe(200)
    await answer.text()
    const jwks = (await (await site.send('/jwks')).json()) as JSONWebKeySet
    const currentDate = new Date(site.clock.now() * 1000)
    const { protectedHeader } = await jwtVerify(seen[0] ?? '', createLocalJWKSet(jwks), {
      currentDate,
    })
    expect(protectedHeader.alg).toBe('ES256')
  })

  it('lets a backend without the secret ask for a token (X6)', async () => {
    const site = await start()
    const token = await connect(site)
    const metadata = parseClientMetadata({ redirect_uris: ['https://backend.example/none'] })
    const choices = { origin: 'preregistered' as const }
    const backend = await storeClient(metadata, choices, site.gatehouse.context)
    const credentials = { client_id: backend?.client.id, client_secret: backend?.secret }
    const known = await postForm(site.send, '/introspect', { token, ...credentials })
    expect(known.body).toMatchObject({ active: true, aud: `${site.issuer}/mcp` })
    const forged = createHmac('sha256', other).update(token).digest('base64url')
    const altered = token.replace(/[^.]+$/, forged)
    const unknown = await postForm(site.send, '/introspect', { token: altered, ...credentials })
    expect(unknown.body).toEqual({ active: false })
  })
})

describe('the algorithm of a token', () => {
  it('cannot be confused: a public key is no secret (JW-02)', async () => {
    const mint = await createMint()
    const [jwk] = mint.keys.jwks().keys
    const claims = {
      iss: issuer,
      ...grant,
      iat: mint.clock.now(),
      exp: mint.clock.now() + 60,
      jti: 'j',
    }
    const key = await importJWK(jwk ?? {}, 'ES256', { extractable: true })
    if (key instanceof Uint8Array) throw new TypeError('Not a public key')
    const pem = await exportSPKI(key)
    const publicTexts = [
      pem,
      pem.trim(),
      JSON.stringify(jwk),
      JSON.stringify(await exportJWK(key)),
      jwk?.x ?? '',
    ]
    for (const text of publicTexts) {
      for (const tokens of [mint.tokens, createTokens(mint, secret)]) {
        const forged = await new CompactSign(Buffer.from(JSON.stringify(claims)))
          .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: jwk?.kid ?? '' })
          .sign(createSecretKey(Buffer.from(text.padEnd(32, '\0'))))
        await expect(tokens.verify(forged)).rejects.toMatchObject({
          code: 'invalid_token',
          status: 401,
        })
      }
    }
  })

  it('is the one that is configured: neither ours with a key of the ring, nor the other way round (JW-02)', async () => {
    const mint = await createMint()
    const shared = createTokens(mint, secret)
    await expect(shared.verify(await mint.tokens.mint(grant, 60))).rejects.toMatchObject(
      refusal('invalid_token', 'unknown_key'),
    )
    await expect(mint.tokens.verify(await shared.mint(grant, 60))).rejects.toMatchObject(
      refusal('invalid_token', 'unknown_key'),
    )
  })

  it.each(['none', 'HS512', 'ES256', 'hs256'])('is HS256 to the letter, not %s', async (alg) => {
    const mint = await createMint()
    const shared = createTokens(mint, secret)
    const [header = '', payload = ''] = (await shared.mint(grant, 60)).split('.')
    const changed = { ...decodeHeader(`${header}.`), alg }
    const input = `${Buffer.from(JSON.stringify(changed)).toString('base64url')}.${payload}`
    const signature = createHmac('sha256', secret).update(input).digest('base64url')
    await expect(shared.verify(`${input}.${signature}`)).rejects.toMatchObject(
      refusal('invalid_token', 'alg'),
    )
  })

  it.each([0, 16, 31, 33, 64])('takes no signature of %i bytes', async (length) => {
    const shared = createTokens(await createMint(), secret)
    const [header, payload] = (await shared.mint(grant, 60)).split('.')
    const signature = Buffer.alloc(length).toString('base64url')
    await expect(shared.verify(`${header}.${payload}.${signature}`)).rejects.toMatchObject({
      code: 'invalid_token',
    })
  })
})

describe('a change of the secret', () => {
  it('accepts what the previous one signed, and no more once it is gone', async () => {
    const mint = await createMint()
    const token = await createTokens(mint, secret).mint(grant, 60)
    const during = createTokens(mint, other, secret)
    expect(await during.verify(token)).toMatchObject(grant)
    expect(await createTokens(mint, other).verify(await during.mint(grant, 60))).toMatchObject(
      grant,
    )
    await expect(createTokens(mint, other).verify(token)).rejects.toMatchObject(
      refusal('invalid_token', 'unknown_key'),
    )
  })
})

describe('options that cannot be', () => {
  it.each<[string, object, string]>([
    ['no secret', { hs256Secret: undefined }, 'signingAlgorithm HS256 needs hs256Secret'],
    ['a short one', { hs256Secret: Buffer.alloc(31) }, 'hs256Secret has 31 bytes'],
    ['a short previous one', { hs256SecretPrevious: Buffer.alloc(8) }, 'hs256SecretPrevious has 8'],
    ['a secret that nothing uses', { signingAlgorithm: 'ES256' }, 'is for signingAlgorithm HS256'],
    ['the master key', { hs256Secret: masterKey }, 'hs256Secret is the master key'],
    [
      'the master key before',
      { hs256Secret: other, previousMasterKey: other },
      'hs256Secret is the master key',
    ],
    [
      'verify mode',
      { registration: { mode: 'verify', issuer: 'https://auth.example' } },
      'in verify mode we issue none',
    ],
  ])('are a TypeError: %s', async (_, options, message) => {
    await expect(start(options)).rejects.toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(message) }),
    )
  })
})
