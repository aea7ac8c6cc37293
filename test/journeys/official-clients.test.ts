/** The official MCP clients, as their users run them, against a live deployment. */
import {
  Client,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import {
  type OAuthClientProvider as OAuthClientProviderV1,
  UnauthorizedError as UnauthorizedErrorV1,
} from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approve, type Live, startLive } from '../helpers/live.ts'
import { type Memory, memoryProvider, redirectUri } from '../helpers/memory-provider.ts'

let live: Live
beforeAll(async () => {
  live = await startLive()
})
afterAll(() => live.close())

/** Plays the person in the browser; returns the callback's parameters. */
async function signIn(provider: Memory): Promise<URLSearchParams> {
  if (!provider.opened) throw new Error('The client opened no browser')
  const back = await approve(live.browser(), provider.opened)
  expect(back.url.href).toContain(redirectUri)
  return back.url.searchParams
}

async function useNotes(client: Pick<Client, 'listTools' | 'callTool'>): Promise<void> {
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toContain('add_note')
  const added = await client.callTool({
    name: 'add_note',
    arguments: { title: 'Hello', text: 'World' },
  })
  expect(JSON.stringify(added.content)).toContain('Added note')
}

describe('@modelcontextprotocol/client 2.4', () => {
  for (const mode of ['default', 'auto'] as const) {
    it(`signs in and calls a tool, version negotiation: ${mode} (D70, D71, D76, X10)`, async () => {
      const provider = memoryProvider()
      const url = new URL(live.url)
      const connect = async () => {
        const options = mode === 'auto' ? { versionNegotiation: { mode: 'auto' as const } } : {}
        const client = new Client({ name: 'test', version: '1' }, options)
        const transport = new StreamableHTTPClientTransport(url, { authProvider: provider })
        return { client, transport }
      }
      const first = await connect()
      await expect(first.client.connect(first.transport)).rejects.toThrow(UnauthorizedError)
      const answered = await signIn(provider)
      await first.transport.finishAuth(answered)
      const { client, transport } = await connect()
      await client.connect(transport)
      await useNotes(client)
      await client.close()
    })
  }
})

describe('@modelcontextprotocol/sdk 1.32', () => {
  it('signs in, calls a tool and refreshes (H2, X1)', async () => {
    const provider: OAuthClientProviderV1 & Memory = memoryProvider()
    const connect = () => ({
      client: new ClientV1({ name: 'test', version: '1' }),
      transport: new TransportV1(new URL(live.url), { authProvider: provider }),
    })
    const first = connect()
    await expect(first.client.connect(first.transport)).rejects.toThrow(UnauthorizedErrorV1)
    const answered = await signIn(provider)
    await first.transport.finishAuth(answered.get('code') ?? '')

    const second = connect()
    await second.client.connect(second.transport)
    await useNotes(second.client as never)
    await second.client.close()

    const tokens = provider.saved.get('tokens') as { access_token: string; refresh_token: string }
    provider.saved.set('tokens', { ...tokens, access_token: 'dead' })
    const third = connect()
    await third.client.connect(third.transport)
    await useNotes(third.client as never)
    await third.client.close()
    expect((provider.saved.get('tokens') as typeof tokens).refresh_token).not.toBe(
      tokens.refresh_token,
    )
  })
})
