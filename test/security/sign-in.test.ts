import { afterEach, describe, expect, it, vi } from 'vitest'
import { createLimits } from '../../src/operate/limits.ts'
import { toPeerNetwork } from '../../src/platform/peer-network.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { sessions } from '../../src/storage/records/session.ts'
import type { Store } from '../../src/storage/store.ts'
import { testClock } from '../helpers/gatehouse.ts'
import { ada, type Site, startSite } from '../helpers/site.ts'

let site: Site
afterEach(() => site.close())

/** An ASCII text in fullwidth letters, which NFKC makes ASCII again. */
const toFullwidth = (text: string) =>
  text.replace(/[a-z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0))

describe('guessing a password', () => {
  it('gains nothing by another spelling of the same address (UP-09, X8)', async () => {
    const limits = createLimits({ overrides: { 'sign-in': { points: 3, seconds: 900 } } })
    site = await startSite({ limits })
    const browser = site.browser()
    const page = await site.walk(browser, 'sign-in')
    const spellings = [
      ada.email,
      'ADA@example.com',
      `ada@${toFullwidth('example')}.com`,
      'Ada@EXAMPLE.com',
      'ada＠example.com',
    ]
    const statuses = []
    for (const email of spellings) {
      statuses.push((await browser.press(page, '', '', { email, password: 'a guess' })).status)
    }
    expect(statuses).toEqual([400, 400, 400, 429, 429])
  })

  it('is in vain where other letters are to stand for those of the account (UP-09)', async () => {
    site = await startSite()
    const browser = site.browser()
    const page = await site.walk(browser, 'sign-in')
    for (const email of [`${toFullwidth('ada')}@example.com`, 'ⓐda@example.com']) {
      expect((await browser.press(page, '', '', { ...ada, email })).status).toBe(400)
    }
    expect((await browser.press(page, '', '', ada)).status).toBe(200)
  })
})

describe('a guess that nobody looked at', () => {
  const rules = { 'sign-in': { points: 3, seconds: 900 } }

  it('does not count: a flood cannot shut out whom it kept waiting (DS-06, X8)', async () => {
    site = await startSite({ limits: createLimits({ overrides: rules }) })
    const browser = site.browser()
    const page = await site.walk(browser, 'sign-in')
    for (let count = 0; count < 5; count += 1) {
      const tooLong = { ...ada, password: 'x'.repeat(900) }
      expect((await browser.press(page, '', '', tooLong)).status).toBe(400)
    }
    expect((await browser.press(page, '', '', ada)).text).toContain('Confirm access')
  })

  it('costs no more once the account is held back (DS-06)', async () => {
    site = await startSite({ limits: createLimits({ overrides: rules }) })
    const { users } = site.gatehouse.context
    const browser = site.browser()
    const page = await site.walk(browser, 'sign-in')
    const guess = () => browser.press(page, '', '', { ...ada, password: 'a guess' })
    expect((await Promise.all([guess(), guess(), guess()])).map(({ status }) => status)).toEqual([
      400, 400, 400,
    ])
    const looks = vi.spyOn(users, 'verifyPassword')
    expect((await guess()).status).toBe(429)
    expect(looks).not.toHaveBeenCalled()
  })
})

it('takes its place in the line of passwords for the network it came from (DS-06)', async () => {
  site = await startSite()
  const looks = vi.spyOn(site.gatehouse.context.users, 'verifyPassword')
  const browser = site.browser()
  const page = await site.walk(browser, 'sign-in')
  await browser.press(page, '', '', ada)
  const attempt = expect.objectContaining({ network: toPeerNetwork('no socket, no address') })
  expect(looks).toHaveBeenCalledWith(ada.email, ada.password, attempt)
})

describe('a sign-in with a password that is replaced meanwhile', () => {
  it('opens no session: whoever knew the old one is out (P6)', async () => {
    const clock = testClock()
    const memory = memoryStore({ clock })
    let beforeCommit = async (_key: string): Promise<void> => {}
    const store: Store = {
      ...memory,
      commit: async (change) => {
        await beforeCommit(change.set?.[0]?.key ?? '')
        return memory.commit(change)
      },
    }
    site = await startSite({ clock, store })
    const { users } = site.gatehouse.context
    const browser = site.browser()
    const page = await site.walk(browser, 'sign-in')
    beforeCommit = async (key) => {
      if (!key.startsWith('session/')) return
      beforeCommit = async () => {}
      await users.setPassword(site.ownerId, 'another battery entirely')
    }
    const refused = await browser.press(page, '', '', ada)
    expect(refused.status).toBe(403)
    expect(await sessions.list(memory)).toEqual([])

    const again = await browser.open(page.url)
    expect((await browser.press(again, '', '', ada)).status).toBe(400)
    const fill = { ...ada, password: 'another battery entirely' }
    expect((await browser.press(again, '', '', fill)).text).toContain('Confirm access')
  })

  it('opens none for a user who was removed (RF-16)', async () => {
    site = await startSite()
    const { users, sessions: browsers } = site.gatehouse.context
    await users.remove(site.ownerId)
    const refusal = { code: 'access_denied', reason: 'account_changed' }
    await expect(browsers.open(site.ownerId)).rejects.toMatchObject(refusal)
  })
})
