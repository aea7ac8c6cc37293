/** A hostile OpenID provider, asked about tokens that we keep, and asked before anyone signs in. */
import { describe, expect, it } from 'vitest'
import type { OidcOptions } from '../../src/identity/oidc-options.ts'
import { knownCallback } from './contract.ts'
import { discovery, garbage, passes, passing, setScene } from './hostile-oidc.ts'
import { type Answer, json, text } from './hostile-provider.ts'
import { createSigner } from './signers.ts'

const scene = setScene()

describe('tokens that are kept', () => {
  const tokens = { accessToken: 'a', refreshToken: 'r' }

  it.each([...passing, ...garbage])('stay when a refresh meets %s (P5)', async (_, answer) => {
    scene.mock.answers.set('/token', answer)
    await expect(scene.create().upstream.refresh?.(tokens)).rejects.toMatchObject(passes)
  })

  it.each([
    ['invalid_grant', { code: 'invalid_grant', status: 400, reason: 'upstream_grant_ended' }],
    ['interaction_required', { code: 'invalid_grant' }],
    ['invalid_client', passes],
    ['unauthorized_client', passes],
    ['invalid_request', passes],
    ['temporarily_unavailable', passes],
  ])('are refreshed with the answer %s', async (error, expected) => {
    scene.mock.token = () => ({ error })
    await expect(scene.create().upstream.refresh?.(tokens)).rejects.toMatchObject(expected)
  })

  it('keep the refresh token that is not replaced (UP-15)', async () => {
    scene.mock.token = ({ refresh_token: _, ...answer }) => answer
    expect((await scene.create().upstream.refresh?.(tokens))?.refreshToken).toBe('r')
  })

  it.each([...passing, ...garbage])('stay when userinfo answers %s (P5)', async (_, answer) => {
    scene.mock.answers.set('/userinfo', answer)
    await expect(scene.create().upstream.reverify?.(tokens)).rejects.toMatchObject(passes)
  })

  it('are not spent on a reverification while the keys cannot be had', async () => {
    scene.mock.answers.set('/jwks', json({}, 503))
    const { upstream } = scene.create({ reverifyWith: 'refresh-token' })
    await expect(upstream.reverify?.(tokens)).rejects.toMatchObject(passes)
    expect(scene.mock.requests).not.toContain('POST /token')
  })

  it('are reverified by an ID token like any other', async () => {
    const { upstream } = scene.create({ reverifyWith: 'refresh-token' })
    expect(await upstream.reverify?.(tokens)).toMatchObject({ subject: 'johndoe' })
    scene.mock.signer = createSigner('RS256', 'ordinary')
    scene.mock.keys = [createSigner('RS256', 'ordinary').jwk ?? {}]
    await expect(upstream.reverify?.(tokens)).rejects.toMatchObject(passes)
  })

  it('are revoked one after the other, the refresh token first (RFC 7009)', async () => {
    const revoked: string[] = []
    scene.mock.answers.set('/revoke', (response, request) => {
      revoked.push(request.method ?? '')
      response.writeHead(200).end()
    })
    await scene.create().upstream.revoke?.(tokens)
    expect(revoked).toEqual(['POST', 'POST'])
  })

  it.each([
    [400, 'invalid_token'],
    [400, 'unsupported_token_type'],
  ])('count as revoked when the answer is %d %s', async (status, error) => {
    scene.mock.answers.set('/revoke', json({ error }, status))
    await scene.create().upstream.revoke?.(tokens)
  })

  it.each<[string, Answer]>([
    ...passing,
    ['invalid_client', json({ error: 'invalid_client' }, 401)],
    ['HTML', text('<h1>', 404)],
  ])('are to be revoked again after %s', async (_, answer) => {
    scene.mock.answers.set('/revoke', answer)
    await expect(scene.create().upstream.revoke?.(tokens)).rejects.toMatchObject(passes)
  })

  it('are left alone where nothing revokes', async () => {
    scene.mock.document = { revocation_endpoint: undefined }
    await scene.create().upstream.revoke?.(tokens)
    expect(scene.mock.requests).toEqual([`GET ${discovery}`])
  })
})

describe('the check at the start', () => {
  const findProblem = (changes?: Partial<OidcOptions>) =>
    scene.create(changes).upstream.findProblem?.(knownCallback)

  it.each([...passing])('says nothing about a provider that answers %s', async (_, answer) => {
    scene.mock.answers.set(discovery, answer)
    expect(await findProblem()).toBeUndefined()
    scene.mock.reset()
    scene.mock.answers.set('/token', answer)
    scene.mock.answers.set('/authorize', answer)
    expect(await findProblem()).toBeUndefined()
  })

  it('finds the other way to send the secret', async () => {
    scene.mock.answers.set('/token', (response, request) => {
      const isBasic = request.headers.authorization?.startsWith('Basic ')
      json({ error: isBasic ? 'invalid_grant' : 'invalid_client' }, 400)(response, request)
    })
    expect(await findProblem()).toContain('set clientAuthentication to client_secret_basic')
    expect(await findProblem({ clientAuthentication: 'client_secret_basic' })).toBeUndefined()
    expect(await findProblem({ clientSecret: undefined })).toMatch(/refuses the client id/)
  })

  it('finds a client that may not use the code flow', async () => {
    scene.mock.answers.set('/token', json({ error: 'unauthorized_client' }, 400))
    expect(await findProblem()).toContain('authorization code flow')
  })

  it('finds scopes that are refused, and asks for no page', async () => {
    let asked = new URLSearchParams()
    let error = 'invalid_scope'
    scene.mock.answers.set('/authorize', (response, request) => {
      asked = new URL(request.url ?? '', scene.mock.origin).searchParams
      const location = `${asked.get('redirect_uri')}?error=${error}`
      response.writeHead(302, { location }).end()
    })
    expect(await findProblem({ scopes: ['groups'] })).toContain('openid profile email groups')
    expect(asked.get('prompt')).toBe('none')
    error = 'login_required'
    expect(await findProblem({ scopes: ['groups'] })).toBeUndefined()
  })

  it('is not misled by a token for a code that never was', async () => {
    scene.mock.answers.set('/token', json({ access_token: 'a', token_type: 'bearer' }))
    expect(await findProblem()).toBeUndefined()
  })
})
