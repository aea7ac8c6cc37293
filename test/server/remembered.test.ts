/** Remembered choices: when they spare the page, and everything that makes them ask again. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codes } from '../../src/storage/records/code.ts'
import { consents } from '../../src/storage/records/consent.ts'
import { flows } from '../../src/storage/records/flow.ts'
import { type Browser, findForm } from '../helpers/browser.ts'
import { type Registered, registerClient } from '../helpers/oauth-client.ts'
import { bob, hiddenOf, type Site, startSite, tamperClient } from '../helpers/site.ts'

let site: Site
let browser: Browser
beforeEach(async () => {
  site = await startSite()
  browser = await site.signedIn()
})
afterEach(() => site.close())

const itself = { 'sec-fetch-site': 'none' }

/** Allows and ticks "remember". */
async function remember(
  extra: Record<string, string | undefined> = {},
  client = site.client,
): Promise<void> {
  const page = await browser.open(site.authorizeUrl(extra, client))
  const { fields } = findForm(page, 'decision', 'allow')
  const ticked: [string, string][] = [...fields, ['decision', 'allow'], ['remember', 'yes']]
  expect((await browser.post(`${site.issuer}/consent`, ticked)).status).toBe(0)
}

/** Whether a request is answered with a code and without a page. */
async function isSpared(
  extra: Record<string, string | undefined> = {},
  headers: Record<string, string> = itself,
  client: Registered = site.client,
): Promise<boolean> {
  const page = await browser.open(site.authorizeUrl(extra, client), headers)
  return page.status === 0 && page.url.searchParams.has('code')
}

describe('a remembered choice', () => {
  it('is opt-in: without the tick the page comes again (CN-20)', async () => {
    const page = await browser.open(site.authorizeUrl(), itself)
    expect(page.text).toContain('name="remember"')
    expect(page.text).not.toMatch(/name="remember"[^>]* checked/)
    await browser.press(page, 'decision', 'allow')
    expect(await isSpared()).toBe(false)
  })

  it('spares the page, and the answer is complete', async () => {
    await remember()
    const back = await browser.open(site.authorizeUrl(), itself)
    expect(Object.fromEntries(back.url.searchParams)).toEqual({
      code: expect.stringMatching(/./),
      state: 'state-123',
      iss: site.issuer,
    })
    expect(await site.findGrantedScope(back)).toBe('notes:read')
    expect(await flows.list(site.gatehouse.context.store)).toEqual([])
  })

  const sites: [string, Record<string, string>][] = [
    ['cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['same-site', { 'sec-fetch-site': 'same-site' }],
    ['unknown', { 'sec-fetch-site': '' }],
    ['a prefetch', { 'sec-fetch-site': 'none', 'sec-purpose': 'prefetch;prerender' }],
  ]
  it.each(sites)('is not ridden by another website: %s (CN-04)', async (_, headers) => {
    await remember()
    const known = (await codes.list(site.gatehouse.context.store)).length
    expect(await isSpared({}, headers)).toBe(false)
    expect((await codes.list(site.gatehouse.context.store)).length).toBe(known)
  })

  it('costs HEAD nothing (AZ-23)', async () => {
    await remember()
    const known = (await codes.list(site.gatehouse.context.store)).length
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
    const answer = await site.send(site.authorizeUrl(), {
      method: 'HEAD',
      headers: { cookie, ...itself },
    })
    expect(answer.headers.get('location')).toBeNull()
    expect((await codes.list(site.gatehouse.context.store)).length).toBe(known)
  })

  it('holds for the same scopes or fewer, not for more (CN-13)', async () => {
    await remember({ scope: 'notes:read notes:write' })
    expect(await isSpared({ scope: 'notes:read' })).toBe(true)
    expect(await isSpared({ scope: 'notes:read notes:write' })).toBe(true)
    expect(await isSpared({ scope: 'notes:read notes:write offline_access' })).toBe(false)
  })

  it('does not widen what was left unticked (CN-13)', async () => {
    const page = await browser.open(site.authorizeUrl({ scope: 'notes:read notes:write' }))
    const fields = { ...hiddenOf(page), scope: 'notes:read', decision: 'allow', remember: 'yes' }
    await browser.post(`${site.issuer}/consent`, Object.entries(fields))
    expect(await isSpared({ scope: 'notes:read notes:write' })).toBe(false)
    expect(await isSpared({ scope: 'notes:read' })).toBe(true)
  })

  it('is for this redirect URI only (CN-13)', async () => {
    const uris = ['https://a.example/cb', 'https://b.example/cb']
    const client = await registerClient(site.send, { redirect_uris: uris })
    await remember({ redirect_uri: uris[0] }, client)
    expect(await isSpared({ redirect_uri: uris[0] }, itself, client)).toBe(true)
    expect(await isSpared({ redirect_uri: uris[1] }, itself, client)).toBe(false)
  })

  it('is for this client only, whatever another calls itself (CN-14)', async () => {
    await remember()
    const twin = await registerClient(site.send)
    expect(await isSpared({}, itself, twin)).toBe(false)
  })

  it('is for this person only (CN-14)', async () => {
    await remember()
    const { users, sessions } = site.gatehouse.context
    const other = await users.addLocal(bob.email, bob.password, 'user')
    browser.cookies.set('__Host-gatehouse-session', await sessions.open(other.record.value.id))
    expect(await isSpared()).toBe(false)
  })

  it('asks again once the client has changed (CN-13, CM-19)', async () => {
    await remember()
    await tamperClient(site, site.client.client_id, { client_name: 'Renamed' })
    expect(await isSpared()).toBe(false)
  })

  it('is never made for an address on this device, nor used if one were there (CN-21)', async () => {
    const uri = 'http://127.0.0.1:4000/cb'
    const client = await registerClient(site.send, { redirect_uris: [uri] })
    await remember({}, client)
    expect(await consents.list(site.gatehouse.context.store)).toEqual([])
    expect(await isSpared({}, itself, client)).toBe(false)
  })

  it('is forgotten after a year', async () => {
    await remember()
    site.clock.advance(365 * 86_400)
    browser = await site.signedIn()
    expect(await isSpared()).toBe(false)
  })
})

describe('prompt', () => {
  it('none with a remembered choice is answered without a page (AZ-05)', async () => {
    await remember()
    expect(await isSpared({ prompt: 'none' })).toBe(true)
  })

  it('none without one is refused, not shown, and issues nothing (AZ-05)', async () => {
    const client = await registerClient(site.send, { redirect_uris: ['http://localhost:4000/cb'] })
    const known = (await codes.list(site.gatehouse.context.store)).length
    const back = await browser.open(site.authorizeUrl({ prompt: 'none' }, client), itself)
    expect(back.url.searchParams.get('error')).toBe('interaction_required')
    expect(back.url.searchParams.getAll('iss')).toEqual([site.issuer])
    expect((await codes.list(site.gatehouse.context.store)).length).toBe(known)
    const crossSite = await browser.open(site.authorizeUrl({ prompt: 'none' }))
    expect(crossSite.status).toBe(400)
  })

  it('none together with a wish to be asked is refused', async () => {
    await remember()
    expect(await isSpared({ prompt: 'none login' })).toBe(false)
    expect(await isSpared({ prompt: 'none consent' })).toBe(false)
  })

  it('consent asks although the choice is remembered', async () => {
    await remember()
    const page = await browser.open(site.authorizeUrl({ prompt: 'consent' }), itself)
    expect(page.text).toContain('ada@example.com')
  })

  it.each(['login', 'select_account'])(
    '%s asks who it is although somebody is signed in',
    async (prompt) => {
      await remember()
      const before = browser.cookies.get('__Host-gatehouse-session')
      const page = await browser.open(site.authorizeUrl({ prompt }), itself)
      expect(page.text).not.toContain('ada@example.com')
      const signIn = await browser.press(page, 'decision', 'allow')
      expect(signIn.url.pathname).toBe('/sign-in')
      expect((await browser.open(`${site.issuer}/consent${signIn.url.search}`)).url.pathname).toBe(
        '/sign-in',
      )
      const confirm = await site.walk(browser, 'confirm', { prompt })
      expect(confirm.text).toContain('Confirm access')
      expect(browser.cookies.get('__Host-gatehouse-session')).not.toBe(before)
      expect(await site.gatehouse.context.sessions.find(before)).toBeUndefined()
    },
  )
})
