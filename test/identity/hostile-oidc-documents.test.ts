/** An OpenID provider whose metadata or keys are wrong, late, rotated or missing. */
import { describe, expect, it } from 'vitest'
import { createKeptDocument } from '../../src/identity/oidc-documents.ts'
import { createFlow, knownCallback } from './contract.ts'
import { createTestClock } from './fixtures.ts'
import { discovery, malformed, setScene } from './hostile-oidc.ts'
import { json } from './hostile-provider.ts'
import { createSigner } from './signers.ts'

const scene = setScene()

describe('the discovery document', () => {
  it.each([
    ['another issuer', { issuer: 'https://evil.example' }],
    ['the issuer with a slash', () => ({ issuer: `${scene.mock.origin}/` })],
    ['no authorization endpoint', { authorization_endpoint: undefined }],
    ['no token endpoint', { token_endpoint: undefined }],
    ['no keys', { jwks_uri: undefined }],
    ['a token endpoint in the clear', { token_endpoint: 'http://sso.example/token' }],
    ['keys from a file', { jwks_uri: 'file:///etc/passwd' }],
  ])('with %s is refused, and found at the start', async (_, document) => {
    scene.mock.document = typeof document === 'function' ? document() : document
    const problem = await scene.create().upstream.findProblem?.(knownCallback)
    expect(problem).toContain(`${scene.mock.origin}${discovery}`)
    scene.mock.document = typeof document === 'function' ? document() : document
    const error = await scene.refuse()
    expect(error).toMatchObject({ ...malformed, reason: 'upstream_document_unusable' })
    expect(scene.mock.requests).not.toContain('GET /etc/passwd')
  })

  it('may be long, but not endless (UP-13)', async () => {
    scene.mock.document = { filler: 'x'.repeat(500_000) }
    expect((await scene.enter(scene.create().upstream)).subject).toBe('johndoe')
    scene.mock.document = { filler: 'x'.repeat(1_100_000) }
    await expect(scene.enter(scene.create().upstream)).rejects.toMatchObject({
      status: 502,
      reason: 'upstream_too_large',
    })
  })

  it('has to announce offline_access for it to be asked for (UP-19)', async () => {
    const ask = async (scopes: string[]) => {
      scene.mock.document = { scopes_supported: scopes }
      const { searchParams } = await scene.create().upstream.start(createFlow())
      return [searchParams.get('scope'), searchParams.get('prompt')]
    }
    expect(await ask(['openid'])).toEqual(['openid profile email', null])
    expect(await ask(['openid', 'offline_access'])).toEqual([
      'openid profile email offline_access',
      'consent',
    ])
  })

  it('is asked for once, and serves while the provider is down', async () => {
    const { clock, upstream } = scene.create()
    await scene.enter(upstream)
    await scene.enter(upstream)
    expect(scene.mock.requests.filter((request) => request === `GET ${discovery}`)).toHaveLength(1)
    clock.advance(3600)
    scene.mock.answers.set(discovery, json({}, 500))
    expect((await upstream.start(createFlow())).origin).toBe(scene.mock.origin)
  })
})

describe('the keys', () => {
  it('may be rotated between two sign-ins, and are asked for when they must be (UP-21)', async () => {
    const { upstream } = scene.create()
    await scene.enter(upstream)
    await scene.enter(upstream)
    const asked = () => scene.mock.requests.filter((request) => request === 'GET /jwks').length
    expect(asked()).toBe(1)
    scene.mock.signer = createSigner('ES256', 'rotated')
    expect((await scene.enter(upstream)).subject).toBe('johndoe')
    expect(asked()).toBe(2)
  })

  it('do not let an unknown name ask for them again and again (UP-21)', async () => {
    const { clock, upstream } = scene.create()
    await scene.enter(upstream)
    scene.mock.keys = [scene.mock.signer.jwk ?? {}]
    scene.mock.signer = createSigner('ES256', 'unknown')
    const unknown = { reason: 'upstream_key_unknown' }
    await expect(scene.enter(upstream)).rejects.toMatchObject(unknown)
    await expect(scene.enter(upstream)).rejects.toMatchObject(unknown)
    await expect(scene.enter(upstream)).rejects.toMatchObject(unknown)
    expect(scene.mock.requests.filter((request) => request === 'GET /jwks')).toHaveLength(2)
    scene.mock.keys = undefined
    clock.advance(10)
    expect((await scene.enter(upstream)).subject).toBe('johndoe')
  })

  it('that cannot be had after a rotation are a fault that will pass', async () => {
    const { clock, upstream } = scene.create()
    await scene.enter(upstream)
    scene.mock.signer = createSigner('ES256', 'rotated')
    scene.mock.answers.set('/jwks', json({}, 503))
    await expect(scene.enter(upstream)).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      status: 503,
    })
    scene.mock.answers.clear()
    clock.advance(10)
    expect((await scene.enter(upstream)).subject).toBe('johndoe')
  })
})

describe('a kept document', () => {
  const fault = new Error('down')
  const createDocument = () => {
    const clock = createTestClock()
    const state = { loads: 0, isDown: false }
    const document = createKeptDocument(clock, 100, async () => {
      state.loads += 1
      if (state.isDown) throw fault
      return state.loads
    })
    return { clock, state, document }
  }

  it('is loaded when it is first read, once for all who wait, and again when it is old', async () => {
    const { clock, state, document } = createDocument()
    expect(state.loads).toBe(0)
    expect(await Promise.all([document.read(), document.read()])).toEqual([1, 1])
    clock.advance(99)
    expect(await document.read()).toBe(1)
    clock.advance(1)
    expect(await document.read()).toBe(2)
  })

  it('serves while the provider is down, which is asked every five seconds', async () => {
    const { clock, state, document } = createDocument()
    await document.read()
    clock.advance(100)
    state.isDown = true
    expect(await document.read()).toBe(1)
    expect(await document.read()).toBe(1)
    expect(state.loads).toBe(2)
    clock.advance(5)
    expect(await document.read()).toBe(1)
    expect(state.loads).toBe(3)
    state.isDown = false
    clock.advance(5)
    expect(await document.read()).toBe(4)
  })

  it('fails at once for five seconds when there never was one', async () => {
    const { clock, state, document } = createDocument()
    state.isDown = true
    await expect(document.read()).rejects.toBe(fault)
    state.isDown = false
    clock.advance(4)
    await expect(document.read()).rejects.toBe(fault)
    clock.advance(1)
    expect(await document.read()).toBe(2)
  })

  it('is renewed at most every ten seconds (UP-21)', async () => {
    const { clock, state, document } = createDocument()
    await document.read()
    expect(await document.renew()).toBe(2)
    expect(await document.renew()).toBe(2)
    clock.advance(10)
    expect(await document.renew()).toBe(3)
    clock.advance(10)
    state.isDown = true
    await expect(document.renew()).rejects.toBe(fault)
    expect(await document.read()).toBe(3)
  })
})
