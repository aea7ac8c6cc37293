/**
 * `gatehouse serve` with real configuration files, walked by a real browser up to a tool call: GitHub, an
 * OpenID provider, and the chooser with both and the password.
 */
import AxeBuilder from '@axe-core/playwright'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { launchChromium } from '../../helpers/chromium.ts'
import { type ClientSite, startClientSite } from '../../helpers/client-site.ts'
import { owner } from '../../helpers/live.ts'
import {
  authorizePath,
  type Registered,
  redeem,
  registerClient,
} from '../../helpers/oauth-client.ts'
import {
  listNotes,
  type Notes,
  type ProviderSite,
  reserveProvider,
  type Served,
  serveFile,
} from '../../helpers/served-providers.ts'
import { openVisitor, signIn, type Visitor, waitForAnswer } from '../../helpers/visitor.ts'

// Each walk starts a server and providers of its own.
vi.setConfig({ testTimeout: 90_000 })

let browser: Browser
let app: ClientSite
beforeAll(async () => {
  browser = await launchChromium()
  app = await startClientSite('https://client.example')
})
afterAll(() => Promise.all([browser, app].map((opened) => opened?.close())))

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

async function reserve(...[service]: Parameters<typeof reserveProvider>): Promise<ProviderSite> {
  const site = await reserveProvider(service)
  opened.push(site)
  return site
}

async function serve(toText: (notes: Notes) => string): Promise<Served> {
  const served = await serveFile(toText)
  opened.push(served)
  return served
}

const toBackend = ({ url, header, key }: Notes, more = '') =>
  `{ to: "${url}", name: Notes, headers: { ${header}: ${key} }${more} }`

/** Approves a new client, which asks for what is at `path`. */
async function approve(served: Served, visitor: Visitor, path = '/mcp'): Promise<Registered> {
  const metadata = { client_name: 'Notes reader', redirect_uris: [app.callback] }
  const client = await registerClient(served.send, metadata)
  const resource = served.issuer + path
  await visitor.page.goto(served.issuer + authorizePath(client, { resource }))
  await visitor.press('Continue')
  return client
}

/** Confirms, and calls a tool with what the client gets. */
async function connect(served: Served, visitor: Visitor, client: Registered, path = '/mcp') {
  await visitor.press('Allow')
  const { code = '' } = await waitForAnswer(visitor, app.callback)
  const tokens = await redeem(served.send, client, code)
  expect(tokens.status, JSON.stringify(tokens.body)).toBe(200)
  return listNotes(served, tokens.body.access_token, path)
}

it('GitHub alone, at the callback path that is registered there (H3, S8)', async () => {
  const github = await reserve('github')
  const served = await serve(
    (notes) => `backends: [${toBackend(notes)}]
contact: it@acme.example
github:
  clientId: gatehouse
  clientSecret: emulated-secret
  callbackPath: /github/oauth/callback
  endpoints: { web: "${github.origin}", api: "${github.origin}" }
  allow: { domains: [acme.example] }
`,
  )
  const callback = `${served.issuer}/github/oauth/callback`
  expect(served.printed).toContain(`Callback  ${callback}  (as registered at GitHub)`)
  await github.start([callback])

  const visitor = await openVisitor(browser)
  const client = await approve(served, visitor)
  await visitor.page.waitForURL(`${github.origin}/**`)
  await visitor.press(/ada/)
  await visitor.page.getByText('ada', { exact: true }).waitFor()
  await visitor.picture('providers-github-confirm')
  expect(await connect(served, visitor, client)).toEqual({
    status: 200,
    text: expect.stringContaining('Welcome'),
  })
  expect(visitor.complaints).toEqual([])

  const stranger = await openVisitor(browser)
  await approve(served, stranger)
  await stranger.press(/eve/)
  await stranger.page.getByRole('heading', { level: 1 }).waitFor()
  await stranger.picture('providers-github-refused')
  const refusal = await stranger.page.getByRole('main').innerText()
  expect(refusal).toContain('eve')
  expect(refusal).toContain('it@acme.example')
})

it('an OpenID provider alone, which was away when Gatehouse started (A8, R1)', async () => {
  const okta = await reserve('okta')
  const served = await serve(
    (notes) => `backends: [${toBackend(notes)}]
oidc:
  label: Acme
  issuer: ${okta.origin}/oauth2/default
  clientId: gatehouse
  clientSecret: emulated-secret
`,
  )
  const visitor = await openVisitor(browser)
  const client = await approve(served, visitor)
  const { page } = visitor
  const away = page.getByRole('heading', { name: 'The sign-in service does not answer' })
  await away.waitFor()
  await visitor.picture('providers-away')

  await okta.start([`${served.issuer}/callback/oidc`])
  // The provider is asked again after a few seconds; until then the page comes back.
  const person = page.getByRole('button', { name: /ada/i })
  for (let attempt = 0; attempt < 50 && !(await person.isVisible()); attempt += 1) {
    await page.getByRole('link', { name: 'Try again' }).click()
    await visitor.press('Continue')
    await away.or(person).waitFor()
  }
  await person.click()
  await visitor.page.getByRole('heading', { name: /^Let / }).waitFor()
  expect((await connect(served, visitor, client)).status).toBe(200)
})

describe('several ways at once', () => {
  let github: ProviderSite
  let okta: ProviderSite
  let google: ProviderSite

  async function serveAll(): Promise<Served> {
    github = await reserve('github')
    okta = await reserve('okta')
    google = await reserve('google')
    const credentials = 'clientId: gatehouse, clientSecret: emulated-secret'
    const served = await serve(
      (notes) => `siteName: Acme Notes
localSignIn: true
backends:
  - ${toBackend(notes)}
  - ${toBackend(notes, ', id: code, path: /code, signInWith: github')}
github: { ${credentials}, endpoints: { web: "${github.origin}", api: "${github.origin}" } }
google: { ${credentials}, issuer: "${google.origin}" }
providers:
  - { type: okta, ${credentials}, issuer: "${okta.origin}/oauth2/default" }
  - { type: entra, ${credentials}, tenant: 11111111-2222-3333-4444-555555555555 }
  - { type: oidc, id: staff, label: The staff directory of Acme, ${credentials}, issuer: "${okta.origin}/oauth2/other" }
`,
    )
    await github.start([`${served.issuer}/callback/github`])
    await okta.start([`${served.issuer}/callback/okta`])
    await google.start([`${served.issuer}/callback/google`])
    return served
  }

  it('are offered on one page, which the keyboard and a screen reader can use', async () => {
    const served = await serveAll()
    const { page, complaints, ...visitor } = await openVisitor(browser, {
      viewport: { width: 390, height: 844 },
    })
    await approve(served, { page, complaints, ...visitor })
    await page.getByRole('heading', { name: 'Sign in to Acme Notes' }).waitFor()
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await visitor.picture(`providers-chooser-${colorScheme}`)
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
      expect(violations.map(({ id }) => id)).toEqual([])
    }
    const order: string[] = []
    for (let step = 0; step < 9; step += 1) {
      await page.keyboard.press('Tab')
      order.push(
        await page.evaluate(() => {
          const { activeElement: at } = document
          return at instanceof HTMLInputElement ? at.name : (at?.textContent ?? '')
        }),
      )
    }
    expect(order).toEqual([
      'Continue with GitHub',
      'Continue with Google',
      'Continue with Okta',
      'Continue with Microsoft',
      'Continue with The staff directory of Acme',
      'email',
      'password',
      'Sign in',
      'Cancel',
    ])
    expect(complaints).toEqual([])
  })

  it('each lead to a tool call, and a backend may demand one of them', async () => {
    const served = await serveAll()
    const visitor = await openVisitor(browser)
    const first = await approve(served, visitor)
    await visitor.page.getByRole('button', { name: 'Continue with Okta' }).focus()
    await visitor.page.keyboard.press('Enter')
    await visitor.page.waitForURL(`${okta.origin}/**`)
    await visitor.press(/ada/i)
    await visitor.page.getByRole('heading', { name: /^Let / }).waitFor()
    expect((await connect(served, visitor, first)).status).toBe(200)

    const second = await approve(served, visitor, '/code')
    await visitor.page.waitForURL(`${github.origin}/**`)
    await visitor.press(/ada/)
    await visitor.page.getByRole('heading', { name: /^Let / }).waitFor()
    await visitor.picture('providers-demanded-confirm')
    expect((await connect(served, visitor, second, '/code')).status).toBe(200)

    const other = await openVisitor(browser)
    const third = await approve(served, other)
    await other.press('Continue with Google')
    await other.page.waitForURL(`${google.origin}/**`)
    await other.press(/ada/i)
    await other.page.getByRole('heading', { name: /^Let / }).waitFor()
    expect((await connect(served, other, third)).status).toBe(200)
    expect([...visitor.complaints, ...other.complaints]).toEqual([])
  })

  it('the password among them', async () => {
    const served = await serveAll()
    const link = new URL(/(http\S+\/setup\?token=\S+)/.exec(served.printed)?.[1] ?? '')
    const visitor = await openVisitor(browser)
    await visitor.page.goto(link.href)
    await visitor.page.getByLabel('E-mail').fill(owner.email)
    await visitor.page.getByLabel('Password').first().fill(owner.password)
    await visitor.page.getByRole('main').getByRole('button').click()
    await visitor.context.clearCookies()
    const client = await approve(served, visitor)
    await signIn(visitor)
    await visitor.page.getByRole('heading', { name: /^Let / }).waitFor()
    expect((await connect(served, visitor, client)).status).toBe(200)
  })
})
