/** Signing in through GitHub (emulated, at another site) and back, walked by a real browser. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../../helpers/chromium.ts'
import { type ClientSite, startClientSite } from '../../helpers/client-site.ts'
import { startGitHub } from '../../helpers/emulated-github.ts'
import { startLiveAt } from '../../helpers/front.ts'
import { authorizePath, redeem, registerClient } from '../../helpers/oauth-client.ts'
import { openVisitor, type Visitor, waitForAnswer } from '../../helpers/visitor.ts'

let browser: Browser
let app: ClientSite
beforeAll(async () => {
  browser = await launchChromium()
  app = await startClientSite('https://client.example')
})
afterAll(() => Promise.all([browser, app].map((opened) => opened?.close())))

describe.each([
  { name: 'http://localhost', script: true },
  { name: 'https://localhost', script: false },
])('at $name', ({ name, script }) => {
  let github: Awaited<ReturnType<typeof startGitHub>>
  let live: Awaited<ReturnType<typeof startLiveAt>>
  beforeAll(async () => {
    live = await startLiveAt(name, async (issuer) => {
      github = await startGitHub(issuer)
      return { upstreams: [github.upstream] }
    })
  })
  afterAll(() => Promise.all([live, github].map((opened) => opened?.close())))

  /** Approves a new client and goes to GitHub, whose page asks who it is. */
  async function walkToGitHub(visitor: Visitor) {
    const metadata = { client_name: 'Notes reader', redirect_uris: [app.callback] }
    const client = await registerClient(live.send, metadata)
    await visitor.page.goto(live.issuer + authorizePath(client))
    await visitor.press('Continue')
    await visitor.page.waitForURL(`${github.origin}/login/oauth/authorize?*`)
    return client
  }

  it(`the way leads through GitHub to the client, with script: ${script} (H3, X3, CN-10, EN-05)`, async () => {
    const visitor = await openVisitor(browser, { javaScriptEnabled: script })
    const client = await walkToGitHub(visitor)
    await visitor.press(/octocat/)
    await visitor.page.getByText('octocat', { exact: true }).waitFor()
    await visitor.press('Allow')
    const answer = await waitForAnswer(visitor, app.callback)
    expect(answer).toMatchObject({ state: 'state-123', iss: live.issuer })
    const tokens = await redeem(live.send, client, answer.code ?? '')
    expect(tokens.status).toBe(200)
    expect(JSON.stringify(tokens.body)).not.toContain('gho_')
    expect(visitor.complaints).toEqual([])
  })

  it('tells the client when the person says no at GitHub (D8, EN-05)', async () => {
    const visitor = await openVisitor(browser)
    await walkToGitHub(visitor)
    const { searchParams } = new URL(visitor.page.url())
    const answer = new URL(searchParams.get('redirect_uri') ?? '')
    answer.search = `error=access_denied&state=${searchParams.get('state')}`
    await visitor.page.evaluate((url) => location.assign(url), answer.href)
    expect(await waitForAnswer(visitor, app.callback)).toMatchObject({
      error: 'access_denied',
      state: 'state-123',
      iss: live.issuer,
    })
    expect(visitor.complaints).toEqual([])
  })

  it('would not come back with cookies that are SameSite=Strict (EN-05)', async () => {
    const visitor = await openVisitor(browser)
    await walkToGitHub(visitor)
    const cookies = await visitor.context.cookies(live.issuer)
    await visitor.context.addCookies(cookies.map((cookie) => ({ ...cookie, sameSite: 'Strict' })))
    await visitor.press(/octocat/)
    await visitor.page.getByRole('heading', { name: /another browser/ }).waitFor()
    expect(new URL(visitor.page.url()).origin).toBe(live.issuer)
  })
})
