/**
 * Every page that people reach on their way, looked at by axe at phone width, in light and dark; with
 * pictures of each below `.artifacts/journeys/`, for people to look at.
 */
import AxeBuilder from '@axe-core/playwright'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../../helpers/chromium.ts'
import { type ClientSite, startClientSite } from '../../helpers/client-site.ts'
import { startGitHub } from '../../helpers/emulated-github.ts'
import { startLiveAt } from '../../helpers/front.ts'
import { owner } from '../../helpers/live.ts'
import { authorizePath, type Registered, registerClient } from '../../helpers/oauth-client.ts'
import {
  openVisitor,
  signIn,
  type Visitor,
  waitForAnswer,
  walkToConfirmation,
} from '../../helpers/visitor.ts'

let browser: Browser
let app: ClientSite
let github: Awaited<ReturnType<typeof startGitHub>>
let live: Awaited<ReturnType<typeof startLiveAt>>
beforeAll(async () => {
  browser = await launchChromium()
  app = await startClientSite('https://client.example')
  live = await startLiveAt('http://localhost', async (issuer) => {
    github = await startGitHub(issuer)
    return { localSignIn: true, upstreams: [github.upstream] }
  })
})
afterAll(() => Promise.all([browser, app, live, github].map((opened) => opened?.close())))

const register = (client_name: string, ...redirectUris: string[]): Promise<Registered> =>
  registerClient(live.send, { client_name, redirect_uris: redirectUris })

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  /** A person with a phone. */
  async function openPhone(): Promise<Visitor & { look(name: string): Promise<void> }> {
    const visitor = await openVisitor(browser, { colorScheme, viewport: { width: 390, height: 844 } })
    /** Keeps a picture, and fails for what axe finds serious or critical. */
    const look = async (name: string): Promise<void> => {
      await visitor.page.locator('h1').waitFor()
      await visitor.picture(`${name}-${colorScheme}`)
      const axe = new AxeBuilder({ page: visitor.page }).setLegacyMode(true)
      const { violations } = await axe.analyze()
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      expect(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), name).toEqual([])
    }
    return { ...visitor, look }
  }

  it('the way through sign-in is readable by everybody (X3)', async () => {
    const visitor = await openPhone()
    const client = await register('Notes reader', app.callback)
    await visitor.page.goto(live.issuer + authorizePath(client))
    await visitor.look('1-approve')
    await visitor.press('Continue')
    await visitor.look('2-sign-in')
    await signIn(visitor, { ...owner, password: 'not the password' })
    await visitor.page.getByRole('alert').waitFor()
    await visitor.look('3-sign-in-again')
    await signIn(visitor)
    await visitor.page.getByRole('heading', { name: /^Let / }).waitFor()
    await visitor.look('4-confirm')
    await visitor.press('Allow')
    await waitForAnswer(visitor, app.callback)
    await visitor.page.goto(live.issuer + authorizePath(client))
    await visitor.look('5-consent-with-session')
    await visitor.page.goto(live.issuer)
    await visitor.look('6-home')
  })

  it('the warnings are readable by everybody (D28, CR-11)', async () => {
    const visitor = await openPhone()
    for (const [name, ...client] of [
      ['loopback', 'Claude Code', 'http://127.0.0.1:33333/callback'],
      ['private-use', 'Cursor', 'cursor://anysphere.cursor-mcp/oauth/callback'],
      ['look-alike', 'ChatGPT', app.callback],
    ] as const) {
      await visitor.page.goto(live.issuer + authorizePath(await register(...client)))
      await visitor.look(`warning-${name}`)
    }
  })

  it('the way through GitHub is readable by everybody (H3)', async () => {
    const visitor = await openPhone()
    const client = await register('Notes reader', app.callback)
    await visitor.page.goto(live.issuer + authorizePath(client))
    await visitor.press('Continue')
    await visitor.press('Continue with GitHub')
    await visitor.page.getByRole('button', { name: /octocat/ }).waitFor()
    await visitor.picture(`github-1-picker-${colorScheme}`)
    await visitor.press(/octocat/)
    await visitor.look('github-2-confirm')
  })

  it('what goes wrong is said readably (R3)', async () => {
    const visitor = await openPhone()
    const { page } = visitor
    const client = await register('Notes reader', app.callback)
    await page.goto(`${live.issuer}/authorize?client_id=mcp_unknown&response_type=code`)
    await visitor.look('wrong-unknown-client')
    await page.goto(live.issuer + authorizePath(client, { redirect_uri: 'https://evil.example/' }))
    await visitor.look('wrong-redirect-uri')
    await page.goto(live.issuer + authorizePath(client, { code_challenge: undefined }))
    await visitor.look('wrong-no-pkce')
    await page.goto(`${live.issuer}/callback/github?code=c&state=s`)
    await visitor.look('wrong-callback')
    await walkToConfirmation(visitor, live.issuer + authorizePath(client))
    const asked = page.url()
    await visitor.press('Deny')
    await waitForAnswer(visitor, app.callback)
    await page.goto(asked)
    await visitor.look('wrong-already-answered')
    await page.goto(live.issuer + authorizePath(client, { scope: 'notes:read' }))
    await page.getByRole('checkbox', { name: 'Read your notes' }).uncheck()
    await visitor.press('Allow')
    await visitor.look('wrong-nothing-ticked')
  })
})
