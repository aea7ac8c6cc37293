/** Hierarchies and policies at the authorization server: refresh, remembered choices, consent, defaults. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Browser, findForm, type Page } from '../helpers/browser.ts'
import { readClaims, redeem, refresh } from '../helpers/oauth-client.ts'
import { type Site, startSite } from '../helpers/site.ts'
import { verifiesThat } from '../verifies.ts'

let site: Site
let browser: Browser
beforeEach(async () => {
  site = await startSite({
    scopes: { read: 'Read', write: 'Write', account: 'Manage', billing: 'Pay' },
    defaultScopes: ['read'],
    scopeHierarchy: { account: ['write'], write: ['read'] },
    backends: [{ name: 'Notes', to: 'http://127.0.0.1:9/mcp', policy: { connect: ['billing'] } }],
  })
  browser = await site.signedIn()
})
afterEach(() => site.close())

async function allow(page: Page, ...more: [string, string][]): Promise<Page> {
  const { fields } = findForm(page, 'decision', 'allow')
  return browser.post(`${site.issuer}/consent`, [...fields, ['decision', 'allow'], ...more])
}

const open = (scope: string | undefined, headers = {}) =>
  browser.open(site.authorizeUrl({ scope }), headers)

describe('a broader scope', () => {
  verifiesThat('D54', 'a refresh may narrow it to one that it includes', async () => {
    const back = await allow(await open('account'))
    const code = back.url.searchParams.get('code') ?? ''
    const first = await redeem(site.send, site.client, code)
    const token = first.body.refresh_token ?? ''
    const narrowed = await refresh(site.send, site.client, token, { scope: 'read' })
    expect(narrowed.body.scope).toBe('read')
    expect(readClaims(narrowed.body.access_token).scope).toBe('read')
    const next = narrowed.body.refresh_token ?? ''
    const beyond = await refresh(site.send, site.client, next, { scope: 'billing' })
    expect(beyond.body.error).toBe('invalid_scope')
    const whole = await refresh(site.send, site.client, next)
    expect(whole.body.scope).toBe('account')
  })

  verifiesThat(
    'D54',
    'a remembered choice of it covers those it includes, and no others',
    async () => {
      await allow(await open('account'), ['remember', 'yes'])
      const itself = { 'sec-fetch-site': 'none' }
      const narrower = await open('read write', itself)
      expect(await site.findGrantedScope(narrower)).toBe('read write')
      expect((await open('account billing', itself)).status).toBe(200)
      expect((await open('billing', itself)).status).toBe(200)
    },
  )

  it('says on the page what it includes (CN-12)', async () => {
    const { text } = await open('account read')
    expect(text).toMatch(/Manage[^]*Includes: Write; Read[^]*<\/li>/)
  })
})

describe('what is new on the page', () => {
  it('is what no standing grant of this client has', async () => {
    expect(await site.findGrantedScope(await allow(await open('write')))).toBe('write')
    const { text } = await open('read write billing')
    const items = text.match(/<li><label[^]*?<\/li>/g) ?? []
    expect(items.map((item) => item.includes('class="new"'))).toEqual([false, false, true])
  })

  it('is nothing for a client that nothing was allowed yet', async () => {
    const fresh = await startSite({ scopes: { read: 'Read' }, defaultScopes: ['read'] })
    const person = fresh.browser()
    const confirm = await fresh.walk(person, 'confirm', { scope: 'read' })
    expect(confirm.text).not.toContain('class="new"')
    await fresh.close()
  })
})

it('a request without scope gets the defaults and what connecting needs', async () => {
  expect(await site.findGrantedScope(await allow(await open(undefined)))).toBe('read billing')
})
