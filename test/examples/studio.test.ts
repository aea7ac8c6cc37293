/** Every command of the studio guide (deployments §2), against Fastify with Gatehouse as a plugin, and ChatGPT. */
import { join } from 'node:path'
import { jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startProgram } from '../cli/command.ts'
import { app, type EmulatedGitHub, startGitHub } from '../helpers/github.ts'
import { challenge } from '../helpers/oauth-client.ts'
import { callTool, chatGpt, connect } from './chatgpt.ts'
import { type Env, type Example, startExample, toFolder } from './harness.ts'

const secret = Buffer.alloc(32, 9)
const program = join(toFolder('studio'), 'server.ts')

let github: EmulatedGitHub
let example: Example

const startStudio = (env: Env, cwd: string) =>
  startProgram(program, [env.GATEHOUSE_PORT ?? '', join(toFolder('studio'), '.env.example')], {
    env,
    cwd,
  })

beforeAll(async () => {
  example = await startExample({
    name: 'studio',
    start: startStudio,
    untilUp: /Studio at .*\n/,
    toEnv: async (issuer) => {
      const callback = `${issuer}/github/oauth/callback`
      github = await startGitHub([callback])
      return {
        SERVER_URL: issuer,
        MCP_OAUTH_GITHUB_CLIENT_ID: app.clientId,
        MCP_OAUTH_GITHUB_CLIENT_SECRET: app.clientSecret,
        MCP_OAUTH_REDIRECT_URI: callback,
        MCP_OAUTH_JWT_SECRET: secret.toString('base64'),
        GATEHOUSE_GITHUB_ENDPOINTS_WEB: github.origin,
        GATEHOUSE_GITHUB_ENDPOINTS_API: github.origin,
      }
    },
  })
})
afterAll(async () => {
  await example?.close()
  await github?.close()
})

/** The id of a client that registers with the guide's command. */
async function registerId(): Promise<string> {
  return String((await example.run('register')).json().client_id)
}

describe('the guide of studio', () => {
  it('health and providers tell nothing secret; the owner reads the status document (S3, S9)', async () => {
    const providers = {
      available: ['github'],
      trusted: ['github'],
      redirectUri: `${example.issuer}/github/oauth/callback`,
    }
    expect((await example.run('health')).json()).toEqual({ status: 'ok' })
    expect((await example.run('providers')).json()).toEqual({ providers })
    const { stdout } = await example.manage(['admin-token'])
    const status = await example.run('status', { ADMIN_TOKEN: stdout.trim() })
    expect(status.json()).toEqual({
      providers,
      tokens: { accessTokenExpiry: 3600, refreshTokenExpiry: 2_592_000, algorithm: 'HS256' },
      sessions: { timeout: 86_400, maxPerUser: 5, autoCreateUsers: true },
      http: { basePath: '/auth/oauth', secureCookies: false, sameSitePolicy: 'lax' },
    })
  })

  it('discovery with the path of the MCP server (S2)', async () => {
    const { issuer } = example
    expect((await example.run('metadata')).json()).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/auth/oauth/authorize`,
      token_endpoint: `${issuer}/auth/oauth/token`,
    })
  })

  it('registration at the well-known path answers 201 with everything that was sent (S2)', async () => {
    const { status, json } = await example.run('register')
    expect(status).toBe(201)
    expect(json()).toMatchObject({
      client_id: expect.stringMatching(/^mcp_/),
      client_secret: expect.stringMatching(/^[0-9a-f]{64}$/),
      client_name: 'ChatGPT MCP Client',
      redirect_uris: ['https://chat.openai.com/oauth/callback'],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      scope: 'user:email',
    })
  })

  it('login without PKCE: the exact words, as JSON and as a page (S4)', async () => {
    const words = 'PKCE code_challenge and code_challenge_method=S256 are required'
    const ID = await registerId()
    const { status, json } = await example.run('login', { ID })
    expect(status).toBe(400)
    expect(json()).toEqual({ error: 'invalid_request', error_description: words })
    const query = `response_type=code&client_id=${ID}&redirect_uri=https://chat.openai.com/oauth/callback`
    const page = await example.browser().open(`${example.issuer}/auth/oauth/login?${query}`)
    expect([page.status, page.headers.get('content-type')]).toEqual([
      400,
      expect.stringContaining('text/html'),
    ])
    expect(page.text).toContain(words)
  })

  it('login with PKCE: consent first (S3, H4)', async () => {
    const variables = { ID: await registerId(), CHALLENGE: challenge }
    const { status, text } = await example.run('login-with-pkce', variables)
    expect(status).toBe(200)
    for (const shown of ['ChatGPT MCP Client', 'chat.openai.com', 'Know your e-mail address'])
      expect(text).toContain(shown)
  })

  it('names with both prefixes and different values stop the start (S1)', async () => {
    const env = { OAUTH_JWT_SECRET: 'x'.repeat(43), MCP_OAUTH_JWT_SECRET: 'y'.repeat(43) }
    const { code, stderr } = await startStudio({ ...env, GATEHOUSE_PORT: '0' }, toFolder('studio'))
      .ended
    expect(code).toBe(1)
    expect(stderr).toContain('OAUTH_JWT_SECRET, MCP_OAUTH_JWT_SECRET: jwtSecret has two different')
  })
})

describe('ChatGPT at studio', () => {
  it('signs in through GitHub at the old callback and calls a tool of the Fastify server (S5, S7, S8)', async () => {
    const provider = chatGpt()
    const client = await connect(`${example.issuer}/mcp`, provider, async (url) => {
      const browser = example.browser()
      const away = await browser.press(await browser.open(url), 'decision', 'allow')
      const back = await github.signIn(away.url, 'octocat')
      expect(back.pathname).toBe('/github/oauth/callback')
      return browser.press(await browser.open(back), 'decision', 'allow')
    })
    expect(await callTool(client, 'count_words', { draft: 'three little words' })).toBe('3')
    const { client_id: id } = provider.saved.get('client') as { client_id: string }
    expect(JSON.parse(await callTool(client, 'whoami'))).toMatchObject({ clientId: id })
    await client.close()

    const { access_token: token } = provider.saved.get('tokens') as { access_token: string }
    const { payload, protectedHeader } = await jwtVerify(token, secret, {
      issuer: example.issuer,
      audience: `${example.issuer}/mcp`,
    })
    expect(protectedHeader).toMatchObject({ alg: 'HS256', typ: 'at+jwt' })
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600)
    const home = await example.send('/')
    expect(await home.json()).toEqual({ name: 'studio', mcp: '/mcp' })
  })
})
