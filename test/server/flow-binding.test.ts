/** A flow belongs to one browser, one step and one person: everything that tries otherwise. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codes } from '../../src/storage/records/code.ts'
import type { Browser, Page } from '../helpers/browser.ts'
import { registerClient } from '../helpers/oauth-client.ts'
import { ada, findOnlyFlow, hiddenOf, type Site, startSite, takeStep } from '../helpers/site.ts'
import { verifiesThat } from '../verifies.ts'

let site: Site
beforeEach(async () => {
  site = await startSite()
})
afterEach(() => site.close())

const consentUrl = () => `${site.issuer}/consent`
const allowFields = (page: Page) =>
  Object.entries({ ...hiddenOf(page), decision: 'allow', scope: 'notes:read' })
const countCodes = async () => (await codes.list(site.gatehouse.context.store)).length

describe('a flow', () => {
  verifiesThat(
    'X3',
    'no other browser can look at it or go on with it (AZ-24, EN-10)',
    async () => {
      const page = await site.walk(site.browser(), 'approve')
      for (const other of [site.browser(), await site.signedIn()]) {
        const before = await countCodes()
        const shown = await other.open(page.url)
        expect(shown.status).toBe(400)
        expect(shown.text).toContain('This began in another browser')
        expect((await other.post(consentUrl(), allowFields(page))).status).toBe(400)
        expect(await countCodes()).toBe(before)
      }
      expect((await findOnlyFlow(site)).value.step).toBe('approve')
    },
  )

  it('knows its browser by the value of the cookie, not by its name (AZ-24)', async () => {
    const page = await site.walk(site.browser(), 'approve')
    const forger = site.browser()
    const id = page.url.searchParams.get('flow')
    forger.cookies.set(`__Host-gatehouse-flow-${id}`, 'A'.repeat(43))
    const shown = await forger.open(page.url)
    expect(shown.status).toBe(400)
    expect(shown.text).toContain('This began in another browser')
  })

  it('cannot be continued with the id alone, or with a made-up one (AZ-24)', async () => {
    const browser = site.browser()
    await site.walk(browser, 'approve')
    for (const flow of ['', 'x', 'A'.repeat(22), '../client/x', '%00']) {
      const page = await browser.open(`${consentUrl()}?flow=${flow}`)
      expect(page.status).toBe(400)
      expect(page.text).toContain('connect again')
    }
  })

  it('ends with its answer: nothing of it can be replayed (AZ-24)', async () => {
    const browser = site.browser()
    const pages = [await site.walk(browser, 'approve')]
    for (let i = 0; i < 3; i += 1) pages.push(await takeStep(browser, pages.at(-1) as Page))
    expect(await countCodes()).toBe(1)
    for (const page of pages.slice(0, 3)) {
      expect((await browser.open(page.url)).status).toBe(400)
      const again = await browser.post(page.url, [...allowFields(page), ...Object.entries(ada)])
      expect(again.status).toBe(400)
    }
    expect(await countCodes()).toBe(1)
  })

  it('gives one code to a form that is sent ten times at once (SG-01)', async () => {
    const browser = site.browser()
    const page = await site.walk(browser, 'confirm')
    const pages = await Promise.all(
      Array.from({ length: 10 }, () => browser.press(page, 'decision', 'allow')),
    )
    expect(pages.filter(({ status }) => status === 0)).toHaveLength(1)
    expect(pages.filter(({ status }) => status === 400)).toHaveLength(9)
    expect(await countCodes()).toBe(1)
  })

  it.each(['approve', 'sign-in', 'confirm'] as const)(
    'is over after ten minutes, at %s (AZ-24, UP-25)',
    async (stop) => {
      const browser = site.browser()
      const page = await site.walk(browser, stop)
      site.clock.advance(600)
      const late = await takeStep(browser, page)
      expect(late.status).toBe(400)
      expect(late.text).toContain('it has expired')
      expect(late.text).toContain('connect again')
    },
  )
})

describe('steps', () => {
  it('cannot be skipped by posting to where they end (AZ-25, AZ-26)', async () => {
    const browser = site.browser()
    const approve = await site.walk(browser, 'approve', { scope: 'notes:read notes:write' })
    const early = await browser.post(`${site.issuer}/sign-in`, [
      ...Object.entries(hiddenOf(approve)),
      ...Object.entries(ada),
    ])
    expect(early.text).toContain('Connect an app')
    const signIn = await browser.press(early, 'decision', 'allow')
    expect(signIn.url.pathname).toBe('/sign-in')
    const skipping = await browser.post(consentUrl(), allowFields(signIn))
    expect(skipping.url.pathname).toBe('/sign-in')
    expect(await countCodes()).toBe(0)
    expect((await findOnlyFlow(site)).value).toMatchObject({
      step: 'sign-in',
      approvedScope: 'notes:read notes:write',
    })
  })

  it('show what is next wherever the browser looks', async () => {
    const browser = site.browser()
    const { url } = await site.walk(browser, 'approve')
    const flow = url.searchParams.get('flow')
    expect((await browser.open(`${site.issuer}/sign-in?flow=${flow}`)).url.pathname).toBe(
      '/consent',
    )
    await site.walk(browser, 'sign-in')
  })
})

describe('the form token', () => {
  const tamper = async (browser: Browser, page: Page, csrf: string | undefined) => {
    const { csrf: _, ...rest } = Object.fromEntries(allowFields(page))
    return browser.post(consentUrl(), Object.entries(csrf === undefined ? rest : { ...rest, csrf }))
  }

  it('must be there and be that of this page (CN-05)', async () => {
    const browser = site.browser()
    const page = await site.walk(browser, 'confirm')
    for (const csrf of [undefined, 'x', hiddenOf(page).csrf?.replace(/.$/, '')]) {
      expect((await tamper(browser, page, csrf)).status).toBe(403)
    }
    expect(await countCodes()).toBe(0)
  })

  it('of the step before is none, though nobody has signed in since (CN-05)', async () => {
    const browser = site.browser()
    const approve = await site.walk(browser, 'approve')
    await takeStep(browser, approve)
    const fields = Object.entries({ ...hiddenOf(approve), ...ada })
    expect((await browser.post(`${site.issuer}/sign-in`, fields)).status).toBe(403)
  })

  it('of another flow, step or browser is none (CN-05)', async () => {
    const browser = site.browser()
    const elsewhere = await site.walk(site.browser(), 'confirm')
    const approve = await site.walk(browser, 'approve')
    const earlier = await takeStep(browser, approve)
    const confirm = await takeStep(browser, earlier)
    const otherTab = await browser.open(site.authorizeUrl())
    for (const page of [elsewhere, earlier, otherTab]) {
      expect((await tamper(browser, confirm, hiddenOf(page).csrf)).status).toBe(403)
    }
    const taken = await tamper(browser, confirm, hiddenOf(approve).csrf)
    expect(taken.text).toContain('<title>Confirm access')
    expect(await countCodes()).toBe(0)
    expect((await tamper(browser, confirm, hiddenOf(confirm).csrf)).status).toBe(0)
  })
})

describe('a form from another site', () => {
  const crossSite: [string, Record<string, string>][] = [
    ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }],
    ['a foreign Origin', { 'sec-fetch-site': '', origin: 'https://evil.example' }],
    [
      'our Origin on another port',
      { 'sec-fetch-site': '', origin: 'https://mcp.example.com:8443' },
    ],
  ]
  it.each(crossSite)('is refused: %s (CN-05)', async (_, headers) => {
    const browser = site.browser()
    const confirm = await site.walk(browser, 'confirm')
    const page = await browser.post(consentUrl(), allowFields(confirm), headers)
    expect(page.status).toBe(403)
    expect(page.text).toContain('This answer did not come from here')
    expect(await countCodes()).toBe(0)
  })

  const ownSite: [string, Record<string, string>][] = [
    [
      'same-origin although the origin is withheld',
      { 'sec-fetch-site': 'same-origin', origin: 'null' },
    ],
    ['no Sec-Fetch-Site, our Origin', { 'sec-fetch-site': '', origin: 'https://mcp.example.com' }],
    ['an old browser that says nothing', { 'sec-fetch-site': '' }],
  ]
  it.each(ownSite)('is told from one of our own: %s', async (_, headers) => {
    const browser = site.browser()
    const confirm = await site.walk(browser, 'confirm')
    expect((await browser.post(consentUrl(), allowFields(confirm), headers)).status).toBe(0)
  })

  const types = [
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/json',
    'application/x-www-form-urlencoded2',
    '',
  ]
  it.each(types)('cannot dodge the check by its content type: %j (CN-06)', async (type) => {
    const browser = site.browser()
    const confirm = await site.walk(browser, 'confirm')
    const page = await browser.post(consentUrl(), allowFields(confirm), { 'content-type': type })
    expect(page.status).toBe(415)
    const odd = { 'content-type': 'Application/X-WWW-Form-URLencoded; charset=UTF-8' }
    expect((await browser.post(consentUrl(), [], odd)).status).toBe(400)
    expect((await browser.post(consentUrl(), allowFields(confirm), odd)).status).toBe(0)
  })
})

describe('two tabs', () => {
  it('opened at once in a new browser can both be finished (CN-08)', async () => {
    const browser = site.browser()
    const opened = await Promise.all([1, 2].map(() => browser.open(site.authorizeUrl())))
    for (const approve of opened) {
      let page = approve
      for (let i = 0; i < 3 && page.status === 200; i += 1) page = await takeStep(browser, page)
      expect(page.url.searchParams.get('code')).toMatch(/./)
    }
  })

  it.each(['approve', 'sign-in'] as const)(
    'go on from %s when the other has signed in meanwhile (CN-08)',
    async (stop) => {
      const browser = site.browser()
      const waiting = await site.walk(browser, stop)
      await site.walk(browser, 'client')
      const confirm = await takeStep(browser, waiting)
      expect(confirm.status).toBe(200)
      expect(confirm.text).toContain('Confirm access')
      expect(confirm.text).toContain('ada@example.com')
      expect((await takeStep(browser, confirm)).url.searchParams.get('code')).toMatch(/./)
    },
  )

  it('of a client that nobody has connected yet are answered at the same moment (SG-17)', async () => {
    const client = await registerClient(site.send)
    const browser = await site.signedIn()
    const pages = []
    for (let i = 0; i < 5; i += 1) pages.push(await browser.open(site.authorizeUrl({}, client)))
    const backs = await Promise.all(pages.map((page) => takeStep(browser, page)))
    const given = new Set(backs.map(({ url }) => url.searchParams.get('code')))
    expect(given.size).toBe(5)
    expect(given.has(null)).toBe(false)
  })

  it('leave a bounded number of cookies behind (EN-09)', async () => {
    const browser = site.browser()
    for (let i = 0; i < 30; i += 1) await browser.open(site.authorizeUrl())
    expect(browser.cookies.size).toBeLessThanOrEqual(11)
    const newest = await browser.open(site.authorizeUrl())
    expect((await takeStep(browser, newest)).url.pathname).toBe('/sign-in')
  })

  it('do not step on each other: one step is taken once', async () => {
    const browser = site.browser()
    const page = await site.walk(browser, 'approve')
    const both = await Promise.all([1, 2].map(() => browser.press(page, 'decision', 'allow')))
    expect(both.map(({ url, status }) => `${url.pathname} ${status}`)).toContain('/sign-in 200')
    expect(both.every(({ status }) => status === 200 || status === 400)).toBe(true)
  })
})
