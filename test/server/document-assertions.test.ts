/** `private_key_jwt` of clients with a metadata document (catalogue CM-26, TK-14 to TK-16). */
import { randomUUID } from 'node:crypto'
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLimits } from '../../src/operate/limits.ts'
import type { Store } from '../../src/storage/store.ts'
import {
  allow,
  type DocumentSite,
  readingOptions,
  startDocumentSite,
} from '../helpers/document-site.ts'
import { startTestGatehouse, type TestGatehouse } from '../helpers/gatehouse.ts'
import {
  postForm,
  type Registered,
  redeem,
  refresh,
  registerClient,
  type TokenAnswer,
} from '../helpers/oauth-client.ts'
import { verifiesThat } from '../verifies.ts'

const path = '/oauth/client.json'
const keysPath = '/oauth/jwks.json'
const callback = 'https://client.example/callback'
const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const algorithms = ['ES256', 'RS256', 'PS256', 'EdDSA']

interface Pair {
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly jwk: JWK
}

async function createPair(alg: string, kid: string): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid } }
}

let site: DocumentSite
let server: TestGatehouse
let client: Registered
const pairs = new Map<string, Pair>()

function pairOf(name: string): Pair {
  const pair = pairs.get(name)
  if (!pair) throw new Error(`No key ${name}`)
  return pair
}

function listKeys(...names: string[]): { keys: JWK[] } {
  return { keys: names.map((name) => pairOf(name).jwk) }
}

/** Publishes a document; unless told otherwise it must prove itself, by keys at its `jwks_uri`. */
function publish(members: Record<string, unknown> = {}): void {
  site.serve(path, {
    client_id: client.client_id,
    client_name: 'Document client',
    redirect_uris: [callback],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri: site.origin + keysPath,
    ...members,
  })
}

/** An assertion as it should be, with some claims and header parameters changed. */
function sign(
  claims: Record<string, unknown> = {},
  { alg = 'ES256', kid = alg, by = alg }: { alg?: string; kid?: string; by?: string } = {},
): Promise<string> {
  const now = server.clock.now()
  const { client_id } = client
  const whole = {
    iss: client_id,
    sub: client_id,
    aud: server.issuer,
    iat: now,
    exp: now + 60,
    jti: randomUUID(),
    ...claims,
  }
  return new SignJWT(whole)
    .setProtectedHeader(kid === '' ? { alg } : { alg, kid })
    .sign(pairOf(by).privateKey)
}

function withAssertion(assertion: string): Record<string, string> {
  return { client_assertion_type: type, client_assertion: assertion }
}

/** A refresh token of the client, which proved itself for it. */
async function connect(): Promise<string> {
  const code = await allow(server, client)
  const tokens = await redeem(server.send, client, code, withAssertion(await sign()))
  expect(tokens.status).toBe(200)
  return tokens.body.refresh_token ?? ''
}

/** Refreshes once with an assertion, or without any. */
async function prove(assertion?: string): Promise<TokenAnswer> {
  const token = await connect()
  return refresh(
    server.send,
    client,
    token,
    assertion === undefined ? {} : withAssertion(assertion),
  )
}

beforeAll(async () => {
  for (const alg of algorithms) pairs.set(alg, await createPair(alg, alg))
  pairs.set('stranger', await createPair('ES256', 'ES256'))
  pairs.set('next', await createPair('ES256', 'next'))
})

beforeEach(async () => {
  site = await startDocumentSite()
  client = { client_id: site.origin + path, redirect_uris: [callback] }
  publish()
  site.serve(keysPath, listKeys(...algorithms))
  server = await startTestGatehouse(readingOptions(site))
  return async () => {
    await server.close()
    await site.close()
  }
})

describe('a client that proves itself by its keys', () => {
  verifiesThat('X10', 'also by a metadata document and an assertion', async () => {
    const token = await connect()
    const refreshed = await refresh(server.send, client, token, withAssertion(await sign()))
    expect(refreshed.status).toBe(200)
  })

  it.each(algorithms)('may sign with %s', async (alg) => {
    expect((await prove(await sign({}, { alg }))).status).toBe(200)
  })

  it('may have its keys in the document itself', async () => {
    publish({ jwks_uri: undefined, jwks: listKeys('ES256') })
    expect((await prove(await sign())).status).toBe(200)
    expect(site.requests.map(({ url }) => url)).toEqual([path])
  })

  it('may leave out client_id, which the assertion names (RFC 7521 §4.2)', async () => {
    const token = await connect()
    const fields = { client_id: undefined, ...withAssertion(await sign()) }
    expect((await refresh(server.send, client, token, fields)).status).toBe(200)
  })

  it('may leave out kid where one key fits', async () => {
    publish({ jwks_uri: undefined, jwks: listKeys('RS256') })
    const code = await allow(server, client)
    const assertion = await sign({}, { alg: 'RS256', kid: '' })
    expect((await redeem(server.send, client, code, withAssertion(assertion))).status).toBe(200)
  })

  it.each([
    ['the issuer', (issuer: string) => issuer],
    ['the token endpoint', (issuer: string) => `${issuer}/token`],
    ['both', (issuer: string) => [issuer, `${issuer}/token`]],
  ])('may address it to %s', async (_, toAudience) => {
    expect((await prove(await sign({ aud: toAudience(server.issuer) }))).status).toBe(200)
  })

  it('revokes with an assertion too', async () => {
    const token = await connect()
    const { client_id } = client
    const bare = await postForm(server.send, '/revoke', { client_id, token })
    expect(bare).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    const fields = { client_id, token, ...withAssertion(await sign()) }
    expect((await postForm(server.send, '/revoke', fields)).status).toBe(200)
    const after = await refresh(server.send, client, token, withAssertion(await sign()))
    expect(after.body.error).toBe('invalid_grant')
  })

  it('has to, when its document does not list none (I88)', async () => {
    expect(await prove()).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })

  it('need not, when its document lists none as well, as that of ChatGPT does', async () => {
    publish({ token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'] })
    expect((await prove()).status).toBe(200)
    expect((await prove(await sign())).status).toBe(200)
    const forged = await prove(await sign({}, { by: 'stranger' }))
    expect(forged).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })
})

describe('an assertion is refused', () => {
  it('the second time, for other tokens and at the other endpoint too (TK-14)', async () => {
    const assertion = await sign()
    expect((await prove(assertion)).status).toBe(200)
    expect(await prove(assertion)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    const fields = { token: 'x', ...withAssertion(assertion) }
    expect((await postForm(server.send, '/revoke', fields)).status).toBe(401)
  })

  it('the second time at another instance, and of many at once all but one are (TK-14)', async () => {
    const { store } = server.gatehouse.context
    const { clock } = server
    const other = await startTestGatehouse({ store, clock, ...readingOptions(site) })
    await connect()
    const fields = { token: 'x', ...withAssertion(await sign()) }
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        postForm(at % 2 === 0 ? server.send : other.send, '/revoke', fields),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    await other.close()
  })

  it('the second time until it would have expired anyway, and the mark goes then', async () => {
    const { store } = server.gatehouse.context
    await connect()
    expect(await store.list('assertion/')).toHaveLength(1)
    server.clock.advance(60 + 31)
    expect(await store.list('assertion/')).toEqual([])
  })

  const issuer = 'https://mcp.example.com'
  const now = 1_800_000_000
  it.each([
    ['for the token endpoint of another server (TK-15)', { aud: 'https://other.example/token' }],
    ['for us and somebody else (TK-15)', { aud: [issuer, 'https://other.example'] }],
    ['for the issuer with a slash (TK-15)', { aud: `${issuer}/` }],
    ['for nobody (TK-15)', { aud: [] }],
    ['without an audience (TK-15)', { aud: undefined }],
    ['for an endpoint that takes none (TK-15)', { aud: `${issuer}/authorize` }],
    ['good for too long (TK-16)', { exp: now + 331 }],
    ['good for too long, not saying since when (TK-16)', { iat: undefined, exp: now + 331 }],
    ['good for an hour since long ago (TK-16)', { iat: now - 3500, exp: now + 100 }],
    ['without an end (TK-16)', { exp: undefined }],
    ['expired (TK-16)', { iat: now - 100, exp: now - 31 }],
    ['from the future (TK-16)', { iat: now + 31 }],
    ['without jti (TK-16)', { jti: undefined }],
    ['with an empty jti (TK-16)', { jti: '' }],
    ['with an endless jti (TK-16)', { jti: 'x'.repeat(600) }],
    ['of another issuer (TK-16)', { iss: 'https://other.example/c' }],
    ['about another subject (TK-16)', { sub: 'https://other.example/c' }],
    ['not valid yet', { nbf: now + 60 }],
  ])('%s', async (_, claims) => {
    expect(server.clock.now()).toBe(now)
    const answer = await prove(await sign(claims))
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })

  it('that ends between two seconds, though it is good', async () => {
    const exp = server.clock.now() + 60.5
    expect((await prove(await sign({ exp }))).status).toBe(200)
  })

  it.each([
    ['no curve has', { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }],
    ['is off its curve', { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }],
    ['is empty', { kty: 'RSA', n: '', e: '' }, 'RS256'],
    ['is tiny', { kty: 'RSA', n: 'AQAB', e: 'AQAB' }, 'RS256'],
    ['is of no length', { kty: 'OKP', crv: 'Ed25519', x: 'AA' }, 'EdDSA'],
    ['has odd members', { kty: 'EC', crv: 'P-256', x: 1, y: [], key_ops: 'x', ext: 'no' }],
    ['has odd operations', { kty: 'EC', crv: 'P-256', x: 'A', y: 'A', key_ops: ['sign'] }],
  ])('whose key %s', async (_, key, alg = 'ES256') => {
    publish({ jwks_uri: undefined, jwks: { keys: [key] } })
    const code = await allow(server, client)
    const answer = await redeem(
      server.send,
      client,
      code,
      withAssertion(await sign({}, { alg, kid: '' })),
    )
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })

  it('signed by somebody else under the right kid', async () => {
    expect((await prove(await sign({}, { by: 'stranger' }))).status).toBe(401)
  })

  it('signed with the public key as if it were a secret (TK-16)', async () => {
    const secret = new TextEncoder().encode(await exportSPKI(pairOf('ES256').publicKey))
    const claims = { iss: client.client_id, sub: client.client_id, aud: server.issuer, jti: 'j' }
    const forged = await new SignJWT({ ...claims, exp: server.clock.now() + 60 })
      .setProtectedHeader({ alg: 'HS256', kid: 'ES256' })
      .sign(secret)
    expect((await prove(forged)).status).toBe(401)
  })

  it('not signed at all (TK-16)', async () => {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { iss: client.client_id, sub: client.client_id, aud: server.issuer, jti: 'j' }
    const exp = server.clock.now() + 60
    const bare = `${encode({ alg: 'none' })}.${encode({ ...claims, exp })}.`
    expect((await prove(bare)).status).toBe(401)
  })

  it.each(['x', 'a.b', 'a.b.c', 'a.b.c.d', `a.${'x'.repeat(9000)}.c`])(
    'as malformed as %.20s',
    async (text) => {
      expect((await prove(text)).status).toBe(401)
    },
  )

  it('of another type, or beside a secret', async () => {
    const token = await connect()
    const assertion = await sign()
    const saml = { client_assertion_type: 'saml2-bearer', client_assertion: assertion }
    expect((await refresh(server.send, client, token, saml)).status).toBe(401)
    const both = { ...withAssertion(assertion), client_secret: 'x' }
    expect((await refresh(server.send, client, token, both)).body.error).toBe('invalid_request')
  })

  it('of a registered client, which has no keys here', async () => {
    const registered = await registerClient(server.send)
    const assertion = await sign({ iss: registered.client_id, sub: registered.client_id })
    const answer = await refresh(server.send, registered, 'ghr_x', withAssertion(assertion))
    expect(answer.status).toBe(401)
  })
})

describe('the keys of a client', () => {
  const countReads = () => site.requests.filter(({ url }) => url === keysPath).length

  it('are read once, and again when a new one signs, without anybody waiting for it', async () => {
    await connect()
    await connect()
    expect(countReads()).toBe(1)
    site.serve(keysPath, listKeys('ES256', 'next'))
    server.clock.advance(61)
    expect((await prove(await sign({}, { kid: 'next', by: 'next' }))).status).toBe(200)
    expect(countReads()).toBe(2)
  })

  it('are not read for every key id that somebody makes up', async () => {
    await connect()
    for (const kid of ['a', 'b', 'c']) {
      expect((await prove(await sign({}, { kid }))).status).toBe(401)
    }
    expect(countReads()).toBe(1)
  })

  it('are remembered while their site is down, over a restart too (CM-17)', async () => {
    const token = await connect()
    site.setDown(true)
    server.clock.advance(5 * 86_400)
    const { store } = server.gatehouse.context
    const { clock } = server
    const restarted = await startTestGatehouse({ store, clock, ...readingOptions(site) })
    const answer = await refresh(restarted.send, client, token, withAssertion(await sign()))
    expect(answer.status).toBe(200)
    await restarted.close()
  })

  it('are enough as they are while we may not read (CM-24)', async () => {
    const token = await connect()
    const { store } = server.gatehouse.context
    const { clock } = server
    clock.advance(3600)
    const limits = createLimits({ overrides: { document: { points: 0, seconds: 60 } } })
    const other = await startTestGatehouse({ ...readingOptions(site), store, clock, limits })
    const answer = await refresh(other.send, client, token, withAssertion(await sign()))
    expect(answer.status).toBe(200)
    await other.close()
  })

  it('that cannot be read are a reason to wait, never to forget the client (CM-17)', async () => {
    const code = await allow(server, client)
    site.setDown(true)
    const answer = await redeem(server.send, client, code, withAssertion(await sign()))
    expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })
    expect(answer.headers.get('retry-after')).not.toBeNull()
    site.setDown(false)
    server.clock.advance(30)
    const again = await redeem(server.send, client, code, withAssertion(await sign()))
    expect(again.status).toBe(200)
  })

  it('that turn out to be private are not used (CM-12)', async () => {
    const secret = await exportJWK(pairOf('ES256').privateKey)
    site.serve(keysPath, { keys: [{ ...secret, kid: 'ES256' }] })
    const code = await allow(server, client)
    const answer = await redeem(server.send, client, code, withAssertion(await sign()))
    expect(answer.status).toBe(503)
  })

  it('that change are written down (CM-19)', async () => {
    publish({ jwks_uri: undefined, jwks: listKeys('ES256') })
    await connect()
    publish({ jwks_uri: undefined, jwks: listKeys('next') })
    server.clock.advance(3600)
    await allow(server, client)
    expect(server.audit).toContainEqual(
      expect.objectContaining({
        event: 'client.updated',
        details: expect.objectContaining({ changed: ['keys'] }),
      }),
    )
  })
})

describe('what it costs', () => {
  /** Round trips of one refresh. */
  async function count(extra: () => Promise<Record<string, string>>) {
    const counts = { reads: 0, commits: 0 }
    const { store } = server.gatehouse.context
    const counted: Store = {
      ...store,
      get: (keys) => {
        counts.reads += 1
        return store.get(keys)
      },
      commit: (change) => {
        counts.commits += 1
        return store.commit(change)
      },
    }
    const token = await connect()
    const { clock } = server
    const other = await startTestGatehouse({ ...readingOptions(site), store: counted, clock })
    const fields = await extra()
    counts.reads = 0
    counts.commits = 0
    expect((await refresh(other.send, client, token, fields)).status).toBe(200)
    await other.close()
    return counts
  }

  it('without an assertion: what every client costs', async () => {
    publish({ token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'] })
    expect(await count(async () => ({}))).toEqual({ reads: 1, commits: 1 })
  })

  it('with one: a commit for its jti, and a read where the keys are elsewhere', async () => {
    const prove = async () => withAssertion(await sign())
    expect(await count(prove)).toEqual({ reads: 2, commits: 2 })
    publish({ jwks_uri: undefined, jwks: listKeys('ES256') })
    server.clock.advance(3600)
    expect(await count(prove)).toEqual({ reads: 1, commits: 2 })
  })
})
