/** A policy holds on every way to a backend: what is posted to a stream, and what is bridged (A6, N2). */
import { afterEach, describe, expect, it } from 'vitest'
import type { Policy } from '../../src/oauth/policy.ts'
import { bearer, type GateOptions, post, startGate } from './harness.ts'
import { answered, readEventData, startNewBackend, startOldBackend } from './old-transport.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

const ssePath = '/mcp/sse'
const policy: Policy = {
  connect: ['read'],
  rules: [
    { tool: 'drop', deny: true },
    { tool: 'delete_*', scopes: ['write'] },
  ],
}

const call = (name: string, id = 7) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name },
})
const initialize = { jsonrpc: '2.0', id: 0, method: 'initialize', params: {} }

/** Says something, as a client that has connected. */
type Say = (message: unknown, scope?: string) => Promise<Response>

interface Started {
  readonly say: Say
  /** The answer to the last request that passed, wherever it comes. */
  readonly hear: (answer: Response) => Promise<unknown>
  /** Bodies of the messages that the backend has got. */
  readonly got: () => string[]
  /** The path whose metadata a challenge names. */
  readonly door: string
}

type Start = (rules: Policy, exchange: GateOptions['exchange']) => Promise<Started>

/** An old client, in front of a backend of either kind. */
const startOldClient =
  (transport: 'sse' | 'streamable-http'): Start =>
  async (rules, exchange) => {
    const backend = await (transport === 'sse' ? startOldBackend() : startNewBackend())
    const to = `${backend.origin}/sse`
    const settings = { transport, ssePath, policy: rules }
    const gate = await startGate({ to, backend: settings, ...(exchange && { exchange }) })
    open.push(backend, gate)
    const headers = bearer(await gate.mint({ scope: 'read' }))
    const next = readEventData(await fetch(gate.url + ssePath, { headers }))
    const address = gate.url + (await next())
    return {
      say: async (message, scope = 'read') =>
        fetch(address, post(message, bearer(await gate.mint({ scope })))),
      hear: async () => JSON.parse((await next()) ?? ''),
      got: () => backend.seen.filter(({ method }) => method === 'POST').map(({ body }) => body),
      door: ssePath,
    }
  }

const startNewClient: Start = async (rules, exchange) => {
  const backend = await startOldBackend()
  const to = `${backend.origin}/sse`
  const settings = { transport: 'sse', ssePath, policy: rules } as const
  const gate = await startGate({ to, backend: settings, ...(exchange && { exchange }) })
  open.push(backend, gate)
  let session: Record<string, string> = {}
  const say: Say = async (message, scope = 'read') => {
    const headers = { ...bearer(await gate.mint({ scope })), ...session }
    return fetch(gate.mcp, post(message, { accept: 'application/json', ...headers }))
  }
  const begun = await say(initialize)
  session = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' }
  return {
    say,
    hear: (answer) => answer.json(),
    got: () => {
      const bodies = backend.seen.flatMap(({ method, body }) => (method === 'POST' ? [body] : []))
      return bodies.slice(1)
    },
    door: '/mcp',
  }
}

describe.each([
  ['an old client of an old server', startOldClient('sse')],
  ['an old client, bridged', startOldClient('streamable-http')],
  ['an old server, bridged', startNewClient],
])('a policy before %s', (_, start) => {
  it.each(['node', 'web'] as const)(
    'refuses a tool call with 403 and what it needs, and lets the others pass (%s)',
    async (exchange) => {
      const { say, hear, got, door } = await start(policy, exchange)
      const refused = await say(call('delete_note'))
      expect(refused.status).toBe(403)
      const challenge = refused.headers.get('www-authenticate')
      expect(challenge).toContain('error="insufficient_scope"')
      expect(challenge).toContain('scope="read write"')
      expect(challenge).toContain(`/.well-known/oauth-protected-resource${door}"`)
      expect(got()).toEqual([])

      const passed = call('delete_note', 8)
      expect(await hear(await say(passed, 'read write'))).toEqual(answered(8))
      expect(got()).toEqual([JSON.stringify(passed)])
    },
  )

  it('refuses what nobody may, also within a batch, a batch as a whole, and any disguise', async () => {
    const { say, got } = await start(policy, 'node')
    for (const scope of ['read', 'read write']) {
      expect((await say(call('drop'), scope)).status).toBe(403)
      expect((await say([call('list', 1), call('drop', 2)], scope)).status).toBe(403)
    }
    const { params, ...rest } = call('drop')
    expect((await say({ ...rest, Method: 'ping', params })).status).toBe(400)
    expect((await say(call('list'), 'write')).status).toBe(403)
    expect(got()).toEqual([])
  })
})

it('an old client needs the scopes of connecting for its stream', async () => {
  const backend = await startOldBackend()
  const settings = { transport: 'sse', ssePath, policy } as const
  const gate = await startGate({ to: `${backend.origin}/sse`, backend: settings })
  open.push(backend, gate)
  const headers = bearer(await gate.mint({ scope: 'write' }))
  const { status } = await fetch(gate.url + ssePath, { headers })
  expect([status, backend.seen.length]).toEqual([403, 0])
})

describe('a refusal as a tool result', () => {
  const asResult = { ...policy, answer: 'tool-result' } as const

  it('is for whoever reads answers to what it posts', async () => {
    const { say } = await startNewClient(asResult, 'node')
    const answer = await say(call('delete_note'))
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ id: 7, result: { isError: true } })
  })

  it.each(['sse', 'streamable-http'] as const)(
    'would be read by no old client, which gets 403 (%s)',
    async (transport) => {
      const { say, got } = await startOldClient(transport)(asResult, 'node')
      const answer = await say(call('delete_note'))
      expect(answer.status).toBe(403)
      expect(answer.headers.get('www-authenticate')).toContain('insufficient_scope')
      expect(got()).toEqual([])
    },
  )
})
