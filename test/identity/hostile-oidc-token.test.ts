/**
 * An OpenID provider whose ID tokens are wrong: each sign-in ends with the documented error, and the next
 * one works.
 */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { client, malformed, now, refused, setScene } from './hostile-oidc.ts'
import { createSharedSigner, createSigner, unsigned } from './signers.ts'

const scene = setScene()

describe('an ID token (UP-06)', () => {
  it.each([
    ['of another issuer', { iss: 'https://evil.example' }, refused('iss')],
    ['of an issuer with a slash', () => ({ iss: `${scene.mock.origin}/` }), refused('iss')],
    ['for another client', { aud: 'another' }, refused('aud')],
    ['for nobody', { aud: [] }, refused('aud')],
    ['for others too, without azp', { aud: ['gatehouse', 'another'] }, refused('aud')],
    ['for others too, used by one', { aud: ['gatehouse', 'x'], azp: 'x' }, refused('azp')],
    ['for us, used by another', { azp: 'another' }, refused('azp')],
    ['that is over', () => ({ exp: now() - 61 }), refused('exp')],
    ['that is not valid yet', () => ({ nbf: now() + 90 }), refused('nbf')],
    ['of the future', () => ({ iat: now() + 90 }), refused('iat')],
    ['without a time', { iat: undefined }, malformed],
    ['without an end', { exp: undefined }, malformed],
    ['that never ends', { exp: 'never' }, malformed],
    ['about nobody', { sub: undefined }, malformed],
    ['about an empty name', { sub: '' }, malformed],
    ['about a number', { sub: 7 }, malformed],
    ['of another access token', { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }, refused('at_hash')],
  ])('%s is refused', async (_, claims, expected) => {
    scene.mock.claims = claims
    const error = await scene.refuse()
    expect(error).toMatchObject(expected)
    expect(error.message).toBe(
      `${new URL(scene.mock.origin).host} gave an answer we cannot use; try again later`,
    )
  })

  it.each([['another'], [undefined], ['']])(
    'with the nonce %j is the end of another sign-in (UP-05)',
    async (nonce) => {
      scene.mock.claims = { nonce }
      const expected =
        nonce === undefined
          ? malformed
          : { code: 'invalid_request', status: 400, reason: 'upstream_nonce_mismatch' }
      expect(await scene.refuse()).toMatchObject(expected)
    },
  )

  it('may be as late or early as the tolerance, and no more', async () => {
    const { upstream } = scene.create({ clockToleranceSeconds: 120 })
    scene.mock.claims = () => ({ exp: now() - 100, nbf: now() + 100, iat: now() + 100 })
    expect((await scene.enter(upstream)).subject).toBe('johndoe')
    scene.mock.claims = () => ({ exp: now() - 130 })
    await expect(scene.enter(upstream)).rejects.toMatchObject(refused('exp'))
  })

  it('is judged by our clock', async () => {
    const { clock, upstream } = scene.create()
    clock.advance(3600 + 61)
    await expect(scene.enter(upstream)).rejects.toMatchObject(refused('exp'))
    clock.advance(-2 * 3600)
    await expect(scene.enter(upstream)).rejects.toMatchObject({ status: 502 })
  })

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)(
    'may be signed with %s, and then at_hash counts',
    async (alg) => {
      scene.mock.signer = createSigner(alg, alg)
      scene.mock.claims = ({ access_token }: Record<string, unknown>) => {
        const hash = createHash(alg === 'EdDSA' ? 'sha512' : 'sha256').update(String(access_token))
        const digest = hash.digest()
        return { at_hash: digest.subarray(0, digest.length / 2).toString('base64url') }
      }
      expect((await scene.enter(scene.create().upstream)).subject).toBe('johndoe')
    },
  )

  it('without a signature is refused, with and without its dot', async () => {
    scene.mock.signer = unsigned
    scene.mock.keys = [createSigner('RS256', 'k').jwk ?? {}]
    expect(await scene.refuse()).toMatchObject(malformed)
    scene.mock.token = (answer) => ({
      ...answer,
      id_token: String(answer.id_token).replace(/\.[^.]*$/, ''),
    })
    expect(await scene.refuse()).toMatchObject(malformed)
  })

  it('signed with HS256 and the public key, or the client secret, is refused', async () => {
    const { jwk = {}, pem = '' } = scene.mock.signer
    for (const secret of [pem, client.clientSecret]) {
      scene.mock.signer = createSharedSigner(secret, 'ordinary')
      scene.mock.keys = [jwk]
      expect(await scene.refuse()).toMatchObject(malformed)
    }
  })

  it('signed with HS256 and the client secret is taken when the owner says so, and no other', async () => {
    const idTokenAlgorithms = ['HS256', 'RS256']
    const { upstream } = scene.create({ idTokenAlgorithms })
    const { jwk = {}, pem = '' } = scene.mock.signer
    scene.mock.keys = [jwk]
    scene.mock.signer = createSharedSigner(client.clientSecret)
    expect((await scene.enter(upstream)).subject).toBe('johndoe')
    scene.mock.signer = createSharedSigner(pem)
    expect(await scene.refuse({ idTokenAlgorithms })).toMatchObject(refused('signature'))
  })

  it('signed with another key of the same name, or changed, is refused', async () => {
    const { jwk = {} } = scene.mock.signer
    scene.mock.signer = createSigner('RS256', 'ordinary')
    scene.mock.keys = [jwk]
    expect(await scene.refuse()).toMatchObject(refused('signature'))
    scene.mock.token = (answer) => {
      const [header, payload = '', signature] = String(answer.id_token).split('.')
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
      const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'admin' })).toString('base64url')
      return { ...answer, id_token: [header, changed, signature].join('.') }
    }
    expect(await scene.refuse()).toMatchObject(refused('signature'))
  })

  it.each([[undefined], [null], [''], [7], ['x'], ['a.b.c'], ['a.b.c.d.e']])(
    'that is %j is none',
    async (id_token) => {
      scene.mock.token = (answer) => ({ ...answer, id_token })
      expect(await scene.refuse()).toMatchObject({ code: 'server_error', status: 502 })
    },
  )

  it('is all that is looked at once it is refused', async () => {
    scene.mock.claims = { iss: 'https://evil.example' }
    await expect(scene.enter(scene.create().upstream)).rejects.toThrow()
    expect(scene.mock.requests).not.toContain('GET /userinfo')
    expect(scene.mock.requests).not.toContain('GET /jwks')
  })
})
