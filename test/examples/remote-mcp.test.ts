/** Every step of the connector guide (deployments §2), ChatGPT through an OpenID provider, and the four errors. */
import { createServer } from 'node:http'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startConnector } from '../../examples/remote-mcp/server.ts'
import { runCommand, startCommand } from '../cli/command.ts'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'
import { startStrictProvider, strictClient } from '../identity/strict-provider.ts'
import { callTool, chatGpt, connect, redirectUri, type Visit } from './chatgpt.ts'
import { type Env, type Example, listFiles, startExample, toFolder } from './harness.ts'

type Closable = { close(): Promise<void> }
const ofOneTest: Closable[] = []
afterEach(async () => {
  for (const opened of ofOneTest.splice(0)) await opened.close()
})

/** A connector with a provider of its own, which knows its callback unless told another. */
async function start(changes: Env = {}, opened: Closable[] = ofOneTest, known?: string) {
  let provider: Awaited<ReturnType<typeof startStrictProvider>> | undefined
  const example = await startExample({
    name: 'remote-mcp',
    toEnv: async (issuer) => {
      const callback = `${issuer}/oauth2/callback`
      provider = await startStrictProvider({ toCallback: () => known ?? callback })
      const backend = await startConnector(0, issuer)
      opened.unshift(provider, backend)
      return {
        SERVER_URL: issuer,
        OAUTH_ISSUER: provider.issuer,
        OAUTH_CLIENT_ID: strictClient.clientId,
        OAUTH_CLIENT_SECRET: strictClient.clientSecret,
        OAUTH_REDIRECT_URI: callback,
        GATEHOUSE_TO: backend.url,
        ...changes,
      }
    },
  })
  opened.unshift(example)
  if (!provider) throw new Error('No provider')
  return { example, provider }
}

const fixed = {
  OAUTH_USE_DYNAMIC_REGISTRATION: 'false',
  GATEHOUSE_REGISTRATION_STATIC_CLIENT_ID: 'chatgpt',
}

/** Approves, signs in at the provider, confirms; tells what the provider was asked. */
function visitThrough(
  { example, provider }: Awaited<ReturnType<typeof start>>,
  look: (authorizationUrl: URL) => void = () => undefined,
): Visit {
  return async (url) => {
    const browser = example.browser()
    const away = await browser.press(await browser.open(url), 'decision', 'allow')
    look(away.url)
    const confirm = await browser.open(await provider.signIn(away.url, 'ada'))
    return browser.press(confirm, 'decision', 'allow')
  }
}

describe('the guide of remote-mcp, with dynamic registration', () => {
  const opened: Closable[] = []
  let running: Awaited<ReturnType<typeof start>>
  let example: Example
  beforeAll(async () => {
    running = await start({}, opened)
    example = running.example
  })
  afterAll(async () => {
    for (const one of opened) await one.close()
  })

  it('discovery has the registration endpoint, below /oauth2 (R2)', async () => {
    const { issuer } = example
    expect((await example.run('metadata')).json()).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/oauth2/authorize`,
      token_endpoint: `${issuer}/oauth2/token`,
      registration_endpoint: `${issuer}/oauth2/register`,
    })
  })

  it('registration answers with id and secret of a client of its own (R2)', async () => {
    const { status, json } = await example.run('register')
    expect(status).toBe(201)
    expect(json()).toMatchObject({
      client_id: expect.stringMatching(/^mcp_[0-9a-f]{32}$/),
      client_secret: expect.stringMatching(/^[0-9a-f]{64}$/),
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'client_secret_post',
    })
  })

  it('ChatGPT registers, signs in at the provider, and the server behind knows who calls (R1, R3)', async () => {
    const provider = chatGpt()
    const asked: URL[] = []
    const client = await connect(
      `${example.issuer}/mcp`,
      provider,
      visitThrough(running, (url) => asked.push(url)),
    )
    const id = (provider.saved.get('client') as { client_id: string }).client_id
    const who = JSON.parse(await callTool(client, 'whoami')) as Record<string, string>
    expect(who).toMatchObject({ sub: expect.any(String), client: id })
    await client.close()

    const [url] = asked
    expect(url?.origin).toBe(new URL(running.provider.issuer).origin)
    expect(Object.fromEntries(url?.searchParams ?? [])).toMatchObject({
      client_id: strictClient.clientId,
      audience: 'https://connector.example.com/api',
      redirect_uri: `${example.issuer}/oauth2/callback`,
    })
    expect(url?.href).not.toContain(id)
  })
})

describe('the guide of remote-mcp, with static registration', () => {
  it('everyone gets the one client of ours, without a secret, for its own addresses (R2)', async () => {
    const running = await start(fixed)
    const { example } = running
    const { status, json } = await example.run('register')
    expect(status).toBe(201)
    expect(json()).toMatchObject({
      client_id: 'chatgpt',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
    })
    for (const member of ['client_secret', 'registration_access_token'])
      expect(json()).not.toHaveProperty(member)
    expect((await example.run('metadata')).json()).toHaveProperty('registration_endpoint')

    const elsewhere = await example.run('register-elsewhere')
    expect(elsewhere.status).toBe(400)
    expect(elsewhere.json()).toMatchObject({ error: 'invalid_redirect_uri' })

    const provider = chatGpt()
    const client = await connect(`${example.issuer}/mcp`, provider, visitThrough(running))
    expect(await callTool(client, 'whoami')).toContain('"client":"chatgpt"')
    await client.close()
  })
})

describe('the four errors of remote-mcp', () => {
  it('"Failed to resolve OAuth client": the start names cause and fix (R3)', async () => {
    const off = { GATEHOUSE_DYNAMIC_REGISTRATION: 'false' }
    const { stderr } = await runCommand(['serve', ...listFiles('remote-mcp')], { env: off })
    expect(stderr).toMatch(
      /OAUTH_USE_DYNAMIC_REGISTRATION in \S+ asks for registration.mode dynamic/,
    )

    const { example } = await start({ ...off, OAUTH_USE_DYNAMIC_REGISTRATION: '' })
    expect((await example.run('metadata')).json()).not.toHaveProperty('registration_endpoint')
    const log = await example.untilLogged(/Failed to resolve OAuth client.*\n/)
    expect(log).toMatch(
      /Registration is off.*gatehouse clients add, or switch dynamicRegistration on/,
    )
  })

  it('"Something went wrong": the start names the exact callback to allow (R3)', async () => {
    const { example } = await start({}, ofOneTest, 'https://connector.example.com/callback')
    const log = await example.untilLogged(/Nobody can sign in.*\n/)
    expect(log).toContain(`${example.issuer}/oauth2/callback: register exactly this address there`)
  })

  it('"Unknown client": the start names whom the provider refuses (R3)', async () => {
    const { example } = await start({ OAUTH_CLIENT_ID: 'mcp_0123456789abcdef' })
    const log = await example.untilLogged(/Nobody can sign in.*\n/)
    expect(log).toContain('refuses the client id or the client secret')
  })

  it.each<[string, Env, string]>([
    ['at the provider', { OAUTH_CLIENT_ID: '' }, 'OAUTH_CLIENT_ID'],
    [
      'of ours',
      { ...fixed, GATEHOUSE_REGISTRATION_STATIC_CLIENT_ID: '' },
      'GATEHOUSE_REGISTRATION_STATIC_CLIENT_ID',
    ],
  ])('an empty client id %s stops the start, by its name (R2)', async (_, env, name) => {
    const { code, stderr } = await runCommand(['serve', ...listFiles('remote-mcp')], { env })
    expect(code).toBe(2)
    expect(stderr).toContain(name)
    expect(stderr).toMatch(/is missing|no static client to hand out/)
  })
})

/** A provider that issues tokens itself: its documents, and a signer of whatever claims. */
async function startTokenIssuer() {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' }
  const server = createServer((request, response) => {
    const metadata = { issuer, jwks_uri: `${issuer}/jwks` }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url === '/jwks' ? { keys: [jwk] } : metadata))
  })
  const issuer = await listenOnLoopback(server)
  const audience = 'https://connector.example.com/api'
  const good = { iss: issuer, aud: audience, sub: 'auth0|ada', scope: 'tasks' }
  return {
    issuer,
    sign: (claims: Record<string, string> = {}) =>
      new SignJWT({ ...good, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .setExpirationTime('5m')
        .sign(privateKey),
    close: () => closeNow(server),
  }
}

const listTasks = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'list_tasks', arguments: {} },
})

describe('the alternative of remote-mcp: tokens of the provider', () => {
  it('are let in when issuer, audience, signature and scopes are right, and clients are sent there (R8)', async () => {
    const { issuer, sign, close } = await startTokenIssuer()
    const backend = await startConnector(0, issuer)
    const verify = ['serve', '--config', join(toFolder('remote-mcp'), 'verify.yaml')]
    const example = await startExample({
      name: 'remote-mcp',
      toEnv: (origin) => ({
        SERVER_URL: origin,
        GATEHOUSE_REGISTRATION_VERIFY_ISSUER: issuer,
        GATEHOUSE_TO: backend.url,
      }),
      start: (env, cwd) => startCommand(verify, { env, cwd }),
    })
    ofOneTest.push(example, backend, { close })
    expect((await example.run('resource')).json()).toMatchObject({
      resource: `${example.issuer}/mcp`,
      authorization_servers: [issuer],
    })
    expect((await example.run('metadata')).status).toBe(404)

    const call = (token: string) =>
      example.send('/mcp', {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2025-06-18',
        },
        body: listTasks,
      })
    const admitted = await call(await sign())
    expect(admitted.status).toBe(200)
    expect(await admitted.text()).toContain('Write the report')
    expect((await call(await sign({ aud: 'https://another.example' }))).status).toBe(401)
    expect((await call(await sign({ iss: 'https://another.example' }))).status).toBe(401)
    expect((await call(await sign({ scope: 'other' }))).status).toBe(403)
  })
})
