/** Every command of the workspace guide (deployments §2), and ChatGPT with a typed-in secret, new and old. */
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorkspace } from '../../examples/notion/server.ts'
import type { Backend } from '../../examples/serve-mcp.ts'
import { runCommand } from '../cli/command.ts'
import { callTool, chatGpt, connect, type Visit } from './chatgpt.ts'
import { type Example, listFiles, person, pressOn, startExample } from './harness.ts'

const secret = 'the-secret-that-the-owner-typed-into-chatgpt'
const callback = 'https://example.com/callback'
const withSecret = {
  TEST_CLIENT_SECRET: 'the-secret-of-the-client-for-curl',
  REDIRECT_URI: callback,
}

let backend: Backend
let example: Example
beforeAll(async () => {
  backend = await startWorkspace(0)
  example = await startExample({
    name: 'notion',
    toEnv: (issuer) => ({
      BASE_URL: issuer,
      OAUTH_CLIENT_SECRET: secret,
      TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
      TEST_CLIENT_SECRET: withSecret.TEST_CLIENT_SECRET,
      GATEHOUSE_TO: backend.url,
    }),
  })
  const added = await example.manage(
    ['users', 'add', person.email, '--password-stdin'],
    person.password,
  )
  expect(added.stderr).toBe('')
})
afterAll(async () => {
  await example?.close()
  await backend?.close()
})

const visit: Visit = async (url) => {
  const browser = example.browser()
  return pressOn(browser, await browser.open(url))
}

/** Allows the client `test` in a browser, as the guide says; the code in the address. */
async function takeCode(): Promise<string> {
  const query = `response_type=code&client_id=test&redirect_uri=${callback}`
  const { url } = await visit(new URL(`${example.issuer}/oauth/authorize?${query}`))
  expect(url.href).toContain(`${callback}?code=`)
  return url.searchParams.get('code') ?? ''
}

describe('the guide of notion', () => {
  it('metadata: the endpoints below /oauth (N3)', async () => {
    const { issuer } = example
    expect((await example.run('metadata')).json()).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/oauth/authorize`,
      token_endpoint: `${issuer}/oauth/token`,
      registration_endpoint: `${issuer}/oauth/register`,
    })
  })

  it('authorize without PKCE is a page for the client that may (N1, H5)', async () => {
    const { status, text } = await example.run('authorize')
    expect(status).toBe(200)
    expect(text).toContain('Test with curl')
    const unknown = await example
      .browser()
      .open(`${example.issuer}/oauth/authorize?response_type=code&client_id=nobody`)
    expect(unknown.status).toBe(400)
    expect(unknown.text).toContain('Client Not Registered')
  })

  it('token: the code counts once, with the secret and the same address; the words say why not (N4)', async () => {
    const refused = async (command: string, variables: Record<string, string>) => {
      const { status, json } = await example.run(command, variables)
      return [status, json().error, json().error_description]
    }
    const code = await takeCode()
    expect(await refused('token', { CODE: code })).toEqual([
      401,
      'invalid_client',
      expect.stringMatching(/^Invalid client: /),
    ])
    const elsewhere = { ...withSecret, CODE: code, REDIRECT_URI: 'https://example.com/other' }
    expect(await refused('token-with-secret', elsewhere)).toEqual([
      400,
      'invalid_grant',
      expect.stringMatching(/^Redirect URI mismatch/),
    ])
    const tokens = await example.run('token-with-secret', { ...withSecret, CODE: code })
    expect(tokens.status).toBe(200)
    expect(tokens.json()).toMatchObject({ token_type: 'Bearer', scope: 'workspace' })
    for (const spent of [code, 'made-up']) {
      expect(await refused('token-with-secret', { ...withSecret, CODE: spent })).toEqual([
        400,
        'invalid_grant',
        expect.stringMatching(/^Invalid authorization code/),
      ])
    }
  })

  it('the placeholder of the key is refused with the command that makes one (N1)', async () => {
    const { code, stderr } = await runCommand(['serve', ...listFiles('notion')])
    expect(code).toBe(2)
    expect(stderr).toMatch(/TOKEN_ENCRYPTION_KEY in \S+\.env\.example: .*openssl rand -base64 32/)
  })
})

describe('ChatGPT at notion', () => {
  it('has id and secret typed in, and finds the rest (N1, N2, N3)', async () => {
    const provider = chatGpt({
      client_id: 'chatgpt',
      client_secret: secret,
      issuer: example.issuer,
    })
    const client = await connect(`${example.issuer}/mcp/sse`, provider, visit)
    expect(provider.opened?.searchParams.get('client_id')).toBe('chatgpt')
    expect(await callTool(client, 'create_page', { title: 'Plan', text: 'Ship' })).toContain('p3')
    await client.close()

    const old = new OldClient({ name: 'old', version: '1.0.0' })
    await old.connect(
      new SSEClientTransport(new URL(`${example.issuer}/mcp/sse`), { authProvider: provider }),
    )
    const { content } = await old.callTool({ name: 'get_page', arguments: { id: 'p3' } })
    expect(JSON.stringify(content)).toContain('Ship')
    await old.close()
  })

  it('with another secret is told so', async () => {
    const provider = chatGpt({
      client_id: 'chatgpt',
      client_secret: 'a guess',
      issuer: example.issuer,
    })
    await expect(connect(`${example.issuer}/mcp/sse`, provider, visit)).rejects.toThrow(
      /Invalid client/,
    )
  })
})
