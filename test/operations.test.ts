/** The operations of the authorization server for the program around it (A9). */
import { afterEach, describe, expect, it } from 'vitest'
import { OAuthError } from '../src/errors.ts'
import { startTestGatehouse, type TestGatehouse } from './helpers/gatehouse.ts'
import { challenge, verifier } from './helpers/oauth-client.ts'
import { verifiesThat } from './verifies.ts'

const open: TestGatehouse[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function start(): Promise<TestGatehouse> {
  const site = await startTestGatehouse()
  open.push(site)
  return site
}

const redirectUri = 'https://client.example/callback'
const ada = { subject: 'user-42', login: 'ada', email: 'ada@example.com', emailVerified: true }

async function registerPublic({ gatehouse }: TestGatehouse): Promise<string> {
  const metadata = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }
  const { client_id: id } = await gatehouse.operations.registerClient(metadata)
  return String(id)
}

async function catchError(promise: Promise<unknown>): Promise<OAuthError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof OAuthError) return error
  throw new Error('No OAuthError was thrown', { cause: error })
}

describe('operations', () => {
  verifiesThat('A9', 'register, authorize, exchange, verify, refresh, revoke, count', async () => {
    const site = await start()
    const { operations } = site.gatehouse
    const clientId = await registerPublic(site)
    expect(await operations.findClient(clientId)).toMatchObject({ client_id: clientId })

    const wanted = { clientId, redirectUri, codeChallenge: challenge, state: 's1' }
    const { redirectTo, code, userId } = await operations.authorize(wanted, ada)
    const back = new URL(redirectTo)
    expect(Object.fromEntries(back.searchParams)).toEqual({ code, state: 's1', iss: site.issuer })

    const tokens = await operations.exchangeAuthorizationCode({
      clientId,
      code,
      codeVerifier: verifier,
      redirectUri,
    })
    const who = await operations.verifyAccessToken(tokens.access_token)
    expect(who).toMatchObject({ clientId, scopes: ['notes:read'], extra: { userId } })
    const user = await site.gatehouse.context.users.find(who.extra.userId)
    expect(user?.profile).toMatchObject({ login: 'ada' })

    const refreshToken = tokens.refresh_token ?? ''
    const next = await operations.exchangeRefreshToken({ clientId, refreshToken })
    expect(next.access_token).not.toBe(tokens.access_token)
    expect(await operations.readStatistics()).toMatchObject({ clients: 1, refresh_tokens: 1 })

    await operations.revokeToken({ clientId, token: next.refresh_token ?? '' })
    expect((await catchError(operations.verifyAccessToken(next.access_token))).code).toBe(
      'invalid_token',
    )
  })

  it.each(['a\nb', 'a b', '\u20ac', 'a\u0000', ''])(
    'verifyAccessToken: %j is no token',
    async (text) => {
      const { operations } = (await start()).gatehouse
      expect(await catchError(operations.verifyAccessToken(text))).toMatchObject({
        code: 'invalid_token',
      })
    },
  )

  it('is the same person the next time', async () => {
    const site = await start()
    const clientId = await registerPublic(site)
    const wanted = { clientId, redirectUri, codeChallenge: challenge }
    await site.gatehouse.operations.authorize(wanted, ada)
    await site.gatehouse.operations.authorize(wanted, { ...ada, login: 'ada2' })
    const users = await site.gatehouse.context.users.list()
    expect(users.map(({ profile }) => profile.login)).toEqual(['ada2'])
  })

  it('checks an authorization request as /authorize does (AZ-01, H5)', async () => {
    const site = await start()
    const { operations } = site.gatehouse
    const clientId = await registerPublic(site)
    const other = { clientId, redirectUri: 'https://evil.example/', codeChallenge: challenge }
    expect((await catchError(operations.authorize(other, ada))).reason).toBe(
      'redirect_uri_mismatch',
    )
    const bare = await catchError(operations.authorize({ clientId, redirectUri }, ada))
    expect(bare.description).toContain('PKCE')
  })

  it('grants no more than the program says', async () => {
    const site = await start()
    const { operations } = site.gatehouse
    const clientId = await registerPublic(site)
    const scope = 'notes:read notes:write'
    const wanted = { clientId, redirectUri, codeChallenge: challenge, scope }
    const { code } = await operations.authorize(wanted, { ...ada, scopes: ['notes:write'] })
    const tokens = await operations.exchangeAuthorizationCode({
      clientId,
      code,
      codeVerifier: verifier,
    })
    expect(tokens.scope).toBe('notes:write')
    const nothing = operations.authorize(wanted, { ...ada, scopes: [] })
    expect((await catchError(nothing)).code).toBe('invalid_scope')
  })

  it('takes a chosen id and secret, and no id twice (H6)', async () => {
    const site = await start()
    const { operations } = site.gatehouse
    const metadata = { redirect_uris: [redirectUri], client_name: 'ChatGPT' }
    const wishes = { id: 'chatgpt', secret: 'a-secret-of-the-owner' }
    const made = await operations.registerClient(metadata, wishes)
    expect(made).toMatchObject({ client_id: 'chatgpt', client_secret: 'a-secret-of-the-owner' })
    expect(await operations.findClient('chatgpt')).not.toHaveProperty('client_secret')
    const again = await catchError(operations.registerClient(metadata, wishes))
    expect(again.reason).toBe('client_id_taken')
    const guess = { clientId: 'chatgpt', clientSecret: 'wrong', code: 'x' }
    const refused = await catchError(operations.exchangeAuthorizationCode(guess))
    expect([refused.code, refused.status]).toEqual(['invalid_client', 401])
  })

  it.each([
    [{ pkce: 'optional' }, 'pkce cannot be optional for a client without a secret'],
    [{ secret: 'a-secret-of-the-owner' }, 'secret contradicts'],
    [{ id: 'a b' }, 'id must be 3 to 128'],
  ] as const)('refuses %j for a public client (H5, H6)', async (wishes, words) => {
    const { operations } = (await start()).gatehouse
    const metadata = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }
    const refused = await catchError(operations.registerClient(metadata, wishes))
    expect(refused.code).toBe('invalid_client_metadata')
    expect(refused.description).toContain(words)
  })
})
