import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codes } from '../../src/storage/records/code.ts'
import { flows } from '../../src/storage/records/flow.ts'
import { registerClient } from '../helpers/oauth-client.ts'
import {
  answerOf,
  bob,
  findOnlyFlow,
  hiddenOf,
  preregister,
  type Site,
  startSite,
  tamperClient,
  tamperFlow,
} from '../helpers/site.ts'
import { verifiesThat } from '../verifies.ts'

let site: Site
beforeEach(async () => {
  site = await startSite()
})
afterEach(() => site.close())

const both = { scope: 'notes:read notes:write offline_access' }

describe('what the person sees', () => {
  verifiesThat('A3', 'as it is configured', async () => {
    const page = await site.walk(site.browser(), 'approve', both)
    expect(page.text).toContain('Read your notes')
    expect(page.text).toContain('Change your notes')
    expect(page.text).not.toContain('value="offline_access"')
  })

  verifiesThat('X3', 'who asks, where the code goes, for what, and Deny (CN-12)', async () => {
    const { text } = await site.walk(site.browser(), 'approve')
    for (const part of [
      'Test client',
      'not verified',
      'client.example',
      'Deny',
      'Read your notes',
    ]) {
      expect(text).toContain(part)
    }
  })

  it.each([
    ['https://chatgpt.com/connector/oauth/AbC123', true],
    ['https://chatgpt.com:8443/connector/oauth/AbC123', false],
    ['https://chatgpt.com.example/connector/oauth/AbC123', false],
  ])(
    'whether %s is the site of a known client, whatever the name (CN-12)',
    async (uri, isKnown) => {
      const client = await registerClient(site.send, { redirect_uris: [uri] })
      const page = await site.browser().open(site.authorizeUrl({}, client))
      expect(page.text.includes('ChatGPT’s own site')).toBe(isKnown)
    },
  )

  verifiesThat('H4', 'before and after the sign-in, each with its own page', async () => {
    const browser = site.browser()
    const approve = await site.walk(browser, 'approve')
    expect(approve.text).not.toContain('Signed in as')
    const confirm = await site.walk(browser, 'confirm')
    expect(confirm.text).toContain('Signed in as')
    expect(confirm.text).toContain('ada@example.com')
    expect(await codes.list(site.gatehouse.context.store)).toEqual([])
  })

  it('is one page for whoever is signed in, with the account on it (H4)', async () => {
    const browser = await site.signedIn()
    const page = await browser.open(site.authorizeUrl())
    expect(page.text).toContain('ada@example.com')
    const back = await browser.press(page, 'decision', 'allow')
    expect(back.url.searchParams.get('code')).toMatch(/./)
  })

  const natives = ['http://127.0.0.1:4000/cb', 'com.example.app:/callback']
  it.each(natives)('always appears for an address on this device: %s (CN-21)', async (uri) => {
    const browser = await site.signedIn()
    const client = await registerClient(site.send, { redirect_uris: [uri] })
    for (const attempt of [1, 2]) {
      const page = await browser.open(site.authorizeUrl({}, client), { 'sec-fetch-site': 'none' })
      expect(page.status, `attempt ${attempt}`).toBe(200)
      expect(page.text).not.toContain('name="remember"')
      const fields = Object.entries({
        ...hiddenOf(page),
        decision: 'allow',
        scope: 'notes:read',
        remember: 'yes',
      })
      const back = await browser.post(`${site.issuer}/consent`, fields)
      expect(back.url.href.startsWith(uri)).toBe(true)
      expect(back.url.searchParams.get('code')).toMatch(/./)
    }
  })
})

describe('the boxes', () => {
  const allow = async (ticked: string[]) => {
    const browser = await site.signedIn()
    const page = await browser.open(site.authorizeUrl(both))
    const fields: [string, string][] = Object.entries({ ...hiddenOf(page), decision: 'allow' })
    const scopes = ticked.map((scope): [string, string] => ['scope', scope])
    return browser.post(`${site.issuer}/consent`, [
      ...fields.filter(([name]) => name !== 'scope'),
      ...scopes,
    ])
  }

  it('left ticked are granted, the others are not (X3)', async () => {
    expect(await site.findGrantedScope(await allow(['notes:write']))).toBe(
      'notes:write offline_access',
    )
  })

  it('that were never shown mean nothing (AZ-16)', async () => {
    const back = await allow(['notes:read', 'admin', 'notes:delete'])
    expect(await site.findGrantedScope(back)).toBe('notes:read offline_access')
  })

  it('all unticked are a page that says so and leads back, and the flow goes on', async () => {
    const page = await allow([])
    expect(page.status).toBe(400)
    expect(page.text).toContain('Nothing was ticked')
    expect(page.text).toMatch(/href="\/consent\?flow=[\w-]{22}"/)
    expect(await flows.list(site.gatehouse.context.store)).toHaveLength(1)
  })

  it('unticked before the sign-in stay so after it', async () => {
    const browser = site.browser()
    const approve = await site.walk(browser, 'approve', both)
    const hidden = { ...hiddenOf(approve), decision: 'allow', scope: 'notes:write' }
    const signIn = await browser.post(`${site.issuer}/consent`, Object.entries(hidden))
    const confirm = await browser.press(signIn, '', '', {
      email: 'ada@example.com',
      password: 'correct horse battery',
    })
    expect(confirm.text).not.toContain('Read your notes')
    const widened = Object.entries({ ...hiddenOf(confirm), decision: 'allow', scope: 'notes:read' })
    const back = await browser.post(`${site.issuer}/consent`, widened)
    expect(await site.findGrantedScope(back)).toBe('notes:write offline_access')
  })
})

describe('Deny', () => {
  it.each(['approve', 'sign-in', 'confirm'] as const)(
    'goes back from %s with state and iss (D8, AZ-21)',
    async (stop) => {
      const browser = site.browser()
      const page = await site.walk(browser, stop)
      const back = await browser.press(page, 'decision', 'deny')
      const answer = answerOf(back.url).filter(([name]) => name !== 'error_description')
      expect(answer.sort(([a], [b]) => (a < b ? -1 : 1))).toEqual([
        ['error', 'access_denied'],
        ['iss', site.issuer],
        ['state', 'state-123'],
      ])
      expect(back.url.origin).toBe('https://client.example')
      expect(
        (await browser.open(`${site.issuer}/consent?flow=${hiddenOf(page).flow}`)).status,
      ).toBe(400)
      expect(await codes.list(site.gatehouse.context.store)).toEqual([])
    },
  )

  it('ends the flow once, whatever else is pressed at the same time (SG-01)', async () => {
    const browser = await site.signedIn()
    const page = await browser.open(site.authorizeUrl())
    const press = (decision: string) => browser.press(page, 'decision', decision)
    const pages = await Promise.all([press('allow'), press('deny'), press('allow'), press('deny')])
    expect(pages.filter((each) => each.status === 0)).toHaveLength(1)
    expect(pages.filter((each) => each.status === 400)).toHaveLength(3)
  })
})

describe('another account', () => {
  it('can be chosen; the old session is over and its code never comes', async () => {
    await site.gatehouse.context.users.addLocal(bob.email, bob.password, 'user')
    const browser = await site.signedIn()
    const page = await browser.open(site.authorizeUrl())
    const old = new Map(browser.cookies)
    const approve = await browser.press(page, 'decision', 'switch')
    expect(approve.text).not.toContain('ada@example.com')
    const signIn = await browser.press(approve, 'decision', 'allow')
    expect(signIn.url.pathname).toBe('/sign-in')
    const confirm = await browser.press(signIn, '', '', bob)
    expect(confirm.text).toContain('bob@example.com')
    expect((await browser.press(confirm, 'decision', 'allow')).url.searchParams.has('code')).toBe(
      true,
    )
    const ended = site.audit.find(({ event }) => event === 'sign-out')
    expect(ended).toMatchObject({ userId: site.ownerId })
    const session = old.get('__Host-gatehouse-session')
    expect(await site.gatehouse.context.sessions.find(session)).toBeUndefined()
  })

  it('signed in since the page was shown: nothing is counted, and the page is shown anew (CN-19)', async () => {
    const { users, sessions } = site.gatehouse.context
    const other = await users.addLocal(bob.email, bob.password, 'user')
    const browser = await site.signedIn()
    const page = await browser.open(site.authorizeUrl())
    browser.cookies.set('__Host-gatehouse-session', await sessions.open(other.record.value.id))
    const refused = await browser.press(page, 'decision', 'allow')
    expect(refused.status).toBe(403)
    const again = /href="(\/consent\?flow=[^"]+)"/.exec(refused.text)?.[1] ?? ''
    expect((await browser.open(site.issuer + again)).text).toContain('bob@example.com')
  })
})

describe('what changed in between', () => {
  it.each(['approve', 'sign-in', 'confirm'] as const)(
    'a client removed at %s gets nothing, the person a page',
    async (stop) => {
      const browser = site.browser()
      const page = await site.walk(browser, stop)
      await tamperClient(site, site.client.client_id)
      const shown = await browser.open(page.url)
      expect(shown.status).toBe(400)
      expect(shown.text).toContain('Client Not Registered')
      for (const decision of ['allow', 'deny']) {
        if (stop === 'sign-in' && decision === 'allow') continue
        const answer = await browser.press(page, 'decision', decision)
        expect(answer.url.origin, decision).toBe(site.issuer)
      }
      expect(await codes.list(site.gatehouse.context.store)).toEqual([])
    },
  )

  it.each(['allow', 'deny'])(
    'a redirect URI that is no longer registered gets nothing on %s (AZ-03, CN-16)',
    async (decision) => {
      const browser = site.browser()
      const page = await site.walk(browser, 'confirm')
      await tamperClient(site, site.client.client_id, {
        redirect_uris: ['https://elsewhere.example/cb'],
      })
      const answer = await browser.press(page, 'decision', decision)
      expect(answer.status).toBe(400)
      expect(answer.url.origin).toBe(site.issuer)
      expect(await codes.list(site.gatehouse.context.store)).toEqual([])
    },
  )

  it.each([
    'https://evil.example/cb',
    'javascript:alert(1)',
    'https://client.example/callback/../x',
  ])(
    'a stored redirect URI that is not registered is not followed: %s (AZ-03)',
    async (redirectUri) => {
      const browser = site.browser()
      const page = await site.walk(browser, 'confirm')
      await tamperFlow(site, { redirectUri })
      const answer = await browser.press(page, 'decision', 'allow')
      expect(answer.status).toBe(400)
      expect(answer.text).not.toContain('href="javascript:')
    },
  )

  it('what a form claims about the request is not believed (AZ-03, AZ-25)', async () => {
    const browser = site.browser()
    const page = await site.walk(browser, 'approve')
    const claims = {
      redirect_uri: 'https://evil.example/',
      client_id: 'x',
      step: 'confirm',
      userId: site.ownerId,
      postLogin: 'true',
    }
    const fields = { ...hiddenOf(page), ...claims, decision: 'allow', scope: 'notes:read' }
    const next = await browser.post(`${site.issuer}/consent`, Object.entries(fields))
    expect(next.url.pathname).toBe('/sign-in')
    expect((await findOnlyFlow(site)).value).toMatchObject({
      step: 'sign-in',
      redirectUri: 'https://client.example/callback',
    })
  })

  it('an honest pre-registered client is told of a denial by the same way', async () => {
    const client = await preregister(site, ['https://house.example/cb'])
    const browser = site.browser()
    const page = await browser.open(site.authorizeUrl({}, client))
    const back = await browser.press(page, 'decision', 'deny')
    expect(back.url.host).toBe('house.example')
  })
})
