import { afterEach, describe, expect, it } from 'vitest'
import { createLimits } from '../../src/operate/limits.ts'
import { sessions } from '../../src/storage/records/session.ts'
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
      'ＡＤＡ@example.com',
      `${toFullwidth('ada')}@example.com`,
      `ada@${toFullwidth('example')}.com`,
      'ⓐda@example.com',
    ]
    const statuses = []
    for (const email of spellings) {
      statuses.push((await browser.press(page, '', '', { email, password: 'a guess' })).status)
    }
    expect(statuses).toEqual([400, 400, 400, 429, 429])
  })
})

describe('a sign-in with a password that is replaced meanwhile', () => {
  it('opens no session: whoever knew the old one is out (P6)', async () => {
    site = await startSite()
    const browser = site.browser()
    const page = await site.walk(browser, 'sign-in')
    const { store, users, sessions: opened } = site.gatehouse.context
    const known = await users.verifyPassword(ada.email, ada.password)
    const signingIn = browser.press(page, '', '', ada)
    await users.setPassword(site.ownerId, 'another battery entirely')
    expect((await signingIn).text).not.toContain('Confirm access')
    expect(await sessions.list(store)).toEqual([])

    const before = known?.record.value.sealedPassword
    await expect(opened.open(site.ownerId, before)).rejects.toMatchObject({
      code: 'access_denied',
      reason: 'account_changed',
    })
    expect(await sessions.list(store)).toEqual([])
    await users.remove(site.ownerId)
    await expect(opened.open(site.ownerId)).rejects.toMatchObject({ reason: 'account_changed' })
  })
})
