/**
 * What every upstream does, against a provider that behaves. A provider's test file hands in how to
 * build the upstream and how a person signs in there.
 */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Upstream, UpstreamFlow } from '../../src/identity/upstream.ts'
import { systemRandom } from '../../src/platform/crypto.ts'

/** A provider that is up, with two people who have an account. */
export interface ProviderUnderTest {
  readonly upstream: Upstream
  /** The same, but its secret is wrong. */
  readonly withWrongSecret: Upstream
  readonly people: readonly [login: string, otherLogin: string]
  readonly scopes: readonly string[]
  /** Walks the provider's pages as this person. Returns where the browser is sent: our callback. */
  signIn(authorizationUrl: URL, login: string): Promise<URL>
  close(): Promise<void>
}

/** A fresh trip to the provider. */
export function createFlow(changes: Partial<UpstreamFlow> = {}): UpstreamFlow {
  return {
    redirectUri: 'http://localhost:8787/callback/github',
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
      await expect(provider.withWrongSecret.finish(callback, flow)).rejects.toMatchObject({
        code: 'server_error',
        reason: 'upstream_misconfigured',
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
  })
}
