/** A person at a real browser, and what their browser complains about. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { owner } from './live.ts'
import { root } from './sources.ts'

/** A person at a browser of their own: no cookies, no history. */
export interface Visitor {
  readonly context: BrowserContext
  readonly page: Page
  /**
   * What no page of ours may cause: console messages, script errors, violations of a content security
   * policy, requests to another machine.
   */
  readonly complaints: string[]
  /** Presses the button with this text. */
  press(button: string | RegExp): Promise<void>
  /** Keeps a picture of the page below `.artifacts/journeys/`. */
  picture(name: string): Promise<void>
}

/** Opens a browser profile with one tab; both are gone when the test has finished. */
export async function openVisitor(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options })
  context.setDefaultTimeout(10_000)
  onTestFinished(() => context.close())
  const complaints: string[] = []
  const page = await context.newPage()
  await watch(page, complaints)
  return {
    context,
    page,
    complaints,
    press: (button) => page.getByRole('button', { name: button }).click(),
    picture: async (name) => {
      await mkdir(pictures, { recursive: true })
      await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
    },
  }
}

const pictures = join(root, '.artifacts', 'journeys')

/** Where a test may send the browser: this machine under its names, an app, and what a page carries itself. */
const localAddress = /^(?:https?:\/\/(?:localhost|127\.0\.0\.1|[\w.-]+\.example)[:/]|cursor:|data:)/

async function watch(page: Page, complaints: string[]): Promise<void> {
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => complaints.push(`script error: ${error.message}`))
  page.on('request', (request) => {
    if (!localAddress.test(request.url())) complaints.push(`request: ${request.url()}`)
  })
  const session = await page.context().newCDPSession(page)
  session.on('Audits.issueAdded', ({ issue }) => {
    const violation = issue.details.contentSecurityPolicyIssueDetails
    if (violation) complaints.push(`policy violation: ${violation.violatedDirective}`)
  })
  await session.send('Audits.enable')
}

/** Fills in the sign-in page; as the owner unless told otherwise. */
export async function signIn({ page, press }: Visitor, { email, password } = owner): Promise<void> {
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await press('Sign in')
}

/** Walks from an authorization request, without a session, to just before the last button. */
export async function walkToConfirmation(visitor: Visitor, url: string): Promise<void> {
  await visitor.page.goto(url)
  await visitor.press('Continue')
  await signIn(visitor)
  await visitor.page.getByRole('heading', { name: /^Let / }).waitFor()
}

/** Waits until the browser has arrived at the client; what it was told, as its program would read it. */
export async function waitForAnswer(
  { page }: Visitor,
  callback: string,
): Promise<Record<string, string>> {
  await page.waitForURL((url) => url.href.startsWith(`${callback}?`))
  return Object.fromEntries(new URL(page.url()).searchParams)
}
