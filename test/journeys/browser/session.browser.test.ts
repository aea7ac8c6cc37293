/** What a person who is signed in sees when a client asks: one page, and every choice on it. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { launchChromium } from '../../helpers/chromium.ts'
import { type ClientSite, startClientSite } from '../../helpers/client-site.ts'
import { type Live, startLive } from '../../helpers/live.ts'
import {
  authorizePath,
  type Registered,
  readClaims,
  redeem,
  registerClient,
} from '../../helpers/oauth-client.ts'
import {
  openVisitor,
  signIn,
  type Visitor,
  waitForAnswer,
  walkToConfirmation,
} from '../../helpers/visitor.ts'

const guest = { email: 'guest@example.com', password: 'another battery staple' }

let browser: Browser
let live: Live
let app: ClientSite
let guestId: string
beforeAll(async () => {
  browser = await launchChromium()
  live = await startLive()
  app = await startClientSite('https://client.example')
  const user = await live.gatehouse.context.users.addLocal(guest.email, guest.password, 'user')
  guestId = user.record.value.id
})
afterAll(() => Promise.all([browser, live, app].map((opened) => opened?.close())))

const send = (path: string, init?: RequestInit): Promise<Response> =>
  fetch(live.issuer + path, init)

const register = (): Promise<Registered> =>
  registerClient(send, { client_name: 'Notes reader', redirect_uris: [app.callback] })

const request = (client: Registered, extra?: Record<string, string>): string =>
  live.issuer + authorizePath(client, extra)

/** A person who signed in for some client, and a client that is not connected yet. */
async function openSignedIn(): Promise<Visitor & { readonly client: Registered }> {
  const visitor = await openVisitor(browser)
  await walkToConfirmation(visitor, request(await register()))
  await visitor.press('Allow')
  await waitForAnswer(visitor, app.callback)
  return { ...visitor, client: await register() }
}

describe('a person who is signed in', () => {
  it('is asked on one page (X3)', async () => {
    const visitor = await openSignedIn()
    await visitor.page.goto(request(visitor.client))
    expect(await visitor.page.getByText('owner@example.com').isVisible()).toBe(true)
    await visitor.press('Allow')
    const answer = await waitForAnswer(visitor, app.callback)
    expect(answer).toEqual({ code: expect.any(String), state: 'state-123', iss: live.issuer })
    expect(visitor.complaints).toEqual([])
  })

  it('can deny, and the client is told so (D8, CN-10)', async () => {
    const visitor = await openSignedIn()
    await visitor.page.goto(request(visitor.client))
    await visitor.press('Deny')
    const answer = await waitForAnswer(visitor, app.callback)
    expect(answer).toMatchObject({ error: 'access_denied', state: 'state-123', iss: live.issuer })
    expect(answer.code).toBeUndefined()
    expect(visitor.complaints).toEqual([])
  })

  it('can grant less than was asked for, but not nothing (X3)', async () => {
    const visitor = await openSignedIn()
    const { page, client } = visitor
    await page.goto(request(client, { scope: 'notes:read notes:write' }))
    await page.getByRole('checkbox', { name: 'Read your notes' }).uncheck()
    await page.getByRole('checkbox', { name: 'Change your notes' }).uncheck()
    await visitor.press('Allow')
    await page.getByText('Tick at least one permission').waitFor()
    await page.getByRole('link', { name: 'Try again' }).click()
    await page.getByRole('checkbox', { name: 'Change your notes' }).uncheck()
    await visitor.press('Allow')
    const { code } = await waitForAnswer(visitor, app.callback)
    expect((await redeem(send, client, code ?? '')).body.scope).toBe('notes:read')
  })

  it('can be somebody else for this client (X3)', async () => {
    const visitor = await openSignedIn()
    await visitor.page.goto(request(visitor.client))
    await visitor.press('Use another account')
    await visitor.press('Continue')
    await signIn(visitor, guest)
    await visitor.page.getByText(guest.email).waitFor()
    await visitor.press('Allow')
    const { code } = await waitForAnswer(visitor, app.callback)
    const { body } = await redeem(send, visitor.client, code ?? '')
    expect(readClaims(body.access_token).sub).toBe(guestId)
    expect(visitor.complaints).toEqual([])
  })

  it('approves nothing on a page that another account was shown (CN-19)', async () => {
    const visitor = await openSignedIn()
    await visitor.page.goto(request(visitor.client))
    const other = await visitor.context.newPage()
    await other.goto(request(visitor.client))
    await other.getByRole('button', { name: 'Use another account' }).click()
    await other.getByRole('button', { name: 'Continue' }).waitFor()
    const answer = visitor.page.waitForResponse(
      (response) => response.request().method() === 'POST',
    )
    await visitor.press('Allow')
    expect((await answer).status()).toBe(403)
  })
})

describe('a remembered choice', () => {
  /** Somebody who let the client in once and for all, to read. */
  async function openRemembering() {
    const visitor = await openSignedIn()
    await visitor.page.goto(request(visitor.client, { scope: 'notes:read' }))
    await visitor.page.getByRole('checkbox', { name: /^Remember/ }).check()
    await visitor.press('Allow')
    await waitForAnswer(visitor, app.callback)
    await visitor.page.goto('about:blank')
    return visitor
  }

  it('spares the page to whoever opens the address, and its code is as good (CN-04)', async () => {
    const visitor = await openRemembering()
    await visitor.page.goto(request(visitor.client, { scope: 'notes:read' }))
    const { code } = await waitForAnswer(visitor, app.callback)
    expect((await redeem(send, visitor.client, code ?? '')).body.scope).toBe('notes:read')
  })

  it('is not ridden by a link of another site, nor of a neighbour on this computer (CN-04)', async () => {
    const { page, client } = await openRemembering()
    const neighbour = await startClientSite('http://localhost')
    onTestFinished(() => neighbour.close())
    const link = request(client, { scope: 'notes:read' }).replaceAll('&', '&amp;')
    for (const site of [app, neighbour]) {
      site.serve('/lure', `<!doctype html><a href="${link}">Win</a>`)
      await page.goto(`${site.origin}/lure`)
      await page.getByRole('link').click()
      await page.getByRole('button', { name: 'Allow' }).waitFor()
    }
  })

  it.each([
    ['when the client wants the person asked', { scope: 'notes:read', prompt: 'consent' }],
    ['when the client asks for more', { scope: 'notes:read notes:write' }],
  ])('does not answer %s (CN-13)', async (_when, extra) => {
    const { page, client } = await openRemembering()
    await page.goto(request(client, extra))
    await page.getByRole('button', { name: 'Allow' }).waitFor()
  })
})
