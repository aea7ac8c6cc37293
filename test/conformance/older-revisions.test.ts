/** Where revisions of MCP, or its documents, differ: what clients of each do must work at the same server. */
import { decodeJwt } from 'jose'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { startTestGatehouse, type TestGatehouse } from '../helpers/gatehouse.ts'
import { authorizePath, redeem, registerClient } from '../helpers/oauth-client.ts'
import { createPerson } from '../helpers/person.ts'
import { verifies, verifiesEach } from '../verifies.ts'

let running: TestGatehouse
beforeEach(async () => {
  running = await startTestGatehouse()
})
afterEach(() => running.close())

/** Authorizes with this `resource` and returns the audience of the token. */
async function findAudience(resource: string | undefined): Promise<unknown> {
  const client = await registerClient(running.send)
  const person = await createPerson(running)
  const code = await person.authorize(client, { resource })
  const { body } = await redeem(running.send, client, code, { resource })
  return decodeJwt(body.access_token ?? '').aud
}

describe('2025-03-26', () => {
  verifies('K1', async () => {
    const response = await running.send('/.well-known/oauth-authorization-server')
    const metadata = (await response.json()) as Record<string, unknown>
    expect(metadata.authorization_endpoint).toBe(`${running.issuer}/authorize`)
    expect(metadata.token_endpoint).toBe(`${running.issuer}/token`)
    expect(metadata.registration_endpoint).toBe(`${running.issuer}/register`)
    const client = await registerClient(running.send)
    expect((await running.send(authorizePath(client))).status).toBe(200)
  })

  verifies('K5', async () => {
    expect(await findAudience(undefined)).toBe(`${running.issuer}/mcp`)
  })
})

describe('spellings of the resource', () => {
  const spellings = ['https://mcp.example.com/mcp', 'HTTPS://MCP.Example.COM/mcp'].concat([
    'https://mcp.example.com:443/mcp',
    'https://mcp.example.com/mcp/',
  ])
  verifiesEach(
    'K4',
    spellings.map((name) => ({ name })),
    async ({ name }) => {
      expect(await findAudience(name)).toBe('https://mcp.example.com/mcp')
    },
  )
})

describe('redirect URIs', () => {
  verifies('K8', async () => {
    const client = await registerClient(running.send, {
      redirect_uris: ['http://127.0.0.1:3118/callback'],
    })
    const person = await createPerson(running)
    const redirect_uri = 'http://127.0.0.1:49152/callback'
    const { url } = await person.approve(client, { redirect_uri })
    expect(url.origin + url.pathname).toBe(redirect_uri)
    const code = url.searchParams.get('code') ?? ''
    expect((await redeem(running.send, client, code, { redirect_uri })).status).toBe(200)
    const elsewhere = authorizePath(client, { redirect_uri: 'http://127.0.0.1:49152/other' })
    expect((await running.send(elsewhere)).status).toBe(400)
  })

  verifies('K11', async () => {
    const client = await registerClient(running.send)
    const person = await createPerson(running)
    const code = await person.authorize(client)
    const wrong = 'https://client.example/other'
    const refused = await redeem(running.send, client, code, { redirect_uri: wrong })
    expect(refused.body.error).toBe('invalid_grant')
    const absent = await redeem(running.send, client, code, { redirect_uri: undefined })
    expect(absent.status).toBe(200)
  })
})
