/** Pages in a browser without a server, for the page tests and pictures: nothing asked for leaves the process. */
import type { BrowserContext, Page } from 'playwright-core'

/** Where pages pretend to be served from. */
export const pageOrigin = 'https://gatehouse.test'

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
