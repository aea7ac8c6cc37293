/** Every command of the Hansard guide (deployments §2), and ChatGPT from its registration to a speech. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHansard } from '../../examples/hansard/server.ts'
import type { Backend } from '../../examples/serve-mcp.ts'
import { app, type EmulatedGitHub, startGitHub } from '../helpers/github.ts'
import { callTool, chatGpt, connect, reconnect, redirectUri, type Visit } from './chatgpt.ts'
import { type Example, startExample } from './harness.ts'

const actionSecret = 'the-secret-that-the-owner-typed-into-chatgpt'

let backend: Backend
let github: EmulatedGitHub
let example: Example
beforeAll(async () => {
  backend = await startHansard(0)
  example = await startExample({
    name: 'hansard',
    toEnv: async (issuer) => {
      github = await startGitHub([`${issuer}/callback/github`])
      return {
        SERVER_URL: issuer,
        GITHUB_CLIENT_ID: app.clientId,
        GITHUB_CLIENT_SECRET: app.clientSecret,
        HANSARD_ACTION_SECRET: actionSecret,
        GATEHOUSE_GITHUB_ENDPOINTS_WEB: github.origin,
        GATEHOUSE_GITHUB_ENDPOINTS_API: github.origin,
        GATEHOUSE_TO: backend.url,
      }
    },
  })
})
afterAll(async () => {
  await example?.close()
  await github?.close()
  await backend?.close()
})

/** Approves, signs in at GitHub, confirms. */
const visit =
  (login: string): Visit =>
  async (url) => {
    const browser = example.browser()
    const approve = await browser.open(url)
    expect(approve.text).toContain('chatgpt.com')
    const away = await browser.press(approve, 'decision', 'allow')
    expect(away.url.origin).toBe(github.origin)
    const confirm = await browser.open(await github.signIn(away.url, login))
    return confirm.status === 200 ? browser.press(confirm, 'decision', 'allow') : confirm
  }

describe('the guide of hansard', () => {
  it('POST /register answers 201 with id, secret and redirect URIs, and logs a line (H1, H7)', async () => {
    const answer = await example.run('register')
    expect(answer.status).toBe(201)
    const { client_id: id, ...rest } = answer.json()
    expect(id).toMatch(/^mcp_[0-9a-f]{32}$/)
    expect(rest).toMatchObject({
      client_name: 'ChatGPT Hansard Search',
      client_secret: expect.stringMatching(/^[0-9a-f]{64}$/),
      redirect_uris: [redirectUri],
    })
    const words = `Client registered with redirect_uri: ${redirectUri}`
    expect(await example.untilLogged(new RegExp(words))).toContain(String(id))
  })

  it('metadata: the endpoints at the origin, the issuer without a slash (H2)', async () => {
    const { issuer } = example
    expect((await example.run('metadata')).json()).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      registration_endpoint: `${issuer}/register`,
    })
  })

  it('authorize without PKCE: consent, then GitHub, for the action alone (H4, H5, H6)', async () => {
    const { status, text } = await example.run('authorize', { ID: 'hansard-action' })
    expect(status).toBe(200)
    const shown = [
      '<bdi>Hansard action</bdi>',
      '<p class="host"><bdi>example.com</bdi></p>',
      '<bdi>https://example.com/callback</bdi>',
      'Search the record and read speeches',
    ]
    for (const words of shown) expect(text).toContain(words)
    const browser = example.browser()
    const query = 'redirect_uri=https://example.com/callback&response_type=code&scope=user'
    const approve = await browser.open(
      `${example.issuer}/authorize?client_id=hansard-action&${query}`,
    )
    const away = await browser.press(approve, 'decision', 'allow')
    expect(away.url.href).toContain(`${github.origin}/login/oauth/authorize?`)
  })

  it('authorize without PKCE: a page about PKCE for who registered itself (H5)', async () => {
    const registered = await example.send('/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['https://example.com/callback'] }),
    })
    const { client_id: id } = (await registered.json()) as { client_id: string }
    const { status, text } = await example.run('authorize', { ID: id })
    expect(status).toBe(400)
    expect(text).toContain('PKCE code_challenge and code_challenge_method=S256 are required')
  })

  it('authorize with an unknown client: the words, the cause, what to do, 400 (H8)', async () => {
    const { status, text } = await example.run('authorize', { ID: 'mcp_gone' })
    expect(status).toBe(400)
    expect(text).toContain('Client Not Registered')
    expect(text).toContain('Unregistered client_id=mcp_gone')
    const page = await example.browser().open(`${example.issuer}/authorize?client_id=mcp_gone`)
    expect(page.status).toBe(400)
    expect(page.text).toContain('Unregistered client_id=mcp_gone')
    expect(page.text).toContain('remove this connection and add it again')
  })
})

describe('ChatGPT at hansard', () => {
  it('registers, signs in through GitHub, searches, reads, and goes on after a restart (H1, H3)', async () => {
    const provider = chatGpt()
    const client = await connect(`${example.issuer}/mcp`, provider, visit('octocat'))
    const found = JSON.parse(await callTool(client, 'search', { query: 'quay' })) as {
      results: { id: string }[]
    }
    const [first] = found.results
    expect(await callTool(client, 'fetch', { id: first?.id })).toContain('quay')
    await client.close()

    await example.restart()
    const tokens = provider.saved.get('tokens') as object
    provider.saved.set('tokens', { ...tokens, access_token: 'expired' })
    const again = await reconnect(`${example.issuer}/mcp`, provider)
    expect(await callTool(again, 'search', { query: 'harbour' })).toContain('results')
    await again.close()
  })

  it.each(['user', undefined])('has a client typed in, with the scope %s (H6)', async (scope) => {
    const provider = chatGpt({
      client_id: 'hansard-action',
      client_secret: actionSecret,
      issuer: example.issuer,
    })
    const client = await connect(`${example.issuer}/mcp`, provider, (url) => {
      url.searchParams.delete('scope')
      if (scope !== undefined) url.searchParams.set('scope', scope)
      return visit('octocat')(url)
    })
    expect(await callTool(client, 'search', { query: 'quay' })).toContain('results')
    expect(provider.saved.get('tokens')).toMatchObject({ scope: 'user' })
    await client.close()
    const { stdout } = await example.manage(['clients', 'list'])
    expect(stdout).toContain('hansard-action')
    expect(stdout).toContain('ChatGPT Hansard Search')
  })

  it('lets nobody in who is not on the list (R4)', async () => {
    const provider = chatGpt()
    await expect(connect(`${example.issuer}/mcp`, provider, visit('hubot'))).rejects.toThrow(
      'Your account may not enter here',
    )
  })
})
