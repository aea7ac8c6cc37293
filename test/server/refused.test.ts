import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { invite, parseGuest } from '../../src/identity/invitations.ts'
import type { GatehouseOptions } from '../../src/options.ts'
import { clients } from '../../src/storage/records/client.ts'
import { sessions } from '../../src/storage/records/session.ts'
import type { Browser, Page } from '../helpers/browser.ts'
import { type EmulatedGitHub, startGitHub } from '../helpers/github.ts'
import { annsUpstream } from '../helpers/instant-upstream.ts'
import { type Site, startSite, takeStep } from '../helpers/site.ts'

const issuer = 'https://mcp.example.com'
let github: EmulatedGitHub
let site: Site
beforeAll(async () => {
  github = await startGitHub([`${issuer}/callback/github`])
})
afterAll(() => github.close())
afterEach(() => site.close())

/** Opens a site that `hubot` may not enter unless the options say otherwise, and comes there as `hubot`. */
async function arrive(options: Omit<Partial<GatehouseOptions>, 'clock'> = {}) {
  const upstreams = [github.upstream({ admission: { logins: ['octocat'] } })]
  site = await startSite({ upstreams, ...options })
  const browser = site.browser()
  return { browser, page: await come(browser, 'hubot') }
}

async function come(browser: Browser, login: string): Promise<Page> {
  const away = await takeStep(browser, await browser.open(site.authorizeUrl()))
  return browser.open(await github.signIn(away.url, login))
}

const findLink = ({ text }: Page, label: string): URL => {
  const link = [...text.matchAll(/href="([^"]*)"[^>]*><bdi>([^<]*)</g)].find(
    (one) => one[2] === label,
  )
  return new URL((link?.[1] ?? '').replaceAll('&amp;', '&'), issuer)
}

describe('somebody who may not enter', () => {
  it('sees which account it was, where, and whom to ask (UP-08)', async () => {
    const { page } = await arrive({ contact: 'Ada <ada@example.com>' })
    expect(page.status).toBe(403)
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.text).toContain('hubot (hubot@example.com) at GitHub may not sign in here')
    expect(page.text).toContain('Whom to ask')
    expect(page.text).toContain('Ada &lt;ada@example.com&gt;')
  })

  it('is pointed to the owner when no one else is named', async () => {
    const { page } = await arrive()
    expect(page.text).not.toContain('Whom to ask')
    expect(page.text).toContain('ask the owner of this server')
  })

  it('leaves nothing behind but a line for the owner, and no name in the log', async () => {
    await arrive()
    const { store, users } = site.gatehouse.context
    expect(await sessions.list(store)).toEqual([])
    expect(await users.list()).toEqual([])
    expect(site.audit).toContainEqual(
      expect.objectContaining({
        event: 'sign-in.failed',
        outcome: 'refused',
        reason: 'not_admitted',
        details: { upstream: 'github', description: expect.stringContaining('hubot') },
      }),
    )
    expect(site.log.lines).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ reason: 'not_admitted' }) }),
    )
    expect(JSON.stringify(site.log.lines)).not.toContain('hubot')
  })

  it('can take access_denied back to the app, and nothing of the account (RFC 6749 §4.1.2.1)', async () => {
    const { page } = await arrive()
    const back = findLink(page, 'Go back to client.example')
    expect(back.origin + back.pathname).toBe('https://client.example/callback')
    expect(Object.fromEntries(back.searchParams)).toEqual({
      error: 'access_denied',
      error_description: 'The person may not sign in here',
      state: 'state-123',
      iss: issuer,
    })
  })

  it('can try another account, for which the provider is asked to ask', async () => {
    const { browser, page } = await arrive()
    const choose = await browser.open(findLink(page, 'Try another account'))
    const away = await browser.press(choose, 'upstream', 'github')
    expect(away.url.searchParams.get('prompt')).toBe('select_account')
    const confirm = await browser.open(await github.signIn(away.url, 'octocat'))
    expect(confirm.text).toContain('Confirm access')
  })

  it('sees the page also when the owner knows the app: only they can know what to do', async () => {
    const { browser } = await arrive()
    const { store } = site.gatehouse.context
    const client = await clients.find(store, site.client.client_id)
    if (!client) return expect.unreachable()
    const known = { ...client.value, origin: 'preregistered' as const }
    await store.commit({ set: [clients.write(client.key, known)] })
    const page = await come(browser, 'hubot')
    expect(page.status).toBe(403)
    expect(findLink(page, 'Go back to client.example').searchParams.get('error')).toBe(
      'access_denied',
    )
  })

  it('is sent nowhere when the app is gone meanwhile (CN-16)', async () => {
    const { browser } = await arrive()
    const away = await takeStep(browser, await browser.open(site.authorizeUrl()))
    const { store } = site.gatehouse.context
    await store.commit({ delete: [clients.key(site.client.client_id)] })
    const page = await browser.open(await github.signIn(away.url, 'hubot'))
    expect(page.status).toBe(403)
    expect(page.text).not.toContain('client.example')
  })
})

describe('with rules that cannot be decided', () => {
  it('the log says which, and the page that something was missing', async () => {
    const rules = { organizations: ['corp'] }
    const { page } = await arrive({ upstreams: [github.upstream({ admission: rules })] })
    expect(page.status).toBe(403)
    expect(page.text).toContain('did not tell everything')
    const line = site.log.lines.find(({ message }) => message.startsWith('Sign-in at'))
    expect(line?.fields).toMatchObject({
      reason: 'admission_unknown',
      error: expect.objectContaining({ message: expect.stringContaining('organizations') }),
    })
  })
})

describe('where only invited people may come', () => {
  const options = () => ({ invitedOnly: true, upstreams: [github.upstream()] })

  it('everyone else is told so', async () => {
    const { page } = await arrive(options())
    expect(page.status).toBe(403)
    expect(page.text).toContain('not been invited yet')
    expect(page.text).toContain('hubot (hubot@example.com) at GitHub')
  })

  it('who was invited meanwhile goes on from that page (S6)', async () => {
    const { browser, page } = await arrive(options())
    await invite(site.gatehouse.context, parseGuest('hubot@example.com'), {
      role: 'user',
      validSeconds: 60,
    })
    const choose = await browser.open(findLink(page, 'Try another account'))
    const away = await browser.press(choose, 'upstream', 'github')
    const confirm = await browser.open(await github.signIn(away.url, 'hubot'))
    expect(confirm.text).toContain('Confirm access')
  })
})

describe('a verified address at two providers', () => {
  it.each([
    [true, 1],
    [undefined, 2],
  ])('with linkByVerifiedEmail %s: %i user(s)', async (linkByVerifiedEmail, count) => {
    const upstreams = [annsUpstream('forge'), annsUpstream('mill')]
    site = await startSite({ upstreams, linkByVerifiedEmail })
    for (const { id } of upstreams) {
      const browser = site.browser()
      const choose = await takeStep(browser, await browser.open(site.authorizeUrl()))
      const confirm = await browser.press(choose, 'upstream', id)
      expect(confirm.text).toContain('Confirm access')
    }
    expect(await site.gatehouse.context.users.list()).toHaveLength(count)
  })
})
