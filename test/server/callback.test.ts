import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { codes } from '../../src/storage/records/code.ts'
import { flows, upstreamStates } from '../../src/storage/records/flow.ts'
import { sessions } from '../../src/storage/records/session.ts'
import type { Browser, Page } from '../helpers/browser.ts'
import { type EmulatedGitHub, findTokens, startGitHub } from '../helpers/github.ts'
import { answerOf, hiddenOf, type Site, startSite, takeStep } from '../helpers/site.ts'
import { verifiesThat } from '../verifies.ts'

const issuer = 'https://mcp.example.com'
let github: EmulatedGitHub
let site: Site
beforeAll(async () => {
  github = await startGitHub([`${issuer}/callback/github`])
})
afterAll(() => github.close())
beforeEach(async () => {
  github.received.length = 0
  github.isDown = false
  site = await startSite({ upstreams: [github.upstream()] })
})
afterEach(() => site.close())

/** Approves and goes to GitHub. Returns the address there. */
async function leave(browser: Browser, extra?: Record<string, string | undefined>): Promise<URL> {
  const approve = await browser.open(site.authorizeUrl(extra))
  return (await takeStep(browser, approve)).url
}

/** Approves, signs in at GitHub, and returns the callback that GitHub wants opened. */
async function travel(browser: Browser, login = 'octocat'): Promise<URL> {
  return github.signIn(await leave(browser), login)
}

describe('leaving for the provider', () => {
  verifiesThat(
    'H4',
    'nothing of the upstream is made or contacted before (CN-01, CN-03)',
    async () => {
      const browser = site.browser()
      const approve = await browser.open(site.authorizeUrl())
      expect(approve.status).toBe(200)
      expect([...browser.cookies.keys()].some((name) => name.includes('trip'))).toBe(false)
      expect(await upstreamStates.list(site.gatehouse.context.store)).toEqual([])
      const away = await takeStep(browser, approve)
      expect(away.url.origin).toBe(github.origin)
      expect([...browser.cookies.keys()]).toContain('__Host-gatehouse-trip')
    },
  )

  verifiesThat('D59', 'whoever signed in for another client is asked again (CN-01)', async () => {
    const browser = site.browser()
    await takeStep(browser, await browser.open(await travel(browser)))
    const page = await browser.open(site.authorizeUrl())
    expect(page.status).toBe(200)
    expect(page.text).toContain('octocat')
  })

  it('sends an opaque state of ours, never the request (AZ-15)', async () => {
    const url = await leave(site.browser(), { state: 'x'.repeat(1000) })
    expect(url.searchParams.get('state')).toMatch(/^[\w-]{43}$/)
    expect(url.searchParams.get('redirect_uri')).toBe(`${issuer}/callback/github`)
    expect(url.href).not.toContain('client.example')
  })
})

describe('the callback', () => {
  verifiesThat('H3', 'and the person confirms as whom', async () => {
    const browser = site.browser()
    const confirm = await browser.open(await travel(browser), { 'sec-fetch-site': 'cross-site' })
    expect(confirm.text).toContain('Signed in as')
    expect(confirm.text).toContain('octocat')
    expect(await codes.list(site.gatehouse.context.store)).toEqual([])
    const back = await takeStep(browser, confirm)
    expect(await site.findGrantedScope(back)).toBe('notes:read')
  })

  it('in another browser is refused, and its code is not exchanged (CN-02, UP-01)', async () => {
    const browser = site.browser()
    const callback = await travel(browser)
    const elsewhere = site.browser()
    const waiting = site.browser()
    await leave(waiting)
    for (const victim of [elsewhere, waiting]) {
      const page = await victim.open(callback)
      expect(page.status).toBe(400)
      expect(page.text).toContain('another browser')
    }
    expect(github.received).toEqual([])
    expect((await browser.open(callback)).text).toContain('Confirm access')
  })

  it('needs the cookie of the trip as well as that of the flow (CN-02, CN-03)', async () => {
    const browser = site.browser()
    const callback = await travel(browser)
    const cookie = browser.cookies.get('__Host-gatehouse-trip') ?? ''
    for (const other of [undefined, 'A'.repeat(43)]) {
      browser.cookies.delete('__Host-gatehouse-trip')
      if (other !== undefined) browser.cookies.set('__Host-gatehouse-trip', other)
      expect((await browser.open(callback)).status).toBe(400)
    }
    expect(github.received).toEqual([])
    browser.cookies.set('__Host-gatehouse-trip', cookie)
    expect((await browser.open(callback)).text).toContain('Confirm access')
  })

  it('works once (UP-01)', async () => {
    const browser = site.browser()
    const callback = await travel(browser)
    const pages = await Promise.all([1, 2, 3].map(() => browser.open(callback)))
    expect(pages.filter(({ text }) => text.includes('Confirm access'))).toHaveLength(1)
    const again = await browser.open(callback)
    expect(again.status).toBe(400)
    expect(again.text).toContain('was already answered')
    expect(findTokens(github)).toHaveLength(1)
  })

  const strays = [
    '',
    '?code=x',
    '?state=',
    '?state=made-up&code=x',
    '?error=access_denied',
    '?state=%00',
  ]
  it.each(strays)('with no state of ours is a page: %j (UP-04)', async (query) => {
    const browser = site.browser()
    await leave(browser)
    const page = await browser.open(`${issuer}/callback/github${query}`)
    expect(page.status).toBe(400)
    expect(page.headers.get('location')).toBeNull()
    expect(github.received).toEqual([])
  })

  it('never shows what the provider or a forger wrote (UP-04)', async () => {
    const browser = site.browser()
    const state = (await leave(browser)).searchParams.get('state') ?? ''
    const query = new URLSearchParams({
      state,
      error: 'call 555-1234',
      error_description: 'Your account is locked, visit evil.example',
    })
    const page = await browser.open(`${issuer}/callback/github?${query}`)
    expect(page.status).toBe(502)
    expect(page.text).not.toMatch(/555-1234|evil\.example|locked/)
    expect(JSON.stringify([site.log.lines, site.audit])).not.toMatch(/555-1234|evil\.example/)
  })

  it('at the path of another provider is refused (UP-03)', async () => {
    await site.close()
    const twin = { ...github.upstream(), id: 'ghes', label: 'GitHub Enterprise' }
    site = await startSite({ upstreams: [github.upstream(), twin] })
    const browser = site.browser()
    const choose = await takeStep(browser, await browser.open(site.authorizeUrl()))
    expect(choose.text).toContain('Continue with GitHub Enterprise')
    const away = await browser.press(choose, 'upstream', 'github')
    const callback = await github.signIn(away.url, 'octocat')
    const page = await browser.open(callback.href.replace('/callback/github', '/callback/ghes'))
    expect(page.status).toBe(400)
    expect(github.received).toEqual([])
    expect((await browser.open(`${issuer}/callback/nobody`)).status).toBe(404)
  })

  it('after ten minutes is a page that says so (UP-25)', async () => {
    const browser = site.browser()
    const callback = await travel(browser)
    site.clock.advance(600)
    const page = await browser.open(callback)
    expect(page.status).toBe(400)
    expect(page.text).toContain('it has expired')
    expect(github.received).toEqual([])
  })

  it('in two tabs at once signs both in (CN-08)', async () => {
    const browser = site.browser()
    const [first, second] = [await travel(browser), await travel(browser)]
    for (const callback of [first, second]) {
      const confirm = await browser.open(callback)
      expect(confirm.text).toContain('Confirm access')
      expect((await takeStep(browser, confirm)).url.searchParams.has('code')).toBe(true)
    }
  })
})

describe('what can go wrong at the provider', () => {
  const retry = (browser: Browser, page: Page) =>
    browser.open(
      issuer + (/href="(\/consent\?flow=[^"]+)"/.exec(page.text)?.[1] ?? '/nothing-to-retry'),
    )

  verifiesThat('R3', 'the person says no, and the client is told', async () => {
    const browser = site.browser()
    const state = (await leave(browser)).searchParams.get('state') ?? ''
    const back = await browser.open(`${issuer}/callback/github?error=access_denied&state=${state}`)
    const answer = answerOf(back.url).filter(([name]) => name !== 'error_description')
    expect(answer.sort(([a], [b]) => (a < b ? -1 : 1))).toEqual([
      ['error', 'access_denied'],
      ['iss', issuer],
      ['state', 'state-123'],
    ])
    expect(await flows.list(site.gatehouse.context.store)).toEqual([])
  })

  verifiesThat(
    'R3',
    'it is away: a page that can be retried, then it works (P5, UP-13)',
    async () => {
      const browser = site.browser()
      const callback = await travel(browser)
      github.isDown = true
      const page = await browser.open(callback)
      expect(page.status).toBe(503)
      expect(page.headers.get('retry-after')).toBe('2')
      expect(page.text).toContain('does not answer')
      expect(await sessions.list(site.gatehouse.context.store)).toEqual([])
      github.isDown = false
      const choose = await retry(browser, page)
      expect(choose.url.pathname).toBe('/sign-in')
      const away = await browser.press(choose, 'upstream', 'github')
      const confirm = await browser.open(await github.signIn(away.url, 'octocat'))
      expect((await takeStep(browser, confirm)).url.searchParams.has('code')).toBe(true)
    },
  )

  it('its code has expired: a page that can be retried, not a denial by the person', async () => {
    const browser = site.browser()
    const callback = await travel(browser)
    callback.searchParams.set('code', 'of-yesterday')
    const page = await browser.open(callback)
    expect(page.status).toBe(403)
    expect(page.text).toContain('did not confirm who you are')
    expect((await retry(browser, page)).url.pathname).toBe('/sign-in')
  })

  verifiesThat('R3', 'the account is not on the list: a page that names it', async () => {
    await site.close()
    site = await startSite({ upstreams: [github.upstream({ allowedLogins: ['octocat'] })] })
    const browser = site.browser()
    const page = await browser.open(await travel(browser, 'hubot'))
    expect(page.status).toBe(403)
    expect(page.text).toContain('hubot (hubot@example.com) at GitHub may not sign in here')
    expect(await sessions.list(site.gatehouse.context.store)).toEqual([])
    expect(await site.gatehouse.context.users.any()).toBe(false)
    const choose = await retry(browser, page)
    const away = await browser.press(choose, 'upstream', 'github')
    const confirm = await browser.open(await github.signIn(away.url, 'octocat'))
    expect(confirm.text).toContain('Confirm access')
  })

  it('it does not know us: the owner is told, the person that it is not their fault', async () => {
    await site.close()
    site = await startSite({ upstreams: [github.upstream({ clientSecret: 'a-wrong-secret' })] })
    const browser = site.browser()
    const page = await browser.open(await travel(browser))
    expect(page.status).toBe(502)
    expect(page.text).toContain('not set up right')
    expect(site.audit).toContainEqual(
      expect.objectContaining({ event: 'sign-in.failed', reason: 'upstream_misconfigured' }),
    )
    expect(JSON.stringify([site.log.lines, site.audit])).not.toContain('a-wrong-secret')
  })

  it('a password is no way in where there is none', async () => {
    const browser = site.browser()
    await leave(browser)
    const [flow] = await flows.list(site.gatehouse.context.store)
    const page = await browser.open(`${issuer}/sign-in?flow=${flow?.value.id}`)
    expect(page.text).not.toContain('type="password"')
    const hidden = hiddenOf(page, 'upstream', 'github')
    const fields = Object.entries({
      ...hidden,
      email: 'ada@example.com',
      password: 'correct horse',
    })
    expect((await browser.post(`${issuer}/sign-in`, fields)).status).toBe(400)
  })
})
