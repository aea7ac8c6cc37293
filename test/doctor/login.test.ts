/** The login of the doctor: against a Gatehouse with a person, and against servers that do one thing wrong. */
import { get } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { startCallbackListener } from '../../src/cli/doctor-callback.ts'
import { loginExplanations } from '../../src/doctor/login/explanations.ts'
import { findLoginFaults } from '../../src/doctor/login/login-faults.ts'
import { type LoginVisit, listLoginSteps } from '../../src/doctor/login/login-visit.ts'
import { approve, startLive } from '../helpers/live.ts'
import { hurry, logInAt } from './logging-in.ts'
import { type Faults, type LoginSite, startLoginSite } from './login-site.ts'

function listIds(visit: LoginVisit): string[] {
  return findLoginFaults(visit).map(({ id }) => id)
}

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function startSite(faults?: Faults): Promise<LoginSite> {
  const site = await startLoginSite(faults)
  cleanups.push(site.close)
  return site
}

describe('the login of the doctor at a Gatehouse', () => {
  it('goes all the way, finds nothing, and leaves nothing behind', async () => {
    const live = await startLive()
    cleanups.push(live.close)
    const person = async (page: string): Promise<void> => {
      const { url } = await approve(live.browser(), page)
      await fetch(url)
    }
    const visit = await logInAt(live.issuer, { person })
    expect(findLoginFaults(visit)).toEqual([])
    expect(visit.use?.toolCount).toBe(4)
    expect(visit.refreshes?.isSameSuccessor).toBe(true)
    expect(visit.ending?.use?.response?.status).toBe(401)
    expect(visit.removal?.response?.status).toBe(204)
    const events = live.audit.map(({ event }) => event)
    expect(events).toContain('grant.ended')
    expect(events.at(-1)).toBe('client.removed')
  })
})

const cases: readonly (readonly [string, Faults, readonly string[]])[] = [
  [
    'a token answer that is a form',
    {
      tokenBody: {
        text: 'access_token=gho_0123456789&scope=',
        type: 'application/x-www-form-urlencoded',
      },
    },
    ['token-not-json'],
  ],
  ['a token answer without a token', { tokenAnswer: () => ({ ok: true }) }, ['token-missing']],
  ['a token endpoint that wants a secret', { tokenStatus: 401 }, ['token-refused']],
  [
    'expires_in as a text',
    { tokenAnswer: (answer) => ({ ...answer, expires_in: '3600' }) },
    ['expires-in-not-integer'],
  ],
  [
    'no expires_in',
    { tokenAnswer: ({ expires_in: _, ...answer }) => answer },
    ['expires-in-missing'],
  ],
  [
    'no refresh token',
    { tokenAnswer: ({ refresh_token: _, ...answer }) => answer },
    ['refresh-token-missing'],
  ],
  [
    'an odd token_type',
    { tokenAnswer: (answer) => ({ ...answer, token_type: 'JWT' }) },
    ['token-type-odd'],
  ],
  ['a token answer for caches', { cacheControl: 'max-age=60' }, ['token-cacheable']],
  ['a promised iss that is missing', { iss: null }, ['login-iss-missing']],
  ['an iss with a slash', { iss: 'http://127.0.0.1/' }, ['login-iss-different']],
  ['a state that is lost', { dropsState: true }, ['login-state-lost']],
  ['an error in the callback', { callbackError: 'invalid_target' }, ['login-error']],
  ['a person who denies it', { callbackError: 'access_denied' }, ['login-denied']],
  ['a callback without a code', { dropsCode: true }, ['login-code-missing']],
  ['a registration that is refused', { registrationStatus: 400 }, ['login-registration-refused']],
  ['a fresh token that is refused', { refuses: 'all' }, ['fresh-token-refused']],
  ['a fresh token that is not enough', { mcpStatus: 403 }, ['fresh-token-forbidden']],
  ['a body that no token helps (nowledge#496)', { mcpStatus: 422 }, ['mcp-unusable']],
  ['refresh tokens that are good for nothing', { refusesRefresh: true }, ['refresh-refused']],
  ['refreshed tokens that are refused', { refuses: 'refreshed' }, ['refreshed-token-refused']],
  ['tools that are not listed', { toolsError: true }, ['tools-not-listed']],
  ['a refresh at once that logs out', { onReuse: 'end' }, ['refresh-in-parallel-ends-grant']],
  ['a refresh at once that is refused', { onReuse: 'refuse' }, ['refresh-in-parallel-refused']],
  ['a refresh at once with another successor', { onReuse: 'new' }, ['refresh-two-successors']],
  ['refreshes that leave nothing', { successor: 'none, old one dies' }, ['refresh-token-lost']],
  ['refreshes that keep the old token', { successor: 'none, old one lives' }, []],
  ['no revocation endpoint', { hasRevocation: false }, ['revocation-missing']],
  ['a revocation that ends nothing', { revokesNothing: true }, ['revoked-refresh-token-works']],
  ['a revocation that is refused', { revocationStatus: 400 }, ['revocation-refused']],
  [
    'a revocation that leaves the access token',
    { revokesRefreshAlone: true },
    ['revoked-access-token-works'],
  ],
  ['a registration that cannot be removed', { hasManagement: false }, ['login-registration-left']],
]

describe('the login of the doctor', () => {
  it('finds nothing wrong with a server that does it right, in at most 16 requests', async () => {
    const site = await startSite()
    const steps: string[] = []
    const visit = await logInAt(site.issuer, { person: hurry, steps })
    expect(listIds(visit)).toEqual([])
    const made = site.requests.slice(site.requests.indexOf('POST /register'))
    expect(made.length).toBeLessThanOrEqual(16)
    expect(visit.requests).toBe(made.filter((one) => one !== 'GET /authorize').length)
    expect(steps).toContain('Waiting for you to sign in and allow, in the browser')
    expect(site.clients.size).toBe(0)
  })

  it('speaks 2026-07-28 with a server that knows no initialize', async () => {
    const { issuer } = await startSite({ isModern: true })
    const visit = await logInAt(issuer, { person: hurry })
    expect(listIds(visit)).toEqual([])
    expect(visit.use?.opening.request.headers['mcp-method']).toBe('server/discover')
    expect(visit.use?.toolCount).toBe(2)
  })

  it.each(cases)('names %s, and nothing else', async (_, faults, expected) => {
    const { issuer } = await startSite(faults)
    const visit = await logInAt(issuer, { person: hurry })
    expect(listIds(visit)).toEqual(expected)
  })

  it('says which claims of a refused token differ', async () => {
    const { issuer } = await startSite({
      refuses: 'all',
      claims: { aud: 'https://elsewhere.example', iss: 'https://other.example/', exp: 1000 },
    })
    const [finding] = findLoginFaults(await logInAt(issuer, { person: hurry }))
    expect(finding?.seen).toContain(
      `Its iss is "https://other.example/", the issuer is "${issuer}".`,
    )
    expect(finding?.seen).toContain(
      `Its aud is "https://elsewhere.example", the resource is "${issuer}/mcp".`,
    )
    expect(finding?.seen).toMatch(/Its exp was \d+ s ago/)
  })
})

it('is seen at a broken server for all that a login can find', () => {
  const seen = cases.flatMap(([, , ids]) => ids)
  // These have tests of their own below.
  const elsewhere = ['login-not-finished']
  const all = Object.keys(loginExplanations)
  expect(all.filter((id) => !seen.includes(id) && !elsewhere.includes(id))).toEqual([])
})

describe('a login that is not finished', () => {
  it('ends when the time is up, and removes its registration', async () => {
    const site = await startSite()
    const visit = await logInAt(site.issuer, { person: () => undefined, seconds: 0.05 })
    expect(listIds(visit)).toEqual(['login-not-finished'])
    expect(site.clients.size).toBe(0)
  })

  it('ends when the person wants no more, and removes its registration', async () => {
    const site = await startSite()
    const stop = new AbortController()
    const visit = await logInAt(site.issuer, { person: () => stop.abort(), signal: stop.signal })
    expect(visit.ended).toBe('interrupted')
    expect(listIds(visit)).toEqual([])
    expect(site.clients.size).toBe(0)
  })

  it('takes no callback by another name of this machine, nor one without a query', async () => {
    const stop = new AbortController()
    const listener = await startCallbackListener({ seconds: 30, signal: stop.signal })
    cleanups.push(listener.close)
    const came = listener.wait('/callback')
    const url = `http://127.0.0.1:${listener.port}/callback`
    const foreign = await askAs(`${url}?code=1`, 'attacker.example')
    expect([foreign, (await fetch(url)).status]).toEqual([404, 404])
    stop.abort()
    expect(await came).toBe('interrupted')
  })
})

describe('what a login brings home', () => {
  it('has no secret in it, and the same name for the same secret (OP-03)', async () => {
    const { issuer } = await startSite()
    const visit = await logInAt(issuer, { person: hurry })
    const text = JSON.stringify(visit)
    expect(text).not.toMatch(/refresh-token-number|a-code-for-one-use|registration-token-of/)
    expect(text).not.toContain('eyJ')
    expect(visit.token?.request.body).toContain('code_verifier=[code verifier 1]')
    const { pair } = visit.refreshes ?? {}
    expect(visit.callback?.url).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/callback\?code=\[code 1\]&state=/,
    )
    expect(pair?.[0].request.body).toContain('[refresh token 1]')
    expect(pair?.map((one) => one.response?.json)).toEqual([
      expect.objectContaining({ refresh_token: '[refresh token 2]' }),
      expect.objectContaining({ refresh_token: '[refresh token 2]' }),
    ])
    expect(listLoginSteps(visit).map(({ name }) => name)).toContain('The same refresh at once')
  })

  it('has no key that stands in the MCP URL', async () => {
    const { issuer } = await startSite()
    const visit = await logInAt(issuer, { person: hurry, query: '?code=q7Zx9Kp3vR8sT2wY' })
    expect(visit.use?.opening.request.url).toMatch(/\/mcp\?code=\[key 1\]$/)
    expect(JSON.stringify(visit)).not.toContain('q7Zx9Kp3vR8sT2wY')
  })

  it('masks tokens in an answer that is not JSON', async () => {
    const text = 'access_token=gho_0123456789&refresh_token=ghr_9876543210&scope=repo'
    const type = 'application/x-www-form-urlencoded'
    const { issuer } = await startSite({ tokenBody: { text, type } })
    const visit = await logInAt(issuer, { person: hurry })
    expect(JSON.stringify(visit)).not.toMatch(/gho_|ghr_/)
  })
})

/** A request with a `Host` of its own. */
function askAs(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { host } }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    }).once('error', reject)
  })
}
