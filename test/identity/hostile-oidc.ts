/** The scene of the tests with a hostile OpenID provider: one that is well until a test says otherwise. */
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import type { OAuthError } from '../../src/errors.ts'
import { oidc } from '../../src/identity/oidc.ts'
import type { OidcOptions } from '../../src/identity/oidc-options.ts'
import type { Identity, Upstream } from '../../src/identity/upstream.ts'
import { createFlow } from './contract.ts'
import { createTestClock } from './fixtures.ts'
import { type Answer, json, text } from './hostile-provider.ts'
import { createMockProvider, type MockProvider } from './mock-provider.ts'

/** What the provider knows us by. */
export const client = { clientId: 'gatehouse', clientSecret: 'the secret of this client' }
/** Path of the discovery document. */
export const discovery = '/.well-known/openid-configuration'
/** The error for what makes no sense. */
export const malformed = { code: 'server_error', status: 502, reason: 'upstream_malformed' }
/** The error for a claim that is wrong. */
export const refused = (claim: string) => ({ ...malformed, reason: `upstream_${claim}_refused` })
/** The error for what will pass. */
export const passes = {
  code: 'temporarily_unavailable',
  status: 503,
  retryAfterSeconds: expect.any(Number),
}
/** The machine's time, by which the provider stamps its tokens. */
export const now = () => Math.floor(Date.now() / 1000)

const huge = text(JSON.stringify({ filler: 'x'.repeat(10_000_000) }))
const bomb = text(gzipSync(Buffer.alloc(10_000_000, 32)), 200, { 'content-encoding': 'gzip' })
/** Answers of a provider that will be well again. */
export const passing: [string, Answer][] = [
  ['500', json({ error: 'invalid_grant' }, 500)],
  ['503', text('<h1>Down</h1>', 503)],
  ['429', json({}, 429)],
  ['a closed connection', (response) => void response.destroy()],
]
/** Answers that make no sense anywhere. */
export const garbage: [string, Answer][] = [
  ['HTML', text('<h1>Sign in</h1>', 200, { 'content-type': 'text/html' })],
  ['nothing', text('')],
  ['half a document', text('{"issuer":')],
  ['null', json(null)],
  ['an array', json([])],
  ['an empty object', json({})],
  ['404', json({}, 404)],
  ['10 MB', huge],
  ['a gzip bomb', bomb],
  ['a redirect', text('', 302, { location: 'http://127.0.0.1:1/' })],
  ['a redirect to itself', text('', 307, { location: '/elsewhere' })],
]

/** One provider for a file of tests, well again before each. */
export interface Scene {
  readonly mock: MockProvider
  /** An upstream at it, under a clock of its own. */
  create(changes?: Partial<OidcOptions>): {
    clock: ReturnType<typeof createTestClock>
    upstream: Upstream
  }
  /** Signs somebody in. */
  enter(upstream: Upstream): Promise<Identity>
  /** The error of a sign-in, after which the same upstream signs people in at a provider that is well again. */
  refuse(changes?: Partial<OidcOptions>): Promise<OAuthError>
}

/** Sets the scene. */
export function setScene(): Scene {
  let mock: MockProvider
  beforeAll(async () => {
    mock = await createMockProvider()
  })
  afterAll(() => mock.close())
  beforeEach(() => mock.reset())

  const create: Scene['create'] = (changes = {}) => {
    const clock = createTestClock(now())
    return { clock, upstream: oidc({ ...client, issuer: mock.origin, clock, ...changes }) }
  }
  const enter = async (upstream: Upstream) => {
    const flow = createFlow()
    return upstream.finish(await mock.signIn(await upstream.start(flow)), flow)
  }
  return {
    get mock() {
      return mock
    },
    create,
    enter,
    refuse: async (changes) => {
      const { clock, upstream } = create(changes)
      const error = await enter(upstream).then(
        ({ subject }) => expect.unreachable(`${subject} got in`),
        (error: OAuthError) => error,
      )
      mock.reset()
      clock.advance(5)
      expect((await enter(upstream)).subject).toBe('johndoe')
      return error
    },
  }
}
