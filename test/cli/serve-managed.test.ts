/** Registration mode management from a configuration file: sign-in through the client's own application (R2). */
import { afterEach, expect, it } from 'vitest'
import { auth0Credentials, startAuth0 } from '../helpers/auth0-management.ts'
import { createBrowser } from '../helpers/browser.ts'
import { authorizePath, redeem, registerClient } from '../helpers/oauth-client.ts'
import { serveFile } from '../helpers/served-providers.ts'
import { startStrictProvider, strictClient } from '../identity/strict-provider.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

it('an application is made for a client, its people come through it, and it goes with the client', async () => {
  const tenant = await startAuth0()
  let issuer = 'http://localhost:1'
  const provider = await startStrictProvider({
    suffix: '/',
    isGenerous: true,
    toCallback: () => `${issuer}/callback/auth0`,
    knowsPublic: (id) => tenant.clients.has(id),
  })
  opened.push(tenant, provider)
  const served = await serveFile(
    ({ url, header, key }) => `backends: [{ to: "${url}", headers: { ${header}: ${key} } }]
auth0:
  issuer: ${provider.issuer}
  clientId: ${strictClient.clientId}
  clientSecret: "${strictClient.clientSecret}"
registration:
  mode: management
  auth0:
    domain: ${tenant.url}
    clientId: ${auth0Credentials.clientId}
    clientSecret: ${auth0Credentials.clientSecret}
`,
  )
  opened.push(served)
  issuer = served.issuer

  const client = await registerClient(served.send)
  const [application] = [...tenant.clients.values()]
  const browser = createBrowser(issuer, (request) => fetch(request))
  let page = await browser.open(issuer + authorizePath(client))
  while (page.status === 200) page = await browser.press(page, 'decision', 'allow')
  expect(page.url.searchParams.get('client_id')).toBe(application?.client_id)
  page = await browser.open(await provider.signIn(page.url, 'ada'))
  while (page.status === 200) page = await browser.press(page, 'decision', 'allow')
  const code = page.url.searchParams.get('code') ?? ''
  expect((await redeem(served.send, client, code)).status).toBe(200)

  const removed = await served.run('clients', 'remove', client.client_id)
  expect([removed.code, tenant.clients.size]).toEqual([0, 0])
})

it('credentials that Auth0 refuses are told of at the start, before a client meets them', async () => {
  const tenant = await startAuth0()
  opened.push(tenant)
  const served = await serveFile(
    ({ url }) => `to: ${url}
auth0: { issuer: "http://127.0.0.1:9/", clientId: a, clientSecret: b }
registration:
  mode: management
  auth0: { domain: "${tenant.url}", clientId: m2m-client, clientSecret: not-the-secret }
`,
  )
  opened.push(served)
  const said = await served.running.untilAside(/Nobody can register[^\n]*\n/)
  expect(said).toContain('Auth0 refuses the credentials of registration.auth0')
  expect(said).not.toContain('not-the-secret')
})
