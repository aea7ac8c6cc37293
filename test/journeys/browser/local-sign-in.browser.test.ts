/** Signing in with e-mail and password, walked by a real browser, up to a tool call by the client. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../../helpers/chromium.ts'
import { type ClientSite, startClientSite } from '../../helpers/client-site.ts'
import { type Live, startLive } from '../../helpers/live.ts'
import {
  authorizePath,
  type Registered,
  redeem,
  registerClient,
} from '../../helpers/oauth-client.ts'
import {
  openVisitor,
  type Visitor,
  waitForAnswer,
  walkToConfirmation,
} from '../../helpers/visitor.ts'

let browser: Browser
let live: Live
let app: ClientSite
let thirdParty: ClientSite
let hoppingApp: ClientSite
beforeAll(async () => {
  browser = await launchChromium()
  live = await startLive()
  app = await startClientSite('http://127.0.0.1')
  thirdParty = await startClientSite('https://elsewhere.example')
  hoppingApp = await startClientSite('https://client.example', thirdParty.callback)
})
afterAll(() =>
  Promise.all([browser, live, app, thirdParty, hoppingApp].map((opened) => opened?.close())),
)

const send = (path: string, init?: RequestInit): Promise<Response> =>
  fetch(live.issuer + path, init)

async function register(...redirectUris: string[]): Promise<Registered> {
  return registerClient(send, { client_name: 'Notes reader', redirect_uris: redirectUris })
}

const request = (client: Registered): string => live.issuer + authorizePath(client)

/** Trades the code for tokens and lists the tools of the notes server; its status. */
async function useTools(client: Registered, code: string | undefined): Promise<number> {
  const tokens = await redeem(send, client, code ?? '')
  const answer = await fetch(live.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokens.body.access_token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  })
  expect(await answer.text()).toContain('list_notes')
  return answer.status
}

const answered = { code: expect.stringMatching(/^[\w-]{20,}$/), state: 'state-123' }

describe('signing in', () => {
  it.each([{ script: true }, { script: false }])(
    'leads a client on this computer to its tools, with script: $script (X3, CN-10)',
    async ({ script }) => {
      const visitor = await openVisitor(browser, { javaScriptEnabled: script })
      const client = await register(app.callback)
      await walkToConfirmation(visitor, request(client))
      await visitor.press('Allow')
      const answer = await waitForAnswer(visitor, app.callback)
      expect(answer).toEqual({ ...answered, iss: live.issuer })
      expect(await useTools(client, answer.code)).toBe(200)
      expect(visitor.complaints).toEqual([])
    },
  )
})

describe('the way back', () => {
  it('would end at a form-action, which Chromium enforces over the whole chain (CN-10)', async () => {
    const visitor = await openVisitor(browser)
    await walkToConfirmation(visitor, request(await register(app.callback)))
    await visitor.page.route('**/consent?*', async (route) => {
      const response = await route.fetch()
      const policy = `${response.headers()['content-security-policy']}; form-action 'self'`
      const headers = { ...response.headers(), 'content-security-policy': policy }
      await route.fulfill({ response, headers })
    })
    await visitor.page.reload()
    const before = app.arrivals.length
    const complaint = visitor.page.waitForEvent('console')
    await visitor.press('Allow')
    expect((await complaint).text()).toContain('form-action')
    expect(app.arrivals.length).toBe(before)
    await expect.poll(() => visitor.complaints).toContain('policy violation: form-action')
  })

  it('goes over a client to a third site, and carries no Referer to either (CN-10, AZ-27)', async () => {
    const visitor = await openVisitor(browser)
    await walkToConfirmation(visitor, request(await register(hoppingApp.callback)))
    await visitor.press('Allow')
    const answer = await waitForAnswer(visitor, thirdParty.callback)
    expect(answer).toEqual({ ...answered, iss: live.issuer })
    const [hop, end] = [hoppingApp.arrivals.at(-1), thirdParty.arrivals.at(-1)]
    expect(hop?.url.search).toBe(end?.url.search)
    expect([hop?.headers.referer, end?.headers.referer]).toEqual([undefined, undefined])
    expect(visitor.complaints).toEqual([])
  })

  it.each([
    ['first page', 'Deny', async () => {}],
    ['sign-in', 'Cancel', (visitor: Visitor) => visitor.press('Continue')],
  ] as const)('is there from the %s, by %s (CN-10)', async (_page, button, arrive) => {
    const visitor = await openVisitor(browser)
    await visitor.page.goto(request(await register(hoppingApp.callback)))
    await arrive(visitor)
    await visitor.press(button)
    const answer = await waitForAnswer(visitor, thirdParty.callback)
    expect(answer).toMatchObject({ error: 'access_denied', state: 'state-123', iss: live.issuer })
    expect(answer.code).toBeUndefined()
    expect(visitor.complaints).toEqual([])
  })

  it('opens the app behind a private-use scheme by itself (X3, CN-10)', async () => {
    const visitor = await openVisitor(browser)
    const callback = 'cursor://anysphere.cursor-mcp/oauth/callback'
    const client = await register(callback)
    await walkToConfirmation(visitor, request(client))
    const leaving = visitor.page.waitForRequest(/^cursor:/)
    await visitor.press('Allow')
    const target = new URL((await leaving).url())
    expect(target.href.startsWith(`${callback}?`)).toBe(true)
    const answer = Object.fromEntries(target.searchParams)
    expect(answer).toEqual({ ...answered, iss: live.issuer })
    expect(await useTools(client, answer.code)).toBe(200)
    expect(visitor.complaints).toEqual([])
  })
})
