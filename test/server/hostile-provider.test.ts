/**
 * A hostile OpenID provider behind a whole Gatehouse: the person gets a page that says where the fault is,
 * nothing of them is stored, and the next attempt from that page works (R3, UP-06, UP-13).
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { oidc } from '../../src/identity/oidc.ts'
import type { Browser, Page } from '../helpers/browser.ts'
import { type TestClock, testClock } from '../helpers/gatehouse.ts'
import { type Site, startSite, takeStep } from '../helpers/site.ts'
import { client, now } from '../identity/hostile-oidc.ts'
import { type Answer, json, text } from '../identity/hostile-provider.ts'
import { createMockProvider, type MockProvider } from '../identity/mock-provider.ts'
import { createSharedSigner, createSigner, unsigned } from '../identity/signers.ts'
import { verifiesThat } from '../verifies.ts'

const failed = 'The sign-in did not work'
const away = 'The sign-in service does not answer'

let mock: MockProvider
let site: Site
let deadline: AbortController
let clock: TestClock
beforeAll(async () => {
  mock = await createMockProvider()
})
afterAll(() => mock.close())
beforeEach(async () => {
  mock.reset()
  clock = testClock(now())
  deadline = new AbortController()
  const createDeadline = () => deadline.signal
  const upstream = oidc({ ...client, issuer: mock.origin, label: 'Acme', clock, createDeadline })
  site = await startSite({ clock, upstreams: [upstream], reverifySeconds: 3600 })
})
afterEach(() => site.close())

/** Approves, passes the provider, and comes back; opens the callback with these changes. */
async function arrive(browser: Browser, changes: Record<string, string> = {}): Promise<Page> {
  const { url } = await takeStep(browser, await browser.open(site.authorizeUrl()))
  const callback = await mock.signIn(url)
  for (const [name, value] of Object.entries(changes)) callback.searchParams.set(name, value)
  return browser.open(callback)
}

/** What is stored besides the flow that goes on, the client and what every installation has. */
async function listStored(): Promise<string[]> {
  const { store } = site.gatehouse.context
  const about = ['user/', 'session/', 'link/', 'grant/', 'code/', 'consent/', 'upstream-']
  const pages = await Promise.all(about.map((prefix) => store.list(prefix)))
  return pages.flat().map(({ key }) => key)
}

async function tryAgain(browser: Browser, page: Page): Promise<Page> {
  const href = /href="([^"]*)"[^>]*>(?:<bdi>)?Try again/.exec(page.text)?.[1] ?? ''
  const choose = await browser.open(new URL(href.replaceAll('&amp;', '&'), site.issuer))
  const { url } = await browser.press(choose, 'upstream', 'oidc')
  return browser.open(await mock.signIn(url))
}

interface Case {
  readonly what: string
  readonly status: number
  readonly title: string
  spoil(): void
  readonly callback?: Record<string, string>
}

const token = (answer: Answer) => () => void mock.answers.set('/token', answer)
const claims = (wrong: object) => () => {
  mock.claims = wrong
}
const sign = (signer: MockProvider['signer']) => () => {
  mock.signer = signer
}

const cases: readonly Case[] = [
  { what: 'wrong iss', status: 502, title: failed, spoil: claims({ iss: 'https://evil.example' }) },
  { what: 'wrong aud', status: 502, title: failed, spoil: claims({ aud: 'another' }) },
  { what: 'wrong nonce', status: 400, title: failed, spoil: claims({ nonce: 'another' }) },
  { what: 'missing sub', status: 502, title: failed, spoil: claims({ sub: undefined }) },
  { what: 'expired', status: 502, title: failed, spoil: claims({ exp: now() - 3600 }) },
  { what: 'alg none', status: 502, title: failed, spoil: sign(unsigned) },
  {
    what: 'signed with the client secret',
    status: 502,
    title: failed,
    spoil: sign(createSharedSigner(client.clientSecret)),
  },
  {
    what: 'signed with a key that is not published',
    status: 502,
    title: failed,
    spoil: () => {
      mock.keys = [createSigner('RS256', 'other').jwk ?? {}]
    },
  },
  {
    what: 'no ID token',
    status: 502,
    title: failed,
    spoil: () => {
      mock.token = ({ id_token: _, ...rest }) => rest
    },
  },
  { what: 'token endpoint 500', status: 503, title: away, spoil: token(json({}, 500)) },
  {
    what: 'silence until the deadline',
    status: 503,
    title: away,
    spoil: token(() => void setImmediate(() => deadline.abort())),
  },
  { what: 'garbage', status: 502, title: failed, spoil: token(text('<h1>Sign in</h1>')) },
  {
    what: 'a body of 10 MB',
    status: 502,
    title: failed,
    spoil: token(text(JSON.stringify({ filler: 'x'.repeat(10_000_000) }))),
  },
  { what: 'an error', status: 502, title: failed, spoil: token(json({ error: 'x' }, 400)) },
]

describe.each(cases)('$what', ({ status, title, spoil, callback }) => {
  verifiesThat('R3', 'is a page that names the cause, leaves nothing, and passes', async () => {
    const browser = site.browser()
    spoil()
    const page = await arrive(browser, callback)
    expect([page.status, /<title>(.*?)(?: [-–·].*)?<\/title>/.exec(page.text)?.[1]]).toEqual([
      status,
      expect.stringContaining(title),
    ])
    expect(page.text).not.toMatch(/our side|evil|eyJ|filler/)
    expect(await listStored()).toEqual([])
    expect([...browser.cookies.keys()].join()).not.toContain('session')
    expect(site.audit.at(-1)).toMatchObject({ event: 'sign-in.failed', outcome: 'refused' })

    mock.reset()
    deadline = new AbortController()
    // For its keys it is asked again after some seconds.
    clock.advance(11)
    const confirm = await tryAgain(browser, page)
    expect(confirm.text).toContain('Confirm access')
    expect((await takeStep(browser, confirm)).url.searchParams.has('code')).toBe(true)
  })
})

it('a state of nobody is a page, asks the provider nothing, and leaves the sign-in open (UP-01)', async () => {
  const browser = site.browser()
  const { url } = await takeStep(browser, await browser.open(site.authorizeUrl()))
  const callback = await mock.signIn(url)
  const forged = new URL(callback)
  forged.searchParams.set('state', 'x'.repeat(43))
  mock.requests.length = 0
  const page = await browser.open(forged)
  expect([page.status, mock.requests]).toEqual([400, []])
  expect((await browser.open(callback)).text).toContain('Confirm access')
})
