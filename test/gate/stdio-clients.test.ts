/** What clients of a program may get wrong, or leave, at nobody's cost but their own (X10; catalogue DS-02). */
import { describe, expect, it, vi } from 'vitest'
import { verifiesEach } from '../verifies.ts'
import { bearer, post } from './harness.ts'
import {
  openSession,
  readAnswer,
  readMessages,
  readResult,
  startStdioGate,
  toolCall,
  toStateless,
} from './stdio-fixture.ts'

/** Calls a tool that does not answer, as a client that takes no streams, and leaves once the program has it. */
async function leaveCall(url: string, init: RequestInit, isThere: () => Promise<boolean>) {
  const leaving = new AbortController()
  const headers = { ...init.headers, accept: 'application/json' }
  const left = fetch(url, { ...init, headers, signal: leaving.signal }).catch(() => undefined)
  await expect.poll(isThere).toBe(true)
  leaving.abort()
  await left
}

describe('a client that leaves before there is an answer', () => {
  it('does not keep its session in use', async () => {
    const gate = await startStdioGate({ program: { maxProcessesPerUser: 1 } })
    const { headers, call } = await openSession(gate)
    const isThere = async () => JSON.stringify(await call('seen')).includes('"hang"')
    await leaveCall(gate.mcp, post(toolCall('h', 'hang', { until: 'noon' }), headers), isThere)
    await expect.poll(async () => (await openSession(gate)).status).toBe(200)
  })

  it('without a session has its request cancelled at once (MCP 2026-07-28)', async () => {
    const gate = await startStdioGate()
    const token = bearer(await gate.mint())
    let next = 1
    const see = async () => {
      const params = { name: 'seen', arguments: {} }
      const asked = toStateless({ id: `s${next++}`, method: 'tools/call', params }, token)
      return JSON.stringify(await readResult(await fetch(gate.mcp, asked)))
    }
    const params = { name: 'hang', arguments: { until: 'noon' } }
    const hanging = toStateless({ id: 1, method: 'tools/call', params }, token)
    await leaveCall(gate.mcp, hanging, async () => (await see()).includes('"hang"'))
    await expect.poll(see).toContain('"method":"notifications/cancelled","params":{"requestId":1')
  })
})

describe('a request that is cancelled in a session', () => {
  it('gets no answer, and is over', async () => {
    const { say } = await openSession(await startStdioGate())
    const hanging = await say(toolCall('h', 'hang', { until: 'noon' }))
    const cancelled = { method: 'notifications/cancelled', params: { requestId: 'h' } }
    expect((await say({ jsonrpc: '2.0', ...cancelled })).status).toBe(202)
    expect(await readMessages(hanging).next()).toBeUndefined()
    expect((await say(toolCall('h', 'pid'))).status, 'its id is free').toBe(200)
  })

  it('leaves the rest of its batch to be answered', async () => {
    const { say } = await openSession(await startStdioGate())
    const batch = say([toolCall('h', 'hang', { until: 'noon' }), toolCall('p', 'pid')])
    const streamed = await batch
    const cancelled = { method: 'notifications/cancelled', params: { requestId: 'h' } }
    expect((await say({ jsonrpc: '2.0', ...cancelled })).status).toBe(202)
    const messages = readMessages(streamed)
    expect(await messages.next()).toMatchObject({ id: 'p' })
    expect(await messages.next()).toBeUndefined()
  })
})

describe('what a client says in a session', () => {
  const unknown = ['banana', '1999-01-01', '2025-11-26-beta'].map((name) => ({ name }))
  verifiesEach('T43', unknown, async ({ name }) => {
    const gate = await startStdioGate()
    const { headers, call } = await openSession(gate)
    const given = { ...headers, 'mcp-protocol-version': name }
    expect((await fetch(gate.mcp, post(toolCall(1, 'pid'), given))).status).toBe(400)
    expect((await fetch(gate.mcp, { headers: given })).status).toBe(400)
    expect((await fetch(gate.mcp, { method: 'DELETE', headers: given })).status).toBe(400)
    expect(await call('pid')).toBeTypeOf('number')
  })

  it.each(['2025-03-26', '2025-06-18', '2025-11-25'])('may be in %s', async (revision) => {
    const gate = await startStdioGate()
    const { headers } = await openSession(gate)
    const given = { ...headers, 'mcp-protocol-version': revision }
    const answer = await fetch(gate.mcp, post(toolCall(1, 'pid'), given))
    expect(await readResult(answer)).toBeTypeOf('number')
  })

  it('ends it with 404 when something else is to be said of its caller', async () => {
    const gate = await startStdioGate({ program: { env: { MAIL: { caller: 'email' } } } })
    const admit = (email: string) =>
      gate.context.users.admit('google', { subject: '1', login: 'ann', email, emailVerified: true })
    const sub = (await admit('ann@example.com')).record.value.id
    const { call, say } = await openSession(gate, { sub })
    expect(await call('env')).toMatchObject({ MAIL: 'ann@example.com' })
    const waiting = await say(toolCall('h', 'hang', { until: 'noon' }))
    await admit('ann@example.org')
    gate.advance(61)
    expect((await say(toolCall('p', 'pid'))).status).toBe(404)
    expect(await readMessages(waiting).next()).toMatchObject({ id: 'h', error: { code: -32_603 } })
    const { call: callAgain } = await openSession(gate, { sub })
    expect(await callAgain('env')).toMatchObject({ MAIL: 'ann@example.org' })
  })

  it('with an id that no JSON can say again is no request', async () => {
    const gate = await startStdioGate()
    const { headers } = await openSession(gate)
    const body = '{"jsonrpc":"2.0","id":1e400,"method":"ping"}'
    expect((await fetch(gate.mcp, { ...post({}, headers), body })).status).toBe(202)
  })

  it('never has two requests of one id, nor what is too deep to be written again', async () => {
    const gate = await startStdioGate()
    const { headers, say } = await openSession(gate)
    expect((await say([toolCall('a', 'pid'), toolCall('a', 'pid')])).status).toBe(400)
    const deep = '['.repeat(200_000) + ']'.repeat(200_000)
    const body = `[{"jsonrpc":"2.0","id":1,"method":"ping","params":${deep}}]`
    const init = { ...post({}, headers), body }
    expect((await fetch(gate.mcp, init)).status).toBe(400)
  })
})

it('a program that closes its output is over, though it still runs', async () => {
  const { say } = await openSession(await startStdioGate())
  const answer = await readAnswer(await say(toolCall(1, 'mute')))
  expect(answer).toMatchObject({ error: { message: 'The MCP server ended; try again' } })
})

it('a session is not idle while it answers, however long that takes', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  const gate = await startStdioGate()
  const { say } = await openSession(gate)
  const long = await say(toolCall('l', 'later', { milliseconds: 1500 }))
  for (let seconds = 0; seconds < 900; seconds += 10) await vi.advanceTimersByTimeAsync(10_000)
  expect(await readResult(long)).toBe('at last')
  for (let seconds = 0; seconds < 60; seconds += 10) await vi.advanceTimersByTimeAsync(10_000)
  expect((await say(toolCall('p', 'pid'))).status).toBe(200)
})
