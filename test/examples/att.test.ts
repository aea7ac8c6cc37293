/** Every command of the telecom guide (deployments §2), and ChatGPT that has to ask for more before it may pay. */
import { UnauthorizedError } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTelecom } from '../../examples/att/server.ts'
import type { Backend } from '../../examples/serve-mcp.ts'
import { runCommand } from '../cli/command.ts'
import { authorizePath, registerClient } from '../helpers/oauth-client.ts'
import { callTool, chatGpt, connect, finish, redirectUri, type Visit } from './chatgpt.ts'
import { type Example, listFiles, pressOn, startExample } from './harness.ts'

const toEnv = (issuer: string) => ({
  SERVER_URL: issuer,
  OAUTH_ISSUER_URL: issuer,
  GATEHOUSE_TO: backend.url,
})

let backend: Backend
let example: Example
beforeAll(async () => {
  backend = await startTelecom(0)
  example = await startExample({ name: 'att', args: ['--no-sign-in', '--log', 'text'], toEnv })
})
afterAll(async () => {
  await example?.close()
  await backend?.close()
})

describe('the guide of att', () => {
  it('the start says the words that the guide looks for (A1)', async () => {
    const log = await example.untilLogged(/OAuth endpoints registered: .*/)
    expect(log).toContain('OAuth enabled: True')
    expect(log).toContain(`OAuth issuer URL: ${example.issuer}`)
    expect(log).toContain('OAuth provider initialized')
    expect(log).toMatch(/OAuth endpoints registered: \/authorize, \/token, \/register, \/revoke/)
  })

  it('/oauth/stats is open and counts nothing yet (A4)', async () => {
    const { status, json } = await example.run('stats')
    expect(status).toBe(200)
    expect(json()).toEqual({
      oauth_enabled: true,
      issuer_url: example.issuer,
      valid_scopes: ['read', 'write', 'payment', 'account'],
      default_scopes: ['read'],
      clients: 0,
      authorization_codes: 0,
      access_tokens: 0,
      refresh_tokens: 0,
    })
  })

  it('metadata: issuer, endpoints and the four scopes, beside offline_access (A2)', async () => {
    const { issuer } = example
    expect((await example.run('metadata')).json()).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      registration_endpoint: `${issuer}/register`,
      revocation_endpoint: `${issuer}/revoke`,
      scopes_supported: ['read', 'write', 'payment', 'account', 'offline_access'],
    })
  })

  it('/oauth/authorize/page: what an unknown client gets, and the sentences for a known one (A3)', async () => {
    const { status, text } = await example.run('page')
    expect(status).toBe(400)
    expect(text).toContain('Client Not Registered: Unregistered client_id=test')
    const client = await registerClient(example.send, { redirect_uris: [redirectUri] })
    const path = authorizePath(client, { scope: 'read write payment account' })
    const page = await example
      .browser()
      .open(`${example.issuer}/oauth/authorize/page${path.slice(10)}`)
    for (const sentence of [
      'See stores, plans',
      'Change your plan',
      'Pay your bills',
      'Manage your',
    ])
      expect(page.text).toContain(sentence)
  })

  it('without OAuth the tools are open, and stats says so (A1)', async () => {
    const open = await startExample({
      name: 'att',
      toEnv: (issuer) => ({ ...toEnv(issuer), OAUTH_ENABLED: 'false' }),
    })
    try {
      expect(await open.untilLogged(/OAuth enabled: \w+/)).toContain('OAuth enabled: False')
      expect((await open.run('stats')).json()).toMatchObject({ oauth_enabled: false })
    } finally {
      await open.close()
    }
  })

  it('without sign-in there is no public address (A7)', async () => {
    const env = {
      SERVER_URL: 'https://telecom.example',
      OAUTH_ISSUER_URL: 'https://telecom.example',
    }
    const { code, stderr } = await runCommand(['serve', ...listFiles('att'), '--no-sign-in'], {
      env,
    })
    expect(code).toBe(2)
    expect(stderr).toContain(
      'is for this machine only: everyone who finds the address would get in',
    )
  })
})

describe('ChatGPT at att', () => {
  const visit: Visit = async (url) => {
    const browser = example.browser()
    return pressOn(browser, await browser.open(url))
  }

  it('is let in with one click, reads, and asks for more to pay (A6, A7)', async () => {
    const provider = chatGpt()
    const client = await connect(`${example.issuer}/mcp`, provider, visit)
    expect(await callTool(client, 'find_stores', { city: 'Dallas' })).toContain('208 South Street')
    const tokens = () => provider.saved.get('tokens') as Record<string, unknown>
    expect(tokens()).toMatchObject({ scope: 'read offline_access', expires_in: 3600 })

    await expect(callTool(client, 'pay_bill', { amount: 5 })).rejects.toThrow(UnauthorizedError)
    expect(tokens().scope).not.toContain('payment')
    await finish(client, provider, visit)
    expect(tokens().scope).toContain('payment')
    expect(await callTool(client, 'pay_bill', { amount: 5 })).toContain('Paid 5')
    await client.close()

    const id = (provider.saved.get('client') as { client_id: string }).client_id
    const log = await example.untilLogged(/Exchanged authorization code for tokens/)
    expect(log).toContain(
      `Client registered with redirect_uri: ${redirectUri} (Registered client: ${id})`,
    )
    expect(log).toContain(`Generated authorization code for client: ${id}`)
  })
})
