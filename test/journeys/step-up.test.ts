/** The official clients are refused by a policy, ask for more, and go on (A6, D50, D54). */
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
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import type { Browser } from '../helpers/browser.ts'
import { approve, type Live, startLive } from '../helpers/live.ts'
import { type Memory, memoryProvider, redirectUri } from '../helpers/memory-provider.ts'
import { verifiesThat } from '../verifies.ts'

let live: Live
let browser: Browser
beforeAll(async () => {
  live = await startLive({
    scopes: { read: 'Read your notes', write: 'Add notes', account: 'Manage everything' },
    defaultScopes: ['read'],
    scopeHierarchy: { account: ['write'], write: ['read'] },
    policy: {
      connect: ['read'],
      rules: [{ tool: 'add_*', scopes: ['write'] }],
      otherwise: ['read'],
    },
  })
})
afterAll(() => live.close())
beforeEach(() => {
  browser = live.browser()
})

/** Plays the person in the browser; returns the callback's parameters. */
async function signIn({ opened }: Memory): Promise<URLSearchParams> {
  if (!opened) throw new Error('The client opened no browser')
  const back = await approve(browser, opened)
  expect(back.url.href).toContain(redirectUri)
  return back.url.searchParams
}

const note = { name: 'add_note', arguments: { title: 'Hello', text: 'World' } }

function findScope({ saved }: Memory): string {
  return (saved.get('tokens') as { scope: string }).scope
}

/** The permissions on the page that opens for the step up, those marked as new among them. */
async function readPage({ opened }: Memory): Promise<{ scopes: string[]; fresh: string[] }> {
  const page = await browser.open(opened ?? '')
  const items = [...page.text.matchAll(/name="scope" value="([^"]*)"[^]*?<\/li>/g)]
  const fresh = items.filter(([item]) => item.includes('class="new"'))
  return { scopes: items.map(([, name = '']) => name), fresh: fresh.map(([, name = '']) => name) }
}

describe('@modelcontextprotocol/client 2.4', () => {
  for (const mode of ['default', 'auto'] as const) {
    verifiesThat('D50', `the client steps up, version negotiation: ${mode}`, async () => {
      const provider = memoryProvider()
      const connect = () => {
        const options = mode === 'auto' ? { versionNegotiation: { mode: 'auto' as const } } : {}
        const client = new Client({ name: 'test', version: '1' }, options)
        const url = new URL(live.url)
        return {
          client,
          transport: new StreamableHTTPClientTransport(url, { authProvider: provider }),
        }
      }
      const first = connect()
      await expect(first.client.connect(first.transport)).rejects.toThrow(UnauthorizedError)
      await first.transport.finishAuth(await signIn(provider))
      const { client, transport } = connect()
      await client.connect(transport)
      expect(findScope(provider).split(' ')).not.toContain('write')
      expect((await client.callTool({ name: 'list_notes' })).isError).not.toBe(true)

      await expect(client.callTool(note)).rejects.toThrow(UnauthorizedError)
      expect(await readPage(provider)).toEqual({ scopes: ['read', 'write'], fresh: ['write'] })
      await transport.finishAuth(await signIn(provider))
      expect(findScope(provider).split(' ')).toContain('write')
      expect(JSON.stringify((await client.callTool(note)).content)).toContain('Added note')
      await client.close()
    })
  }
})

describe('@modelcontextprotocol/sdk 1.32', () => {
  const connect = (provider: OAuthClientProviderV1) => ({
    client: new ClientV1({ name: 'test', version: '1' }),
    transport: new TransportV1(new URL(live.url), { authProvider: provider }),
  })
  async function signedIn(provider: OAuthClientProviderV1 & Memory) {
    const first = connect(provider)
    await expect(first.client.connect(first.transport)).rejects.toThrow(UnauthorizedErrorV1)
    await first.transport.finishAuth((await signIn(provider)).get('code') ?? '')
    const second = connect(provider)
    await second.client.connect(second.transport)
    return second
  }

  verifiesThat('A6', 'a client of 1.x without a refresh token steps up', async () => {
    const provider: OAuthClientProviderV1 & Memory = memoryProvider(['authorization_code'])
    const { client, transport } = await signedIn(provider)
    await expect(client.callTool(note)).rejects.toThrow(UnauthorizedErrorV1)
    expect(provider.opened?.searchParams.get('scope')).toBe('read write')
    await transport.finishAuth((await signIn(provider)).get('code') ?? '')
    expect(JSON.stringify((await client.callTool(note)).content)).toContain('Added note')
    await client.close()
  })

  /** It refreshes in place of asking, which can widen nothing; docs/guides/scopes.md says what helps. */
  verifiesThat('A6', 'one of 1.x with a refresh token is refused and stays connected', async () => {
    const provider = memoryProvider()
    const { client } = await signedIn(provider)
    await expect(client.callTool(note)).rejects.toThrow('403 after trying upscoping')
    expect((await client.callTool({ name: 'list_notes' })).isError).not.toBe(true)
    await client.close()
  })
})

verifiesThat('D54', 'a grant of the broader scope alone is enough for all of it', async () => {
  const provider = memoryProvider()
  const connect = () => ({
    client: new Client({ name: 'test', version: '1' }),
    transport: new StreamableHTTPClientTransport(new URL(live.url), { authProvider: provider }),
  })
  const first = connect()
  await expect(first.client.connect(first.transport)).rejects.toThrow(UnauthorizedError)
  provider.opened?.searchParams.set('scope', 'account')
  await first.transport.finishAuth(await signIn(provider))
  const { client, transport } = connect()
  await client.connect(transport)
  expect(findScope(provider)).toBe('account')
  expect(JSON.stringify((await client.callTool(note)).content)).toContain('Added note')
  await client.close()
})
