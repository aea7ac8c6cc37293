/** A Chromium for the page tests and pictures. Nothing it asks for leaves the process. */
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

/** Where pages pretend to be served from. */
export const pageOrigin = 'https://gatehouse.test'

/** Starts a headless Chromium that makes no connection of its own accord. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** Opens a tab with the given response at {@link pageOrigin}; every other request is refused. */
export async function showPage(context: BrowserContext, response: Response): Promise<Page> {
  const page = await context.newPage()
  const body = await response.text()
  const headers = Object.fromEntries(response.headers)
  await page.route('**/*', (route) =>
    route.request().url() === `${pageOrigin}/`
      ? route.fulfill({ status: response.status, headers, body })
      : route.abort(),
  )
  await page.goto(`${pageOrigin}/`)
  return page
}
