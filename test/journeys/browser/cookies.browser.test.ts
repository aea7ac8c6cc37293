/** The cookies of the journey as Chromium takes them, on an https issuer behind a proxy and on loopback. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../../helpers/chromium.ts'
import { type ClientSite, startClientSite } from '../../helpers/client-site.ts'
import { startLiveAt } from '../../helpers/front.ts'
import { authorizePath, redeem, registerClient } from '../../helpers/oauth-client.ts'
import { openVisitor, waitForAnswer, walkToConfirmation } from '../../helpers/visitor.ts'

let browser: Browser
let app: ClientSite
beforeAll(async () => {
  browser = await launchChromium()
  app = await startClientSite('https://client.example')
})
afterAll(() => Promise.all([browser, app].map((opened) => opened?.close())))

describe.each([
  { name: 'https://localhost', secure: true },
  { name: 'https://gatehouse.example', secure: true },
  { name: 'http://localhost', secure: false },
])('at $name', ({ name, secure }) => {
  let live: Awaited<ReturnType<typeof startLiveAt>>
  beforeAll(async () => {
    live = await startLiveAt(name)
  })
  afterAll(() => live?.close())

  it('Chromium keeps every cookie, and the journey ends at the client (EN-04, X3)', async () => {
    const visitor = await openVisitor(browser)
    const client = await registerClient(live.send, { redirect_uris: [app.callback] })
    await walkToConfirmation(visitor, live.issuer + authorizePath(client))
    const cookies = await visitor.context.cookies()
    const prefix = secure ? '__Host-gatehouse-' : 'gatehouse-'
    expect(cookies.length).toBeGreaterThanOrEqual(2)
    for (const cookie of cookies) {
      expect(cookie).toMatchObject({
        name: expect.stringMatching(new RegExp(`^${prefix}`)),
        domain: new URL(live.issuer).hostname,
        path: '/',
        httpOnly: true,
        secure,
        sameSite: 'Lax',
      })
    }
    await visitor.press('Allow')
    const answer = await waitForAnswer(visitor, app.callback)
    expect(answer).toMatchObject({ state: 'state-123', iss: live.issuer })
    expect((await redeem(live.send, client, answer.code ?? '')).status).toBe(200)
    expect(visitor.complaints).toEqual([])
  })
})
