/** Gatehouse inside servers that were there before it (S7, X11): one suite through four hosts. */
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterEach, describe, expect, it } from 'vitest'
import { createGatehouse } from '../src/gatehouse.ts'
import type { Gatehouse } from '../src/options.ts'
import { systemClock } from '../src/platform/clock.ts'
import type { AuditEvent } from '../src/platform/ports.ts'
import { memoryStore } from '../src/storage/memory.ts'
import { type HostMaker, hosts, openHost } from './embedding-hosts.ts'
import { createBrowser } from './helpers/browser.ts'
import { keptLog, masterKey, noLimits } from './helpers/gatehouse.ts'
import { approve, owner } from './helpers/live.ts'
import { type Memory, memoryProvider } from './helpers/memory-provider.ts'
import { verifiesThat } from './verifies.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Embedded {
  readonly origin: string
  readonly gatehouse: Gatehouse
  readonly audit: AuditEvent[]
}

async function start(make: HostMaker): Promise<Embedded> {
  const host = await openHost()
  closers.push(host.close)
  const store = memoryStore({ clock: systemClock })
  const audit: AuditEvent[] = []
  const gatehouse = await createGatehouse({
    issuer: host.origin,
    backends: [{ name: 'Notes' }],
    store,
    masterKey,
    scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' },
    defaultScopes: ['notes:read'],
    limits: noLimits,
    log: keptLog(),
    audit: (event) => audit.push(event),
  })
  closers.push(
    () => store.close(),
    () => gatehouse.close(),
  )
  await gatehouse.context.users.addLocal(owner.email, owner.password, 'owner')
  host.use(await make(gatehouse))
  return { origin: host.origin, gatehouse, audit }
}

/** Connects the official client, whose person allows everything. */
async function connect({ origin }: Embedded, provider: Memory): Promise<Client> {
  const url = new URL('/mcp', origin)
  const open = () => new StreamableHTTPClientTransport(url, { authProvider: provider as never })
  const first = open()
  const refused = await new Client({ name: 'tests', version: '1' })
    .connect(first as never)
    .catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(UnauthorizedError)
  const browser = createBrowser(origin, (request) => fetch(request))
  const back = await approve(browser, provider.opened ?? '')
  await first.finishAuth(back.url.searchParams.get('code') ?? '')
  const client = new Client({ name: 'tests', version: '1' })
  await client.connect(open() as never)
  closers.push(() => client.close())
  return client
}

function readToken(provider: Memory): string {
  return (provider.saved.get('tokens') as { access_token: string }).access_token
}

describe.each(hosts)('Gatehouse in %s', (_name, make) => {
  verifiesThat(
    'S7',
    'an official client signs in and calls a tool of the host, which knows who calls',
    async () => {
      const embedded = await start(make)
      const provider = memoryProvider()
      const client = await connect(embedded, provider)
      const { content } = await client.callTool({ name: 'whoami', arguments: {} })
      const [{ text }] = content as [{ text: string }]
      const [user] = await embedded.gatehouse.context.users.list()
      expect(JSON.parse(text)).toEqual({
        clientId: (provider.saved.get('client') as { client_id: string }).client_id,
        scopes: ['notes:read'],
        resource: `${embedded.origin}/mcp`,
        extra: {
          userId: user?.record.value.id,
          grantId: expect.stringMatching(/./),
          tokenId: expect.stringMatching(/./),
        },
      })
    },
  )

  verifiesThat('X11', 'as a library: everything else is left to the host', async () => {
    const { origin } = await start(make)
    expect(await (await fetch(`${origin}/hello?x=1`)).json()).toEqual({ hello: 'from the host' })
    const nothing = await fetch(`${origin}/nothing`, { method: 'POST', body: '{}' })
    expect([nothing.status, await nothing.text()]).toEqual([404, 'host'])
  })

  it('reads its own forms before a body parser of the host does', async () => {
    const { origin } = await start(make)
    const answer = await fetch(`${origin}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: 'nobody',
        code: 'x',
      }),
    })
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ error: 'invalid_client' })
  })

  it('sends away who has no token, with the challenge that leads to one (RS-01)', async () => {
    const { origin } = await start(make)
    const answer = await fetch(`${origin}/mcp`, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(401)
    const challenge = answer.headers.get('www-authenticate') ?? ''
    expect(challenge).not.toContain('error=')
    const [, metadata = ''] = /resource_metadata="([^"]+)"/.exec(challenge) ?? []
    expect(await (await fetch(metadata)).json()).toMatchObject({ resource: `${origin}/mcp` })
  })

  it('asks for the scope that a route needs and the token lacks (A6)', async () => {
    const embedded = await start(make)
    const provider = memoryProvider()
    await connect(embedded, provider)
    const headers = { authorization: `Bearer ${readToken(provider)}` }
    const answer = await fetch(`${embedded.origin}/write`, { method: 'POST', headers })
    expect(answer.status).toBe(403)
    const challenge = answer.headers.get('www-authenticate')
    expect(challenge).toContain('error="insufficient_scope"')
    expect(challenge).toContain('notes:write')
  })

  it('lets no token in whose grant ended, nor one for another host name (RS-13)', async () => {
    const embedded = await start(make)
    const { origin, gatehouse, audit } = embedded
    const provider = memoryProvider()
    await connect(embedded, provider)
    const headers = {
      authorization: `Bearer ${readToken(provider)}`,
      origin: 'https://evil.example',
    }
    expect((await fetch(`${origin}/write`, { method: 'POST', headers })).status).toBe(403)
    expect(audit.at(-1)).toMatchObject({ event: 'gate.refused', reason: 'foreign_origin' })
    const [user] = await gatehouse.context.users.list()
    const ended = await gatehouse.context.users.remove(user?.record.value.id ?? '')
    for (const id of ended) gatehouse.context.revocations.add(id)
    const { origin: _, ...plain } = headers
    expect((await fetch(`${origin}/mcp`, { method: 'POST', headers: plain })).status).toBe(401)
  })

  it('answers the preflight of a browser client (A10)', async () => {
    const { origin } = await start(make)
    const answer = await fetch(`${origin}/mcp`, {
      method: 'OPTIONS',
      headers: { origin: 'http://localhost:6274', 'access-control-request-method': 'POST' },
    })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  })
})

describe('a guard', () => {
  it('says at once which backend it does not know', async () => {
    const { gatehouse, origin } = await start(async () => () => {})
    const guarded = gatehouse.guard(new Request(`${origin}/mcp`), { backend: 'other' })
    await expect(guarded).rejects.toThrow(TypeError)
  })
})
