/** A person who signed in once and approves whatever a client asks for: a code costs one page and one click. */
import { type Browser, createBrowser, type Page } from './browser.ts'
import type { TestGatehouse } from './gatehouse.ts'
import { authorizePath, type Registered } from './oauth-client.ts'

export interface Person {
  readonly userId: string
  readonly browser: Browser
  /** Opens the client's authorization request and allows it; returns where the browser ends up. */
  approve(client: Registered, extra?: Record<string, string | undefined>): Promise<Page>
  /** The same, and returns the code. */
  authorize(client: Registered, extra?: Record<string, string | undefined>): Promise<string>
}

const password = 'correct horse battery'

/** Adds a user to a Gatehouse and signs in when the first client asks. */
export async function createPerson(
  { gatehouse, issuer }: TestGatehouse,
  email = 'ada@example.com',
): Promise<Person> {
  const user = await gatehouse.context.users.addLocal(email, password, 'owner')
  const browser = createBrowser(issuer, gatehouse.fetch)

  const approve: Person['approve'] = async (client, extra) => {
    let page = await browser.open(issuer + authorizePath(client, extra))
    for (let step = 0; step < 4 && page.status === 200; step++) {
      page = page.url.pathname.endsWith('/sign-in')
        ? await browser.press(page, '', '', { email, password })
        : await browser.press(page, 'decision', 'allow')
    }
    return page
  }
  return {
    userId: user.record.value.id,
    browser,
    approve,
    async authorize(client, extra) {
      const { url, status, text } = await approve(client, extra)
      const code = url.searchParams.get('code')
      const title = /<title>(.*?)<\/title>/.exec(text)?.[1]
      if (code === null) throw new Error(`No code at ${url}, but ${status} ${title}`)
      return code
    },
  }
}
