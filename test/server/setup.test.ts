import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLimits } from '../../src/operate/limits.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { createBrowser, type Page } from '../helpers/browser.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import { ada, bob } from '../helpers/site.ts'

let running: TestGatehouse
beforeEach(async () => {
  running = await startTestGatehouse()
})
afterEach(() => running.close())

const newLink = async () => {
  const link = await running.gatehouse.createSetupLink()
  if (link === undefined) throw new Error('There is no set-up link')
  return link
}
const newBrowser = () => createBrowser(running.issuer, running.gatehouse.fetch)
const countUsers = async () => (await running.gatehouse.context.users.list()).length

/** Opens the link in a new browser and submits an account. */
async function setUp(link: string, account: Record<string, string> = ada): Promise<Page> {
  const browser = newBrowser()
  return browser.press(await browser.open(link), '', '', account)
}

describe('the set-up link', () => {
  it('makes the owner, who can sign in', async () => {
    const page = await setUp(await newLink())
    expect(page.status).toBe(200)
    expect(page.text).toContain('You are set up')
    const { users } = running.gatehouse.context
    expect((await users.verifyPassword(ada.email, ada.password))?.record.value.role).toBe('owner')
    expect(running.audit).toContainEqual(
      expect.objectContaining({ event: 'user.added', outcome: 'ok' }),
    )
  })

  it('works once, and there is no other afterwards', async () => {
    const link = await newLink()
    await setUp(link)
    const again = await newBrowser().open(link)
    expect(again.status).toBe(403)
    expect(again.text).toContain('This set-up link no longer works')
    expect(await running.gatehouse.createSetupLink()).toBeUndefined()
  })

  it('is not used up by looking at it, by a bad answer or by a link preview', async () => {
    const link = await newLink()
    for (let i = 0; i < 3; i += 1) await newBrowser().open(link)
    const bad = await setUp(link, { ...ada, password: 'short' })
    expect(bad.status).toBe(400)
    expect(bad.text).toMatch(/role="alert">The password must have 10 to 200 characters/)
    expect(bad.text).toContain('value="ada@example.com"')
    expect(bad.text).not.toContain('value="short"')
    const noMail = await setUp(link, { ...ada, email: 'no address' })
    expect(noMail.text).toContain('This is not an e-mail address')
    expect(await countUsers()).toBe(0)
    expect((await setUp(link)).status).toBe(200)
  })

  it('can be answered in either of two tabs', async () => {
    const link = await newLink()
    const browser = newBrowser()
    const first = await browser.open(link)
    await browser.open(link)
    expect((await browser.press(first, '', '', ada)).status).toBe(200)
  })

  it('is the newest only', async () => {
    const old = await newLink()
    const newest = await newLink()
    expect((await newBrowser().open(old)).status).toBe(403)
    expect((await newBrowser().open(newest)).status).toBe(200)
  })

  it('works although another process makes one at the same moment: the last does', async () => {
    const clock = testClock()
    const store = memoryStore({ clock })
    const other = await startTestGatehouse({ clock, store })
    let otherLink: string | undefined
    const commit: typeof store.commit = async (change) => {
      const isLink = change.set?.some(({ value }) => value.includes('setupHash'))
      if (isLink) otherLink ??= await other.gatehouse.createSetupLink()
      return store.commit(change)
    }
    const slow = await startTestGatehouse({ clock, store: { ...store, commit } })
    const link = (await slow.gatehouse.createSetupLink()) ?? ''
    expect(
      (await createBrowser(other.issuer, other.gatehouse.fetch).open(otherLink ?? '')).status,
    ).toBe(403)
    expect((await createBrowser(slow.issuer, slow.gatehouse.fetch).open(link)).status).toBe(200)
    await slow.close()
    await other.close()
  })

  it('is worth nothing once somebody has an account', async () => {
    const link = await newLink()
    const browser = newBrowser()
    const page = await browser.open(link)
    await running.gatehouse.context.users.addLocal(bob.email, bob.password, 'owner')
    expect((await browser.press(page, '', '', ada)).status).toBe(403)
    expect((await newBrowser().open(link)).status).toBe(403)
    expect(await countUsers()).toBe(1)
  })

  it('makes one owner when it is used ten times at once (SG-01)', async () => {
    const link = await newLink()
    const accounts = Array.from({ length: 10 }, (_, i) => ({
      ...ada,
      email: `ada${i}@example.com`,
    }))
    const pages = await Promise.all(
      accounts.map((account) => setUp(link, account).catch(() => undefined)),
    )
    expect(pages.filter((page) => page?.status === 200)).toHaveLength(1)
    expect(await countUsers()).toBe(1)
  })

  it('is only answered from its own page (CN-05)', async () => {
    const link = await newLink()
    const token = new URL(link).searchParams.get('token') ?? ''
    const fields = Object.entries({ ...ada, token })
    const browser = newBrowser()
    expect((await browser.post(`${running.issuer}/setup`, fields)).status).toBe(403)
    await browser.open(link)
    expect((await browser.post(`${running.issuer}/setup`, [...fields, ['csrf', 'x']])).status).toBe(
      403,
    )
    const elsewhere = await newBrowser().open(link)
    const theirs = /name="csrf" value="([^"]*)"/.exec(elsewhere.text)?.[1] ?? ''
    const borrowed: [string, string][] = [...fields, ['csrf', theirs]]
    expect((await browser.post(`${running.issuer}/setup`, borrowed)).status).toBe(403)
    const page = await browser.open(link)
    const crossSite = { 'sec-fetch-site': 'cross-site' }
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? ''
    const all: [string, string][] = [...fields, ['csrf', csrf]]
    expect((await browser.post(`${running.issuer}/setup`, all, crossSite)).status).toBe(403)
    expect(await countUsers()).toBe(0)
    expect((await browser.post(`${running.issuer}/setup`, all)).status).toBe(200)
  })

  it('is not there without password accounts', async () => {
    const none = await startTestGatehouse({ issuer: 'http://localhost:8787', noSignIn: true })
    expect(await none.gatehouse.createSetupLink()).toBeUndefined()
    const page = await createBrowser(none.issuer, none.gatehouse.fetch).open(
      `${none.issuer}/setup?token=x`,
    )
    expect(page.status).toBe(403)
    await none.close()
  })

  it('is guessed ten times a minute at most, and guessing shuts nobody out (X8)', async () => {
    const limited = await startTestGatehouse({ limits: createLimits() })
    const link = (await limited.gatehouse.createSetupLink()) ?? ''
    const statuses = []
    for (let i = 0; i < 12; i += 1) {
      const page = await createBrowser(limited.issuer, limited.gatehouse.fetch).open(
        `${limited.issuer}/setup?token=guess`,
      )
      statuses.push(page.status)
    }
    expect(statuses).toEqual([...Array(10).fill(403), 429, 429])
    expect((await createBrowser(limited.issuer, limited.gatehouse.fetch).open(link)).status).toBe(
      200,
    )
    await limited.close()
  })
})
