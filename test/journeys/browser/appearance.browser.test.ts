/**
 * Every page that people reach on their way, looked at by axe at phone width, in light and dark; with
 * pictures of each below `.artifacts/journeys/`, for people to look at.
 */
import AxeBuilder from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
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

// Each test looks at several pages, and at each of them twice.
vi.setConfig({ testTimeout: 60_000 })

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

/** What axe finds serious or critical, as `rule: element`; in dark only the colours differ from light. */
async function findBarriers(page: Page, colorScheme: 'light' | 'dark'): Promise<string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode(true)
  if (colorScheme === 'dark') axe.withRules(['color-contrast', 'link-in-text-block'])
  const { violations } = await axe.analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}

/** Looks at the page with this heading: keeps pictures, and fails for what bars anyone from reading it. */
type Look = (name: string, heading: RegExp) => Promise<void>

/** A person with a phone, which is light by day and dark by night. */
async function openPhone(): Promise<Visitor & { look: Look }> {
  const visitor = await openVisitor(browser, { viewport: { width: 390, height: 844 } })
  const { page } = visitor
  const look: Look = async (name, heading) => {
    await page.getByRole('heading', { level: 1, name: heading }).waitFor()
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await visitor.picture(`${name}-${colorScheme}`)
      expect(await findBarriers(page, colorScheme), name).toEqual([])
    }
  }
  return { ...visitor, look }
}

it('the way through sign-in is readable by everybody (X3)', async () => {
  const visitor = await openPhone()
  const client = await register('Notes reader', app.callback)
  await visitor.page.goto(live.issuer + authorizePath(client))
  await visitor.look('1-approve', /^Connect Notes/)
  await visitor.press('Continue')
  await visitor.look('2-sign-in', /^Sign in to/)
  await signIn(visitor, { ...owner, password: 'not the password' })
  await visitor.page.getByRole('alert').waitFor()
  await visitor.look('3-sign-in-again', /^Sign in to/)
  await signIn(visitor)
  await visitor.look('4-confirm', /^Let Notes/)
  await visitor.press('Allow')
  await waitForAnswer(visitor, app.callback)
  await visitor.page.goto(live.issuer + authorizePath(client))
  await visitor.look('5-consent-with-session', /^Connect Notes/)
  await visitor.page.goto(live.issuer)
  await visitor.look('6-home', /^Use Notes/)
})

it('the warnings are readable by everybody (D28, CR-11)', async () => {
  const visitor = await openPhone()
  for (const [name, clientName, redirectUri] of [
    ['loopback', 'Claude Code', 'http://127.0.0.1:33333/callback'],
    ['private-use', 'Cursor', 'cursor://anysphere.cursor-mcp/oauth/callback'],
    ['look-alike', 'ChatGPT', app.callback],
  ] as const) {
    const client = await register(clientName, redirectUri)
    await visitor.page.goto(live.issuer + authorizePath(client))
    await visitor.look(`warning-${name}`, /^Connect/)
  }
})

it('the way through GitHub is readable by everybody (H3)', async () => {
  const visitor = await openPhone()
  const client = await register('Notes reader', app.callback)
  await visitor.page.goto(live.issuer + authorizePath(client))
  await visitor.press('Continue')
  await visitor.press('Continue with GitHub')
  await visitor.page.getByRole('button', { name: /octocat/ }).waitFor()
  await visitor.picture('github-1-picker')
  await visitor.press(/octocat/)
  await visitor.look('github-2-confirm', /^Let Notes/)
})

it('what goes wrong is said readably (H8)', async () => {
  const visitor = await openPhone()
  const { page } = visitor
  const client = await register('Notes reader', app.callback)
  await page.goto(`${live.issuer}/authorize?client_id=mcp_unknown&response_type=code`)
  await visitor.look('wrong-unknown-client', /not registered/i)
  await page.goto(live.issuer + authorizePath(client, { redirect_uri: 'https://evil.example/' }))
  await visitor.look('wrong-redirect-uri', /never registered/)
  await page.goto(live.issuer + authorizePath(client, { code_challenge: undefined }))
  await visitor.look('wrong-no-pkce', /safety step/)
  await page.goto(`${live.issuer}/callback/github?code=c&state=s`)
  await visitor.look('wrong-callback', /Nothing to continue/)
  await walkToConfirmation(visitor, live.issuer + authorizePath(client))
  const asked = page.url()
  await visitor.press('Deny')
  await waitForAnswer(visitor, app.callback)
  await page.goto(asked)
  await visitor.look('wrong-already-answered', /Nothing to continue/)
  await page.goto(live.issuer + authorizePath(client, { scope: 'notes:read' }))
  await page.getByRole('checkbox', { name: 'Read your notes' }).uncheck()
  await visitor.press('Allow')
  await visitor.look('wrong-nothing-ticked', /Nothing was ticked/)
})
