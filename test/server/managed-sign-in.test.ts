/**
 * Registration mode management: people sign in through the application that was made for the client, so that
 * its owner sees and can block each at Auth0 (R2). Auth0 is played by its Management API's emulator and a
 * strict OpenID provider that knows the same applications.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { auth0Management } from '../../src/identity/auth0-management.ts'
import { auth0 } from '../../src/identity/presets/auth0.ts'
import { registerClient as addClient } from '../../src/server/clients/register.ts'
import { upstreamRevocations } from '../../src/storage/records/upstream-revocation.ts'
import { type Auth0Tenant, auth0Credentials, startAuth0 } from '../helpers/auth0-management.ts'
import { type Browser, createBrowser, type Page } from '../helpers/browser.ts'
import {
  startTestGatehouse,
  type TestClock,
  type TestGatehouse,
  testClock,
} from '../helpers/gatehouse.ts'
import {
  authorizePath,
  type Registered,
  redeem,
  refresh,
  registerClient,
} from '../helpers/oauth-client.ts'
import {
  type StrictProvider,
  startStrictProvider,
  strictClient,
} from '../identity/strict-provider.ts'
import { verifiesThat } from '../verifies.ts'

const callback = 'https://mcp.example.com/callback/auth0'

let tenant: Auth0Tenant
let provider: StrictProvider
let server: TestGatehouse
let clock: TestClock
beforeEach(async () => {
  clock = testClock(Math.floor(Date.now() / 1000))
  tenant = await startAuth0()
  provider = await startStrictProvider({
    suffix: '/',
    isGenerous: true,
    toCallback: () => callback,
    knowsPublic: (id) => tenant.clients.has(id),
  })
  server = await startTestGatehouse({
    clock,
    upstreams: [auth0({ ...strictClient, issuer: provider.issuer })],
    reverifySeconds: 60,
    registration: {
      mode: 'management',
      applications: auth0Management({ domain: tenant.url, ...auth0Credentials, clock }),
    },
  })
  await server.gatehouse.context.revocations.ready
})
afterEach(async () => {
  await server.close()
  await provider.close()
  await tenant.close()
})

const applicationOf = (client: Registered): string =>
  [...tenant.clients.values()].find(
    ({ client_metadata: mark }) => mark.gatehouse_client_id === client.client_id,
  )?.client_id ?? ''

const newBrowser = () => createBrowser(server.issuer, server.gatehouse.fetch)

/** Approves as long as there are pages of ours; what is left is an address of somebody else. */
async function allow(browser: Browser, client: Registered): Promise<Page> {
  let page = await browser.open(server.issuer + authorizePath(client))
  while (page.status === 200) page = await browser.press(page, 'decision', 'allow')
  return page
}

/** Connects a client as Ada; also says in whose name she was asked at Auth0. */
async function connect(client: Registered, browser = newBrowser()) {
  let page = await allow(browser, client)
  const askedAs = page.url.searchParams.get('client_id')
  page = await browser.open(await provider.signIn(page.url, 'ada'))
  while (page.status === 200) page = await browser.press(page, 'decision', 'allow')
  const tokens = await redeem(server.send, client, page.url.searchParams.get('code') ?? '')
  return { askedAs, browser, tokens, refreshToken: tokens.body.refresh_token ?? '' }
}

describe('in management mode', () => {
  verifiesThat('R2', 'people sign in through the application of the client', async () => {
    const client = await registerClient(server.send)
    const { askedAs, tokens } = await connect(client)
    expect(askedAs).toBe(applicationOf(client))
    expect(askedAs).not.toBe('')
    expect(tokens.status).toBe(200)
    expect(server.audit.map(({ event }) => event)).toContain('sign-in.succeeded')
  })

  it('who is signed in through one application is asked through that of another', async () => {
    const first = await registerClient(server.send)
    const second = await registerClient(server.send, { client_name: 'Another' })
    const { browser } = await connect(first)
    expect((await allow(browser, first)).url.origin).toBe('https://client.example')
    const { askedAs, tokens } = await connect(second, browser)
    expect([askedAs, tokens.status]).toEqual([applicationOf(second), 200])
  })

  it('a client that its owner registered here goes through the one client at the provider', async () => {
    const made = await addClient(
      {
        redirect_uris: ['https://client.example/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
      { origin: 'preregistered', id: 'by-hand' },
      server.gatehouse.context,
    )
    const client = { client_id: 'by-hand', redirect_uris: ['https://client.example/callback'] }
    expect(made).toBeDefined()
    const { askedAs, tokens } = await connect(client)
    expect([askedAs, tokens.status]).toEqual([strictClient.clientId, 200])
  })

  it('asks later with the application that the tokens were given to', async () => {
    const client = await registerClient(server.send)
    const { refreshToken } = await connect(client)
    for (let round = 0, newest = refreshToken; round < 3; round += 1) {
      clock.advance(61)
      const answer = await refresh(server.send, client, newest)
      expect(answer.status).toBe(200)
      newest = answer.body.refresh_token ?? ''
    }
  })

  it('an application that is deleted at Auth0 takes what it gave with it', async () => {
    const client = await registerClient(server.send)
    const { refreshToken, browser } = await connect(client)
    tenant.clients.delete(applicationOf(client))
    clock.advance(700)
    const answer = await refresh(server.send, client, refreshToken)
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_grant'])
    expect(server.audit).toContainEqual(expect.objectContaining({ event: 'grant.ended' }))
    expect((await allow(browser, client)).url.origin).toBe(new URL(provider.issuer).origin)
  })

  it('a client that is removed leaves nothing to revoke for a week', async () => {
    const client = await registerClient(server.send)
    await connect(client)
    const removed = await server.send(`/register/${client.client_id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${String(client.registration_access_token)}` },
    })
    expect([removed.status, tenant.clients.size]).toEqual([204, 0])
    await expect
      .poll(() => server.audit.map(({ event }) => event), { timeout: 5000 })
      .toContain('upstream.revoked')
    expect(await upstreamRevocations.list(server.gatehouse.context.store)).toEqual([])
  })
})
