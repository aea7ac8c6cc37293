/** HTTP+SSE where OAuth is off: all callers look alike, and none may shut out the others (A1, N2). */
import { afterEach, expect, it } from 'vitest'
import { post, startGate } from './harness.ts'
import { answered, readEventData, startNewBackend, startOldBackend } from './old-transport.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

const ssePath = '/mcp/sse'
const moreThanOneUserHas = 33

it.each(['sse', 'streamable-http'] as const)(
  'serves more clients at once than one user may have, without a token (%s)',
  async (transport) => {
    const backend = await (transport === 'sse' ? startOldBackend() : startNewBackend())
    const gate = await startGate({
      to: `${backend.origin}/sse`,
      backend: { transport, ssePath },
      config: { oauthEnabled: false },
    })
    open.push(backend, gate)
    for (let count = 1; count < moreThanOneUserHas; count += 1)
      expect((await fetch(gate.url + ssePath)).status).toBe(200)
    const next = readEventData(await fetch(gate.url + ssePath))
    const address = gate.url + (await next())
    expect((await fetch(address, post({ jsonrpc: '2.0', id: 1, method: 'ping' }))).status).toBe(202)
    expect(JSON.parse((await next()) ?? '')).toEqual(answered(1))
  },
)

it('ends no session of a bridge for another one', async () => {
  const backend = await startOldBackend()
  const gate = await startGate({
    to: `${backend.origin}/sse`,
    backend: { transport: 'sse', ssePath },
    config: { oauthEnabled: false },
  })
  open.push(backend, gate)
  const begin = () => {
    const message = { jsonrpc: '2.0', id: 0, method: 'initialize' }
    return fetch(gate.mcp, post(message, { accept: 'application/json' }))
  }
  const first = await begin()
  for (let count = 0; count < moreThanOneUserHas; count += 1)
    expect((await begin()).status).toBe(200)
  const session = { 'mcp-session-id': first.headers.get('mcp-session-id') ?? '' }
  const ended = await fetch(gate.mcp, { method: 'DELETE', headers: session })
  expect(ended.status).toBe(204)
})
