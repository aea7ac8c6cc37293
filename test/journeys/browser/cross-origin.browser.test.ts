/** What pages of other origins can do: be an MCP client, and nothing to the person's own pages. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../../helpers/chromium.ts'
import { type ClientSite, startClientSite } from '../../helpers/client-site.ts'
import { startLiveAt } from '../../helpers/front.ts'
import {
  authorizePath,
  type Registered,
  registerClient,
  type TokenAnswer,
  verifier,
} from '../../helpers/oauth-client.ts'
import {
  openVisitor,
  type Visitor,
  waitForAnswer,
  walkToConfirmation,
} from '../../helpers/visitor.ts'

let browser: Browser
/** On this computer, where pages of its own are the neighbours. */
let local: Awaited<ReturnType<typeof startLiveAt>>
/** On the internet. */
let web: Awaited<ReturnType<typeof startLiveAt>>
/** The same site as `local`, so that cookies travel, but another origin. */
let neighbour: ClientSite
/** Another site than `local`, on the same computer. */
let loopbackApp: ClientSite
let webApp: ClientSite
beforeAll(async () => {
  browser = await launchChromium()
  local = await startLiveAt('http://localhost')
  web = await startLiveAt('https://gatehouse.example')
  neighbour = await startClientSite('http://localhost')
  loopbackApp = await startClientSite('http://127.0.0.1')
  webApp = await startClientSite('https://client.example')
})
afterAll(() =>
  Promise.all(
    [browser, local, web, neighbour, loopbackApp, webApp].map((opened) => opened?.close()),
  ),
)

/** A person who is signed in at `local` and on whose screen a client's question stands. */
async function openAsked(): Promise<
  Visitor & { readonly asked: string; readonly client: Registered }
> {
  const visitor = await openVisitor(browser)
  const client = await registerClient(local.send, { redirect_uris: [loopbackApp.callback] })
  const url = local.issuer + authorizePath(client)
  await walkToConfirmation(visitor, url)
  await visitor.press('Allow')
  await waitForAnswer(visitor, loopbackApp.callback)
  await visitor.page.goto(url)
  return { ...visitor, client, asked: visitor.page.url() }
}

/** What a page may read of an answer; nothing when the browser keeps it from the page. */
interface Readable {
  readonly status: number
  readonly text: string
  readonly headers: Record<string, string>
}

/** Fetches as the script of a page does. */
function fetchIn(page: Page, url: string, init: RequestInit = {}): Promise<Readable | undefined> {
  return page.evaluate(
    async ([address, options]) => {
      try {
        const response = await fetch(address, options)
        const headers = Object.fromEntries(response.headers)
        return { status: response.status, text: await response.text(), headers }
      } catch {
        return undefined
      }
    },
    [url, init] as const,
  )
}

/** Posts as the script of a page does, and parses the answer. */
async function postIn<T>(page: Page, url: string, body: unknown): Promise<T> {
  const isForm = body instanceof URLSearchParams
  const answer = await fetchIn(page, url, {
    method: 'POST',
    headers: {
      'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
      'mcp-protocol-version': '2025-06-18',
    },
    body: isForm ? body.toString() : JSON.stringify(body),
  })
  return JSON.parse(answer?.text ?? '{}') as T
}

/** Asks for the tools, as the script of a page does. */
function listToolsIn(page: Page, url: string, token: string): Promise<Readable | undefined> {
  return fetchIn(page, url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  })
}

/** The documents a client reads first, found from the challenge as the script of a page finds them. */
async function discoverIn(page: Page, url: string): Promise<Record<string, string>> {
  const refused = await listToolsIn(page, url, 'nothing')
  expect(refused?.status).toBe(401)
  const named = /resource_metadata="([^"]+)"/.exec(refused?.headers['www-authenticate'] ?? '')
  const headers = { 'mcp-protocol-version': '2025-06-18' }
  const resource = await fetchIn(page, named?.[1] ?? '', { headers })
  const { authorization_servers } = JSON.parse(resource?.text ?? '{}') as Record<string, string[]>
  const issuer = authorization_servers?.[0] ?? ''
  const server = await fetchIn(page, `${issuer}/.well-known/oauth-authorization-server`, {
    headers,
  })
  return JSON.parse(server?.text ?? '{}') as Record<string, string>
}

describe('a page in another origin', () => {
  it.each([
    ['on this computer', () => ({ live: local, app: loopbackApp })],
    ['on the web', () => ({ live: web, app: webApp })],
  ])('%s can be a client from the first 401 to the last (A10, X3)', async (_where, choose) => {
    const { live, app } = choose()
    const visitor = await openVisitor(browser)
    const { page } = visitor
    await page.goto(app.origin)
    const server = await discoverIn(page, live.url)
    const client = await postIn<Registered>(page, server.registration_endpoint ?? '', {
      client_name: 'Page',
      redirect_uris: [app.callback],
      token_endpoint_auth_method: 'none',
    })
    const { client_id } = client

    await walkToConfirmation(visitor, live.issuer + authorizePath(client))
    await visitor.press('Allow')
    const { code = '' } = await waitForAnswer(visitor, app.callback)
    const tokens = await postIn<TokenAnswer['body']>(
      page,
      server.token_endpoint ?? '',
      new URLSearchParams({
        grant_type: 'authorization_code',
        client_id,
        code,
        code_verifier: verifier,
        redirect_uri: app.callback,
      }),
    )
    const { access_token = '', refresh_token = '' } = tokens
    expect((await listToolsIn(page, live.url, access_token))?.text).toContain('list_notes')

    const end = new URLSearchParams({ token: refresh_token, client_id })
    await fetchIn(page, server.revocation_endpoint ?? '', {
      method: 'POST',
      body: end.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect((await listToolsIn(page, live.url, access_token))?.status).toBe(401)
  })

  it('on the web cannot speak to the gate of somebody’s own computer (RS-13)', async () => {
    const { page } = await openVisitor(browser)
    await page.goto(webApp.origin)
    const answer = await listToolsIn(page, local.url, 'nothing')
    expect(answer).toBeUndefined()
    const reasons = local.log.lines.map(({ fields }) => JSON.stringify(fields))
    expect(reasons.join()).toContain('"foreign_origin"')
  })

  it('reads no page of a person, not even as a neighbour with their cookies (DI-09)', async () => {
    const { page, asked, client } = await openAsked()
    await page.goto(neighbour.origin)
    const paths = [
      authorizePath(client),
      new URL(asked).pathname + new URL(asked).search,
      '/',
      '/sign-in',
      '/setup',
      '/callback/github',
    ]
    for (const path of paths) {
      for (const credentials of ['include', 'omit'] as const) {
        expect(await fetchIn(page, local.issuer + path, { credentials }), path).toBeUndefined()
      }
    }
  })

  it('decides nothing, although it knows the token and cookies travel (CN-05)', async () => {
    const { page, asked } = await openAsked()
    const fields = await page
      .locator('input[type=hidden]')
      .evaluateAll((inputs) => inputs.map((input) => input.outerHTML).join(''))
    neighbour.serve(
      '/forged',
      `<!doctype html><form method="post" action="${local.issuer}/consent">${fields}<input name="scope" value="notes:read"><button name="decision" value="allow">Win</button></form>`,
    )
    await page.goto(`${neighbour.origin}/forged`)
    const answer = page.waitForResponse(`${local.issuer}/consent`)
    await page.getByRole('button', { name: 'Win' }).click()
    expect((await answer).status()).toBe(403)
    await page.goto(asked)
    await page.getByRole('button', { name: 'Allow' }).waitFor()
  })
})

describe('clickjacking', () => {
  it('finds no page that a neighbour or a stranger can frame (CN-09)', async () => {
    const { page, asked, client } = await openAsked()
    const addresses = [
      local.issuer + authorizePath(client),
      asked,
      `${local.issuer}/`,
      `${local.issuer}/authorize?client_id=nobody`,
      `${local.issuer}/callback/github?code=c&state=s`,
      `${local.issuer}/nothing-here`,
    ]
    for (const site of [neighbour, loopbackApp]) {
      for (const address of addresses) {
        await openTrap(page, site, address)
        await expect.poll(() => page.frames()[1]?.url()).toBe('chrome-error://chromewebdata/')
      }
      await openTrap(page, site, `${neighbour.origin}/fine`)
      await expect.poll(() => page.frames()[1]?.url()).toBe(`${neighbour.origin}/fine`)
    }
  })
})

/** Opens a page of a site that frames an address. */
async function openTrap(page: Page, site: ClientSite, address: string): Promise<void> {
  site.serve('/trap', `<!doctype html><iframe src="${address.replaceAll('&', '&amp;')}"></iframe>`)
  await page.goto(`${site.origin}/trap`)
}
