/** Several ways to sign in: which are offered, which a backend demands, and whose session counts for what. */
import { afterEach, describe, expect, it } from 'vitest'
import type { BackendOptions } from '../../src/backend-options.ts'
import type { Identity, SignInWishes, Upstream } from '../../src/identity/upstream.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { codes } from '../../src/storage/records/code.ts'
import { type Browser, findForm, type Page } from '../helpers/browser.ts'
import { testClock } from '../helpers/gatehouse.ts'
import { ada, answerOf, hiddenOf, type Site, startSite, takeStep } from '../helpers/site.ts'

const sites: Site[] = []
afterEach(async () => {
  for (const site of sites.splice(0)) await site.close()
})

async function start(options: Parameters<typeof startSite>[0]): Promise<Site> {
  const site = await startSite(options)
  sites.push(site)
  return site
}

/** What a provider was asked for, by its id. */
const wishes = new Map<string, SignInWishes | undefined>()

/** A provider at a site of its own that knows everybody. */
function provider(id: string, label = id, more: Partial<Identity> = {}): Upstream {
  return {
    id,
    label,
    start: async ({ redirectUri, state }, wish) => {
      wishes.set(id, wish)
      return new URL(`https://${id}.example/?${new URLSearchParams({ redirectUri, state })}`)
    },
    finish: async () => ({ subject: '1', login: `ada at ${id}`, ...more }),
  }
}

/** Comes back from a provider, to the page that follows. */
function comeBack(browser: Browser, { url }: Page): Promise<Page> {
  const { redirectUri = '', state = '' } = Object.fromEntries(url.searchParams)
  return browser.open(`${redirectUri}?${new URLSearchParams({ state, code: 'any' })}`, {
    'sec-fetch-site': 'cross-site',
  })
}

/** The buttons that lead to providers, in their order. */
function findChoices({ text }: Page): string[] {
  return [...text.matchAll(/name="upstream" value="([^"]*)">([^<]*)</g)].map(
    ([, id, words]) => `${id}: ${words}`,
  )
}

const five = ['github', 'google', 'auth0', 'okta', 'entra'].map((id) => provider(id, `The ${id}`))
const [github = provider(''), google = provider('')] = five

describe('the sign-in page', () => {
  it('offers every provider in its order, and the password below', async () => {
    const site = await start({ upstreams: five, localSignIn: true })
    const page = await site.walk(site.browser(), 'sign-in')
    expect(findChoices(page)).toEqual([
      'github: Continue with The github',
      'google: Continue with The google',
      'auth0: Continue with The auth0',
      'okta: Continue with The okta',
      'entra: Continue with The entra',
    ])
    expect(page.text.indexOf('entra')).toBeLessThan(page.text.indexOf('type="password"'))
  })

  it('leads to the provider that was chosen, and a choice that failed leads back to it', async () => {
    const site = await start({ upstreams: five })
    const browser = site.browser()
    const chooser = await site.walk(browser, 'sign-in')
    expect(chooser.text).not.toContain('type="password"')
    const away = await browser.press(chooser, 'upstream', 'okta')
    expect(away.url.origin).toBe('https://okta.example')
    const changed = await browser.press(chooser, 'upstream', 'google')
    expect(changed.url.origin).toBe('https://google.example')
    expect((await comeBack(browser, away)).status).toBe(400)
    expect((await comeBack(browser, changed)).text).toContain('ada at google')
  })

  it('is spared where there is one provider alone', async () => {
    const site = await start({ upstreams: [github] })
    const away = await takeStep(site.browser(), await site.walk(site.browser(), 'approve'))
    expect(away.status).toBe(400)
    const browser = site.browser()
    expect((await site.walk(browser, 'client')).url.origin).toBe('https://github.example')
  })

  it('asks the provider for a fresh sign-in when the client or the person wants one', async () => {
    const site = await start({ upstreams: [github] })
    const browser = site.browser()
    const confirm = await comeBack(browser, await site.walk(browser, 'client'))
    expect(wishes.get('github')).toEqual({ fresh: false })
    const approve = await browser.press(confirm, 'decision', 'switch')
    const away = approve.status === 0 ? approve : await browser.press(approve, 'upstream', 'github')
    expect(wishes.get('github')).toEqual({ fresh: true })
    await takeStep(browser, await comeBack(browser, away))
    wishes.clear()
    await takeStep(browser, await browser.open(site.authorizeUrl({ prompt: 'select_account' })))
    expect(wishes.get('github')).toEqual({ fresh: true })
  })
})

describe('a backend that demands a provider', () => {
  const backend = (id: string, more: Partial<BackendOptions> = {}): BackendOptions => ({
    id,
    path: `/${id}`,
    to: 'http://127.0.0.1:9/mcp',
    ...more,
  })
  const backends = [
    backend('open'),
    backend('code', { signInWith: 'github' }),
    backend('inside', { signInWith: 'local' }),
  ]
  const issuer = 'https://mcp.example.com'
  const to = (id: string) => ({ resource: `${issuer}/${id}` })
  const startThree = (options: Parameters<typeof startSite>[0] = {}) =>
    start({ backends, upstreams: [github, google], localSignIn: true, ...options })

  /** A browser signed in at a provider, for the backend that takes any. */
  async function signInAt(site: Site, id: string): Promise<Browser> {
    const browser = site.browser()
    const chooser = await site.walk(browser, 'sign-in', to('open'))
    const confirm = await comeBack(browser, await browser.press(chooser, 'upstream', id))
    expect(confirm.text).toContain('Signed in as')
    return browser
  }

  it('has no chooser: the way leads there from the first page', async () => {
    const site = await startThree()
    const browser = site.browser()
    const away = await site.walk(browser, 'sign-in', to('code'))
    expect(away.url.origin).toBe('https://github.example')
    const confirm = await comeBack(browser, away)
    const back = await takeStep(browser, confirm)
    expect(answerOf(back.url).map(([name]) => name)).toContain('code')
    const [code] = await codes.list(site.gatehouse.context.store)
    expect(code?.value).toMatchObject({ upstream: 'github', resource: `${issuer}/code` })
  })

  it('does not count a session of another provider, and leaves it out of the page', async () => {
    const site = await startThree()
    const browser = await signInAt(site, 'google')
    const approve = await browser.open(site.authorizeUrl(to('code')))
    expect(approve.text).not.toContain('ada at google')
    const away = await takeStep(browser, approve)
    expect(away.url.origin).toBe('https://github.example')
    expect((await comeBack(browser, away)).text).toContain('ada at github')
  })

  it('counts a session of its own provider, wherever it was opened', async () => {
    const site = await startThree()
    const browser = await signInAt(site, 'github')
    const page = await browser.open(site.authorizeUrl(to('code')))
    expect(page.text).toContain('ada at github')
    expect((await takeStep(browser, page)).url.searchParams.has('code')).toBe(true)
  })

  it('takes no approval back that another provider vouched for, even when the form says so', async () => {
    const site = await startThree()
    const browser = await signInAt(site, 'google')
    const open = await browser.open(site.authorizeUrl(to('open')))
    const demanding = await browser.open(site.authorizeUrl(to('code')))
    const { flow = '' } = hiddenOf(demanding)
    const { csrf = '' } = hiddenOf(open)
    const fields: [string, string][] = [
      ['flow', flow],
      ['csrf', csrf],
      ['decision', 'allow'],
      ['scope', 'notes:read'],
    ]
    expect((await browser.post(`${issuer}/consent`, fields)).status).toBe(403)
    expect(await codes.list(site.gatehouse.context.store)).toEqual([])
  })

  it('takes no other way in, whatever is posted to the sign-in page', async () => {
    const site = await startThree()
    const inside = site.browser()
    const password = await site.walk(inside, 'sign-in', to('inside'))
    expect(findChoices(password)).toEqual([])
    const { fields } = findForm(password, 'decision', 'deny')
    const upstream: [string, string][] = [...fields, ['upstream', 'github']]
    expect((await inside.post(`${issuer}/sign-in`, upstream)).status).toBe(400)

    const code = site.browser()
    const away = await site.walk(code, 'sign-in', to('code'))
    expect(away.status).toBe(0)
    const flow = [...code.cookies.keys()].find((name) => name.includes('flow-'))
    const page = await code.open(`${issuer}/sign-in?flow=${flow?.split('flow-')[1]}`)
    expect(findChoices(page)).toEqual(['github: Continue with The github'])
    const login = [...findForm(page, 'decision', 'deny').fields, ...Object.entries(ada)]
    const answer = await code.post(`${issuer}/sign-in`, login as [string, string][])
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('Choose an identity provider')
  })

  it('is not spared its page by what the same person chose to be remembered elsewhere', async () => {
    const email = { email: 'ada@acme.example', emailVerified: true }
    const upstreams = [provider('github', 'GitHub', email), provider('google', 'Google', email)]
    const site = await startThree({ upstreams, linkByVerifiedEmail: true })
    const browser = await signInAt(site, 'github')
    const page = await browser.open(site.authorizeUrl(to('code')))
    const { fields } = findForm(page, 'decision', 'allow')
    const ticked: [string, string][] = [...fields, ['decision', 'allow'], ['remember', 'yes']]
    await browser.post(`${issuer}/consent`, ticked)
    const ask = (person: Browser) =>
      person.open(site.authorizeUrl(to('code')), { 'sec-fetch-site': 'none' })
    expect((await ask(browser)).url.searchParams.has('code')).toBe(true)

    const elsewhere = await signInAt(site, 'google')
    expect(await site.gatehouse.context.users.list()).toHaveLength(2)
    expect((await ask(elsewhere)).status).toBe(200)
  })
})

it('a session of a provider that was taken out of the configuration counts no more (UP-12)', async () => {
  const clock = testClock()
  const store = memoryStore({ clock })
  const before = await start({ store, clock, upstreams: [github, google] })
  const browser = before.browser()
  const chooser = await before.walk(browser, 'sign-in')
  await comeBack(browser, await browser.press(chooser, 'upstream', 'google'))
  expect((await browser.open(before.authorizeUrl())).text).toContain('ada at google')

  const after = await start({ store, clock, upstreams: [github] })
  const again = after.browser()
  for (const [name, value] of browser.cookies) again.cookies.set(name, value)
  const page = await again.open(after.authorizeUrl())
  expect(page.text).not.toContain('ada at google')
  expect((await takeStep(again, page)).url.origin).toBe('https://github.example')
})

it.each([
  { options: { upstreams: [github, github] }, problem: 'Two ways to sign in have the id github' },
  { options: { upstreams: [provider('local')] }, problem: 'Two ways to sign in have the id local' },
  {
    options: { upstreams: [provider('no-sign-in')] },
    problem: 'Two ways to sign in have the id no-sign-in',
  },
  {
    options: { upstreams: [github], backends: [{ signInWith: 'okta' }] },
    problem: 'Backend mcp: signInWith okta is no way to sign in here',
  },
  {
    options: { upstreams: [github], backends: [{ signInWith: 'local' }] },
    problem: 'Backend mcp: signInWith local is no way to sign in here',
  },
  { options: { sessionsPerUser: 0 }, problem: 'sessionsPerUser must be a whole number' },
])('embedders are told: $problem', async ({ options, problem }) => {
  await expect(startSite(options)).rejects.toThrow(problem)
})
