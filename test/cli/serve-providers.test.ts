/** What `serve` says of its identity providers at the start, and that it waits for none of them. */
import { createServer, type Server } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'
import { type Notes, reserveProvider, type Served, serveFile } from '../helpers/served-providers.ts'
import { createFolder, runCommand } from './command.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

async function serve(toText: (notes: Notes) => string): Promise<Served> {
  const served = await serveFile(toText)
  opened.push(served)
  return served
}

async function startOkta(callback: string) {
  const okta = await reserveProvider('okta')
  opened.push(okta)
  await okta.start([callback])
  return okta
}

it('prints the callback to register at each provider', async () => {
  const { printed, issuer } = await serve(
    ({ url }) => `to: ${url}
github: { clientId: a, clientSecret: b, callbackPath: /github/oauth/callback, endpoints: { web: "http://127.0.0.1:9", api: "http://127.0.0.1:9" } }
okta: { clientId: a, clientSecret: b, issuer: "http://127.0.0.1:9" }
`,
  )
  expect(printed).toContain(`${issuer}/github/oauth/callback  (as registered at GitHub)`)
  expect(printed).toContain(`${issuer}/callback/okta  (as registered at Okta)`)
})

it('warns of credentials that the provider refuses, without naming the secret (R3)', async () => {
  const okta = await startOkta('http://localhost:1/callback/okta')
  const { running } = await serve(
    ({ url }) => `to: ${url}
log: { format: json }
okta: { clientId: gatehouse, clientSecret: not-the-secret, issuer: "${okta.origin}/oauth2/default" }
`,
  )
  const said = await running.untilAside(/Nobody can sign in[^\n]*\n/)
  const line = said.split('\n').find((text) => text.includes('Nobody can sign in')) ?? ''
  expect(JSON.parse(line)).toMatchObject({
    level: 'warn',
    message: expect.stringMatching(/provider okta: .*client id or the client secret/),
    provider: 'okta',
    callback: expect.stringMatching(/\/callback\/okta$/),
  })
  expect(said).not.toContain('not-the-secret')
})

it('warns of a callback that the provider does not know, and names it (R3)', async () => {
  const okta = await startOkta('http://localhost:1/callback/okta')
  const { running, issuer } = await serve(
    ({ url }) => `to: ${url}
okta: { clientId: gatehouse, clientSecret: emulated-secret, issuer: "${okta.origin}/oauth2/default" }
`,
  )
  const said = await running.untilAside(/Nobody can sign in[^\n]*\n/)
  expect(said).toContain(`${issuer}/callback/okta: register exactly this address there`)
})

it('neither starts nor stops later for a provider that never answers, and serves who does not need it', async () => {
  let asked = 0
  const silent: Server = createServer(() => {
    asked += 1
  })
  const origin = await listenOnLoopback(silent)
  opened.push({ close: () => closeNow(silent) })
  const { issuer, printed, running } = await serve(
    ({ url }) => `to: ${url}
localSignIn: true
oidc: { clientId: a, clientSecret: b, issuer: "${origin}" }
`,
  )
  expect(printed).toContain('is up')
  expect((await fetch(`${issuer}/mcp`)).status).toBe(401)
  expect((await fetch(`${issuer}/readyz`)).status).toBe(200)
  const link = /(http\S+\/setup\?token=\S+)/.exec(printed)?.[1] ?? ''
  expect((await fetch(link)).status).toBe(200)
  expect(asked).toBeLessThanOrEqual(1)
  const before = performance.now()
  running.child.kill('SIGTERM')
  const { code, stderr } = await running.ended
  // The deadline of the question that is still open is ten seconds.
  expect(performance.now() - before).toBeLessThan(8000)
  expect(code).toBe(0)
  expect(stderr).not.toContain('Nobody can sign in')
})

it.each<{ env: Record<string, string>; code: number; says: RegExp }>([
  {
    env: { OAUTH_ISSUER: 'http://id.example.com', OAUTH_CLIENT_ID: 'a', OAUTH_CLIENT_SECRET: 'b' },
    code: 1,
    says: /The provider oidc cannot be used: .*https/,
  },
  {
    env: { GOOGLE_CLIENT_ID: 'a' },
    code: 2,
    says: /GOOGLE_CLIENT_ID: google.clientSecret is missing; .* GOOGLE_CLIENT_SECRET/,
  },
])('ends with one sentence when a provider cannot be: $says', async ({ env, code, says }) => {
  const { folder, remove } = await createFolder()
  opened.push({ close: remove })
  const args = ['serve', '--to', 'http://127.0.0.1:9/mcp', '--port', '0']
  const ended = await runCommand(args, { cwd: folder, env })
  expect(ended.stderr).toMatch(says)
  expect(ended.stderr).not.toContain('    at ')
  expect(ended.code).toBe(code)
})
