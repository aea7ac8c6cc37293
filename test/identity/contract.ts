/**
 * What every upstream does, against a provider that behaves. A provider's test file hands in how to
 * build the upstream and how a person signs in there.
 */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AdmissionRules } from '../../src/identity/admission.ts'
import type {
  Identity,
  Upstream,
  UpstreamFlow,
  UpstreamTokens,
} from '../../src/identity/upstream.ts'
import { systemRandom } from '../../src/platform/crypto.ts'

/** A provider that is up, with two people who have an account. */
export interface ProviderUnderTest {
  readonly upstream: Upstream
  /** The same, set up otherwise. */
  create(changes: Setup): Upstream
  /** What this provider has, besides signing people in. */
  readonly can: readonly Ability[]
  readonly people: readonly [login: string, otherLogin: string]
  readonly scopes: readonly string[]
  /** Walks the provider's pages as this person. Returns where the browser is sent: our callback. */
  signIn(authorizationUrl: URL, login: string): Promise<URL>
  close(): Promise<void>
}

/** How an upstream may be set up otherwise. */
export interface Setup {
  readonly clientSecret?: string
  readonly admission?: AdmissionRules
  readonly callbackPath?: string
}

/**
 * `refresh`: it gives refresh tokens. `reverify`: it says later who the person is. `revoke`: it ends tokens.
 * `tell-dead-tokens`: it knows an access token that it never issued (some emulators take any).
 * `tell-secrets`, `tell-callbacks`: it lets on at the start that a secret is wrong, a callback unknown.
 */
export const abilities = [
  'refresh',
  'reverify',
  'revoke',
  'tell-dead-tokens',
  'tell-secrets',
  'tell-callbacks',
] as const
type Ability = (typeof abilities)[number]

/** The callback that the provider under test knows. */
export const knownCallback = 'http://localhost:8787/callback/github'

/** A fresh trip to the provider. */
export function createFlow(changes: Partial<UpstreamFlow> = {}): UpstreamFlow {
  return {
    redirectUri: knownCallback,
    state: systemRandom(32),
    nonce: systemRandom(32),
    codeVerifier: systemRandom(32),
    ...changes,
  }
}

/** A callback of a flow with some parameters; `state` is right unless given. */
export function toCallback(flow: UpstreamFlow, parameters: Record<string, string>): URL {
  const url = new URL(flow.redirectUri)
  url.search = new URLSearchParams({ state: flow.state, ...parameters }).toString()
  return url
}

/** Runs the contract. */
export function describeUpstream(name: string, create: () => Promise<ProviderUnderTest>): void {
  describe(`${name} keeps the contract of an upstream`, () => {
    let provider: ProviderUnderTest
    beforeAll(async () => {
      provider = await create()
    })
    afterAll(() => provider.close())

    const travel = async (login: string) => {
      const flow = createFlow()
      const callback = await provider.signIn(await provider.upstream.start(flow), login)
      return { flow, callback }
    }

    it('sends the browser off with state, callback, scopes and PKCE S256 (UP-05)', async () => {
      const flow = createFlow()
      const { searchParams } = await provider.upstream.start(flow)
      const challenge = createHash('sha256').update(flow.codeVerifier).digest('base64url')
      expect(Object.fromEntries(searchParams)).toMatchObject({
        response_type: 'code',
        redirect_uri: flow.redirectUri,
        state: flow.state,
        scope: provider.scopes.join(' '),
        code_challenge: challenge,
        code_challenge_method: 'S256',
      })
      expect(searchParams.toString()).not.toContain(flow.codeVerifier)
    })

    it('says who it was, the same each time, and another for another person (UP-08)', async () => {
      const finish = async (login: string) => {
        const { flow, callback } = await travel(login)
        return provider.upstream.finish(callback, flow)
      }
      const [login, otherLogin] = provider.people
      const [first, again, other] = [
        await finish(login),
        await finish(login),
        await finish(otherLogin),
      ]
      expect(first.login).toBe(login)
      expect(first.tokens?.accessToken).toMatch(/./)
      expect(again.subject).toBe(first.subject)
      expect(other.subject).not.toBe(first.subject)
      expect(first.subject).not.toBe(first.login)
      expect(first.subject).not.toBe(first.email)
    })

    it('redeems a code once', async () => {
      const { flow, callback } = await travel(provider.people[0])
      await provider.upstream.finish(callback, flow)
      await expect(provider.upstream.finish(callback, flow)).rejects.toMatchObject({
        code: 'access_denied',
        reason: 'upstream_code_refused',
      })
    })

    it('refuses the callback of another flow (UP-01)', async () => {
      const { callback } = await travel(provider.people[0])
      await expect(provider.upstream.finish(callback, createFlow())).rejects.toMatchObject({
        code: 'invalid_request',
        reason: 'upstream_state_mismatch',
      })
    })

    it('tells the owner, not the person, when it is set up wrong', async () => {
      const { flow, callback } = await travel(provider.people[0])
      const misconfigured = provider.create({ clientSecret: 'wrong' })
      await expect(misconfigured.finish(callback, flow)).rejects.toMatchObject({
        code: 'server_error',
        reason: 'upstream_misconfigured',
      })
    })

    it('admits by the rules, and tells whom it refuses who they are', async () => {
      const { flow, callback } = await travel(provider.people[0])
      const closed = provider.create({ admission: { logins: [] } })
      await expect(closed.finish(callback, flow)).rejects.toMatchObject({
        code: 'access_denied',
        reason: 'not_admitted',
        description: expect.stringContaining(provider.people[0]),
      })
    })

    it('reports that the person said no', async () => {
      const flow = createFlow()
      const callback = toCallback(flow, { error: 'access_denied' })
      await expect(provider.upstream.finish(callback, flow)).rejects.toMatchObject({
        code: 'access_denied',
        reason: 'upstream_denied',
      })
    })

    it('has its callback at the default path or where it is told to', () => {
      expect(provider.upstream.callbackPath).toBeUndefined()
      expect(provider.create({ callbackPath: '/oauth2/callback' }).callbackPath).toBe(
        '/oauth2/callback',
      )
    })

    describeCustody(() => provider, travel)
    describeStart(() => provider)
  })
}

type Travel = (login: string) => Promise<{ flow: UpstreamFlow; callback: URL }>

function describeCustody(find: () => ProviderUnderTest, travel: Travel): void {
  const enter = async () => {
    const { flow, callback } = await travel(find().people[0])
    return find().upstream.finish(callback, flow)
  }
  const ended = { code: 'invalid_grant', status: 400 }

  it('gives new tokens for old ones, and keeps the refresh token that is not replaced (UP-15)', async () => {
    const { upstream, can } = find()
    if (!can.includes('refresh')) return
    const tokens = takeTokens(await enter())
    const renewed = await refresh(upstream, tokens)
    expect(renewed.accessToken).not.toBe(tokens.accessToken)
    expect(renewed.refreshToken).toMatch(/./)
    expect((await refresh(upstream, renewed)).accessToken).not.toBe(renewed.accessToken)
  })

  it('says that a refresh token is dead for good (UP-17)', async () => {
    const { upstream, can } = find()
    if (!can.includes('refresh')) return
    const dead = { accessToken: 'a', refreshToken: 'never-issued' }
    await expect(refresh(upstream, dead)).rejects.toMatchObject(ended)
  })

  it('keeps everything while its own secret is wrong (P5)', async () => {
    const { create, can } = find()
    if (!can.includes('refresh')) return
    const tokens = takeTokens(await enter())
    await expect(refresh(create({ clientSecret: 'wrong' }), tokens)).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      status: 503,
      retryAfterSeconds: expect.any(Number),
    })
    expect((await refresh(find().upstream, tokens)).accessToken).toMatch(/./)
  })

  it('says later who a person is, and whether they may still enter', async () => {
    const { upstream, create, can } = find()
    if (!can.includes('reverify')) return
    const identity = await enter()
    const again = await reverify(upstream, takeTokens(identity))
    expect(again).toMatchObject({ subject: identity.subject, login: identity.login })
    const tokens = again.tokens ?? takeTokens(identity)
    const closed = create({ admission: { logins: [] } })
    await expect(reverify(closed, tokens)).rejects.toMatchObject({
      code: 'access_denied',
      reason: 'not_admitted',
    })
  })

  it('says that nobody can be asked with dead tokens', async () => {
    const { upstream, can } = find()
    if (!can.includes('reverify') || !can.includes('tell-dead-tokens')) return
    const dead = { accessToken: 'never-issued', refreshToken: 'never-issued' }
    await expect(reverify(upstream, dead)).rejects.toMatchObject(ended)
  })

  it('ends tokens, also dead ones', async () => {
    const { upstream, can } = find()
    if (!can.includes('revoke')) return
    const tokens = takeTokens(await enter())
    await upstream.revoke?.(tokens)
    if (can.includes('tell-dead-tokens')) {
      await expect(reverify(upstream, tokens)).rejects.toMatchObject(ended)
    }
    if (can.includes('refresh'))
      await expect(refresh(upstream, tokens)).rejects.toMatchObject(ended)
    await upstream.revoke?.(tokens)
  })
}

function describeStart(find: () => ProviderUnderTest): void {
  const findProblem = (upstream: Upstream, callback: string) => upstream.findProblem?.(callback)

  it('finds nothing wrong where nothing is', async () => {
    expect(await findProblem(find().upstream, knownCallback)).toBeUndefined()
  })

  it('finds credentials that are refused', async () => {
    const { create, can } = find()
    if (!can.includes('tell-secrets')) return
    const problem = await findProblem(create({ clientSecret: 'wrong' }), knownCallback)
    expect(problem).toMatch(/secret/)
    expect(problem).not.toContain('wrong')
  })

  it('finds a callback that is not registered', async () => {
    const { upstream, can } = find()
    if (!can.includes('tell-callbacks')) return
    const unknown = 'http://localhost:8787/nowhere'
    expect(await findProblem(upstream, unknown)).toContain(unknown)
  })
}

function takeTokens({ tokens }: Identity): UpstreamTokens {
  return tokens ?? expect.unreachable('no tokens')
}

function refresh({ refresh }: Upstream, tokens: UpstreamTokens): Promise<UpstreamTokens> {
  const { refreshToken = expect.unreachable('no refresh token') } = tokens
  return refresh?.({ ...tokens, refreshToken }) ?? expect.unreachable('cannot refresh')
}

function reverify({ reverify }: Upstream, tokens: UpstreamTokens): Promise<Identity> {
  return reverify?.(tokens) ?? expect.unreachable('cannot reverify')
}
