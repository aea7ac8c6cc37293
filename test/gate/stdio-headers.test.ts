/** What a request without a session must say in its header fields, before a program sees it (MCP 2026-07-28). */
import { describe, expect, it } from 'vitest'
import { verifiesEach } from '../verifies.ts'
import { bearer } from './harness.ts'
import { call, start } from './stdio-asking.ts'
import { readAnswer, readResult, toStateless } from './stdio-fixture.ts'

describe('the header fields of a request without a session', () => {
  const revisions = [
    { name: 'no revision', headers: { 'mcp-protocol-version': '' } },
    { name: 'another revision', headers: { 'mcp-protocol-version': '2027-01-01' } },
  ]
  const names: { name: string; headers: Record<string, string> }[] = [
    { name: 'no method', headers: { 'mcp-method': '' } },
    { name: 'another method', headers: { 'mcp-method': 'tools/list' } },
    { name: 'no name', headers: { 'mcp-name': '' } },
    { name: 'another name', headers: { 'mcp-name': 'crash' } },
  ]
  /** Whatever they say otherwise, no program sees the request (RS-15). */
  async function expectMismatch({ headers }: { headers: Record<string, string> }): Promise<void> {
    const { gate, started } = await start()
    const init = toStateless(call(1, 'pid'), bearer(await gate.mint()))
    const given = new Headers(init.headers)
    for (const [name, value] of Object.entries(headers)) {
      if (value === '') given.delete(name)
      else given.set(name, value)
    }
    const answer = await fetch(gate.mcp, { ...init, headers: given })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ id: 1, error: { code: -32_020 } })
    expect(started()).toBe(0)
  }
  verifiesEach('T9', revisions, expectMismatch)
  verifiesEach('T14', names, expectMismatch)

  const members = [{ name: 'protocolVersion' }, { name: 'clientCapabilities' }]
  verifiesEach('T19', members, async ({ name }) => {
    const { say, started } = await start()
    const lacking = { [`io.modelcontextprotocol/${name}`]: undefined }
    const answer = await say(call(1, 'pid', {}, lacking))
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ id: 1, error: { code: -32_602 } })
    expect(started()).toBe(0)
  })

  it('that repeat a parameter must say the same, once the program has said which do (T14)', async () => {
    const { say } = await start()
    const here = call(1, 'echo', { region: 'here', count: 42 })
    expect((await say(here)).status, 'not known yet').toBe(200)
    await readAnswer(await say({ id: 2, method: 'tools/list' }))
    const right = { 'mcp-param-region': 'here', 'mcp-param-count': '42.0' }
    expect(await readResult(await say(here, right))).toEqual({ region: 'here', count: 42 })
    const encoded = { ...right, 'mcp-param-region': '=?base64?aGVyZQ==?=' }
    expect((await say(here, encoded)).status).toBe(200)
    const wrong = ['there', '=?base64?aGVyZQ?=', '=?base64?dGhlcmU=?=']
    for (const region of wrong)
      expect((await say(here, { ...right, 'mcp-param-region': region })).status).toBe(400)
    expect((await say(here)).status, 'missing').toBe(400)
    const without = call(3, 'echo', { count: 42 })
    expect((await say(without, { 'mcp-param-count': '42' })).status).toBe(200)
    expect((await say(without, right)).status, 'nothing to repeat').toBe(400)
  })

  const ping = { jsonrpc: '2.0', method: 'ping' }
  const bodies = [
    { name: 'a notification', body: { jsonrpc: '2.0', method: 'notifications/x', params: {} } },
    { name: 'a response', body: { jsonrpc: '2.0', id: 1, result: {} } },
    {
      name: 'a batch',
      body: [
        { ...ping, id: 1, params: {} },
        { ...ping, id: 2 },
      ],
    },
  ]
  verifiesEach('T3', bodies, async ({ body }) => {
    const { gate, started } = await start()
    const { headers } = toStateless(call(1, 'pid'), bearer(await gate.mint()))
    const init = { method: 'POST', headers: headers ?? {}, body: JSON.stringify(body) }
    expect((await fetch(gate.mcp, init)).status).toBe(400)
    expect(started()).toBe(0)
  })
})
