import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLimits } from '../../src/operate/limits.ts'
import { sessions, userSessions } from '../../src/storage/records/session.ts'
import type { Page } from '../helpers/browser.ts'
import { ada, hiddenOf, type Site, startSite } from '../helpers/site.ts'
import { verifiesThat } from '../verifies.ts'

let site: Site
beforeEach(async () => {
  site = await startSite()
})
afterEach(() => site.close())

/** What the page tells: everything but the values of its hidden fields and of what was typed. */
const wordsOf = (page: Page) => page.text.replace(/value="[^"]*"/g, '')

describe('signing in', () => {
  it('costs a wrong password and an unknown e-mail the same words, and both may try again', async () => {
    const browser = site.browser()
    const page = await site.walk(browser, 'sign-in')
    const wrong = await browser.press(page, '', '', { ...ada, password: 'not this one' })
    const unknown = await browser.press(page, '', '', { ...ada, email: 'nobody@example.com' })
    const nothing = await browser.press(page, '', '', { email: '', password: '' })
    for (const each of [wrong, unknown, nothing]) {
      expect(each.status).toBe(400)
      expect(each.text).toContain('The e-mail or the password is wrong')
      expect(wordsOf(each)).toBe(wordsOf(wrong))
      expect(each.headers.get('set-cookie')).toBeNull()
    }
    expect(wrong.text).toContain('value="ada@example.com"')
    expect(wrong.text).not.toContain('not this one')
    expect((await browser.press(wrong, '', '', ada)).text).toContain('Confirm access')
  })

  it('is a line in the audit log either way, without what was typed (OP-04)', async () => {
    const browser = site.browser()
    const page = await site.walk(browser, 'sign-in')
    const wrong = await browser.press(page, '', '', { ...ada, password: 'not this one' })
    await browser.press(wrong, '', '', ada)
    const events = site.audit.filter(({ event }) => event.startsWith('sign-in'))
    expect(events).toMatchObject([
      { event: 'sign-in.failed', outcome: 'refused', reason: 'wrong_credentials' },
      { event: 'sign-in.succeeded', outcome: 'ok', userId: site.ownerId },
    ])
    expect(JSON.stringify(site.audit)).not.toMatch(/not this one|correct horse/)
  })

  it('names whom it is for, never by a bare claim (CN-12)', async () => {
    const page = await site.walk(site.browser(), 'sign-in')
    expect(page.text).toContain('Test client (client.example)')
  })

  it('knows no provider that is not there', async () => {
    const browser = site.browser()
    const page = await site.walk(browser, 'sign-in')
    const hidden = Object.entries({ ...hiddenOf(page), upstream: 'github' })
    expect((await browser.post(`${site.issuer}/sign-in`, hidden)).status).toBe(400)
  })

  it('asks for its form token (CN-05)', async () => {
    const browser = site.browser()
    const page = await site.walk(browser, 'sign-in')
    const { csrf: _, ...rest } = hiddenOf(page)
    const refused = await browser.post(
      `${site.issuer}/sign-in`,
      Object.entries({ ...rest, ...ada }),
    )
    expect(refused.status).toBe(403)
    expect(await sessions.list(site.gatehouse.context.store)).toEqual([])
  })
})

describe('a session', () => {
  it('is a cookie that script, other hosts and plain http never see, for a day (EN-04, EN-05)', async () => {
    const browser = site.browser()
    const signIn = await site.walk(browser, 'sign-in')
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
    const answer = await site.send('/sign-in', {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' },
      body: new URLSearchParams({ ...hiddenOf(signIn), ...ada }).toString(),
    })
    expect(answer.status).toBe(303)
    const [line = ''] = answer.headers.getSetCookie().filter((each) => each.includes('session'))
    expect(line).toMatch(/^__Host-gatehouse-session=[\w-]{43}; /)
    expect(line.split('; ').slice(1).sort()).toEqual([
      'HttpOnly',
      'Max-Age=86400',
      'Path=/',
      'SameSite=Lax',
      'Secure',
    ])
  })

  verifiesThat('S6', 'the sixth ends the first', async () => {
    const browsers = []
    for (let i = 0; i < 6; i += 1) browsers.push(await site.signedIn())
    const pages = await Promise.all(browsers.map((browser) => browser.open(site.authorizeUrl())))
    const known = pages.map(({ text }) => text.includes('ada@example.com'))
    expect(known).toEqual([false, true, true, true, true, true])
    expect(await sessions.list(site.gatehouse.context.store)).toHaveLength(5)
  })

  verifiesThat('S6', 'it ends after a day', async () => {
    const browser = await site.signedIn()
    site.clock.advance(86_399)
    expect((await browser.open(site.authorizeUrl())).text).toContain('ada@example.com')
    site.clock.advance(1)
    expect((await browser.open(site.authorizeUrl())).text).not.toContain('ada@example.com')
  })

  it('takes the place of the one before it in the same browser', async () => {
    const browser = await site.signedIn()
    for (let i = 0; i < 3; i += 1) await site.walk(browser, 'client', { prompt: 'login' })
    expect(await sessions.list(site.gatehouse.context.store)).toHaveLength(1)
    const [listed] = await userSessions.list(site.gatehouse.context.store)
    expect(listed?.value.hashes).toHaveLength(1)
  })

  it('of a removed user is none', async () => {
    const browser = await site.signedIn()
    const page = await browser.open(site.authorizeUrl())
    await site.gatehouse.context.users.remove(site.ownerId)
    expect((await browser.press(page, 'decision', 'allow')).status).toBe(403)
    expect((await browser.open(site.authorizeUrl())).text).not.toContain('ada@example.com')
  })
})

describe('guessing passwords', () => {
  let limited: Site
  beforeEach(async () => {
    limited = await startSite({
      limits: createLimits({ overrides: { 'sign-in': { points: 3, seconds: 900 } } }),
    })
  })
  afterEach(() => limited.close())

  const guess = async (email: string, spelling = email) => {
    const browser = limited.browser()
    const page = await limited.walk(browser, 'sign-in')
    return browser.press(page, '', '', { email: spelling, password: 'guess' })
  }

  verifiesThat('X8', 'ends in a page with Retry-After, for this account only', async () => {
    const statuses = []
    for (const spelling of ['ada@example.com', 'ADA@example.com', ' ada@Example.com']) {
      statuses.push((await guess(ada.email, spelling)).status)
    }
    expect(statuses).toEqual([400, 400, 400])
    const stopped = await guess(ada.email)
    expect(stopped.status).toBe(429)
    expect(Number(stopped.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(stopped.text).toContain('Too many attempts')
    expect(limited.audit).toContainEqual(
      expect.objectContaining({ event: 'limit.reached', reason: 'limit_sign_in' }),
    )
    expect((await guess('bob@example.com')).status).toBe(400)
  })

  it('is the same for an account that does not exist', async () => {
    for (let i = 0; i < 3; i += 1) expect((await guess('nobody@example.com')).status).toBe(400)
    expect((await guess('nobody@example.com')).status).toBe(429)
  })

  it('all at once gains nothing', async () => {
    const pages = await Promise.all(Array.from({ length: 8 }, () => guess(ada.email)))
    expect(pages.filter(({ status }) => status === 400)).toHaveLength(3)
    expect(pages.filter(({ status }) => status === 429)).toHaveLength(5)
  })

  it('does not count against whoever gets it right', async () => {
    for (let i = 0; i < 5; i += 1) {
      expect((await guess(ada.email)).status).toBe(400)
      await limited.signedIn()
    }
    expect(await limited.gatehouse.context.users.any()).toBe(true)
  })
})
