/** A backend that begins to demand one provider (`signInWith`): what another vouched for before counts no more. */
import { expect, it, onTestFinished } from 'vitest'
import type { BackendOptions } from '../../src/backend-options.ts'
import type { Upstream } from '../../src/identity/upstream.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { startBackend } from '../gate/harness.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import { redeem, refresh } from '../helpers/oauth-client.ts'
import { type Site, startSite, takeStep } from '../helpers/site.ts'

/** A provider that knows everybody and gives a token of its own. */
function provider(id: string): Upstream {
  return {
    id,
    label: id,
    start: async ({ redirectUri, state }) =>
      new URL(`https://${id}.example/?${new URLSearchParams({ redirectUri, state })}`),
    finish: async () => ({ subject: '1', login: 'ada', tokens: { accessToken: `token-of-${id}` } }),
  }
}

/** The code with which somebody comes back to the client who signed in at a provider. */
async function enter(site: Site, id: string): Promise<string> {
  const browser = site.browser()
  const chooser = await site.walk(browser, 'sign-in')
  const { searchParams } = (await browser.press(chooser, 'upstream', id)).url
  const state = searchParams.get('state') ?? ''
  const callback = `${searchParams.get('redirectUri')}?${new URLSearchParams({ state, code: 'x' })}`
  const back = await takeStep(browser, await browser.open(callback))
  return back.url.searchParams.get('code') ?? ''
}

function call({ send }: TestGatehouse, accessToken = ''): Promise<Response> {
  const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }
  return send('/mcp', { method: 'POST', headers, body: '{}' })
}

/** Somebody connected through GitHub; then the server starts anew, and its backend demands Okta. */
async function startDemanding() {
  const clock = testClock()
  const store = memoryStore({ clock })
  const server = await startBackend()
  const backend: BackendOptions = { to: `${server.origin}/mcp`, forward: 'upstream-token' }
  const settings = { store, clock, upstreams: [provider('github'), provider('okta')] }
  const before = await startSite({ ...settings, backends: [backend] })
  const { body } = await redeem(before.send, before.client, await enter(before, 'github'))
  const code = await enter(before, 'github')
  await before.close()
  const after = await startTestGatehouse({
    ...settings,
    backends: [{ ...backend, signInWith: 'okta' }],
  })
  await after.gatehouse.context.revocations.ready
  onTestFinished(async () => {
    await after.close()
    await store.close()
    await server.close()
  })
  return { after, server, client: before.client, tokens: body, code }
}

it('refresh tokens and codes of another provider are refused (UP-12)', async () => {
  const { after, client, tokens, code } = await startDemanding()
  const refused = { error: 'invalid_grant' }
  expect((await refresh(after.send, client, tokens.refresh_token ?? '')).body).toMatchObject(
    refused,
  )
  expect((await redeem(after.send, client, code)).body).toMatchObject(refused)
})

it('the token of another provider never reaches the backend: 401 (UP-12)', async () => {
  const { after, server, tokens } = await startDemanding()
  const answer = await call(after, tokens.access_token)
  expect(answer.status).toBe(401)
  expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
  expect(server.seen).toEqual([])
})
