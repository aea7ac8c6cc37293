/** What ChatGPT reads: challenges in tool results, and what each tool needs in `tools/list` (Apps SDK). */
import { afterEach, describe, expect, it } from 'vitest'
import type { Policy } from '../../../src/oauth/policy.ts'
import { ask, call, type Guarded, readChallenge, startGuarded } from './fixture.ts'

let guarded: Guarded
afterEach(() => guarded.close())

const policy: Policy = {
  connect: ['read'],
  rules: [
    { tool: 'pay_*', scopes: ['payment'] },
    { tool: 'zap', deny: true },
  ],
}

describe('answer: tool-result', () => {
  const asResult: Policy = { ...policy, answer: 'tool-result' }

  it('refuses a tool call with a result that carries the challenge', async () => {
    guarded = await startGuarded(asResult)
    const { status, challenge, json } = await guarded.send('read', call('pay_bill', 'seven'))
    expect({ status, challenge }).toEqual({ status: 200, challenge: null })
    expect(json).toEqual({
      jsonrpc: '2.0',
      id: 'seven',
      result: {
        isError: true,
        content: [{ type: 'text', text: expect.stringContaining('needed for the tool pay_bill') }],
        _meta: { 'mcp/www_authenticate': [expect.any(String)] },
      },
    })
    const [written] = /Bearer [^]*?"(?=\])/.exec(JSON.stringify(json).replaceAll('\\"', "'")) ?? []
    expect(written).toContain("error='insufficient_scope'")
    expect(written).toContain("error_description='The scopes read payment are needed")
    expect(written).toContain("scope='read payment'")
    expect(guarded.gate.audits.at(-1)).toMatchObject({ reason: 'scope_missing' })
    expect(guarded.backend.seen).toHaveLength(0)
  })

  it('marks the result as complete for clients of 2026-07-28', async () => {
    guarded = await startGuarded(asResult)
    const version = { 'mcp-protocol-version': '2026-07-28' }
    const { json } = await guarded.send('read', call('pay_bill'), version)
    expect(json).toMatchObject({ result: { resultType: 'complete', isError: true } })
  })

  it('says without a challenge what nobody may', async () => {
    guarded = await startGuarded(asResult)
    const { status, json } = await guarded.send('read', call('zap'))
    expect(status).toBe(200)
    expect(json).toMatchObject({ result: { isError: true } })
    expect(JSON.stringify(json)).not.toContain('www_authenticate')
  })

  it.each([
    ['a batch', [call('pay_bill')]],
    ['a notification', { jsonrpc: '2.0', method: 'tools/call', params: { name: 'pay_bill' } }],
    ['an id that would not come back the same', { ...call('pay_bill'), id: { a: 1 } }],
  ])('refuses %s with 403 all the same', async (_what, body) => {
    guarded = await startGuarded(asResult)
    expect(await guarded.send('read', body)).toMatchObject({ status: 403 })
  })

  it('refuses connecting with 403 all the same', async () => {
    guarded = await startGuarded(asResult)
    const { status, challenge } = await guarded.send('', call('get'))
    expect([status, readChallenge(challenge).scope]).toEqual([403, 'read'])
  })

  it('lets challenges in results of the backend pass as they are', async () => {
    const result = {
      isError: true,
      content: [],
      _meta: { 'mcp/www_authenticate': ['Bearer x="y"'] },
    }
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, result })
    guarded = await startGuarded(asResult, {
      handler: (_incoming, outgoing) =>
        outgoing.writeHead(200, { 'content-type': 'application/json' }).end(text),
    })
    expect(await guarded.send('read', call('get'))).toMatchObject({ status: 200, text })
  })
})

const tools = [
  { name: 'get', inputSchema: { properties: { n: { maximum: '#9223372036854775807#' } } } },
  { name: 'pay_bill', _meta: { color: 'red' }, securitySchemes: [{ type: 'noauth' }] },
  { name: 'zap' },
]
/** With a number that no JavaScript number holds. */
const listed = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools, ttlMs: 5 } })
  .replaceAll('"#', '')
  .replaceAll('#"', '')

const needs = (scopes: string[]) => [{ type: 'oauth2', scopes }]
const announced = {
  jsonrpc: '2.0',
  id: 1,
  result: {
    ttlMs: 5,
    tools: [
      {
        name: 'get',
        securitySchemes: needs(['read']),
        _meta: { securitySchemes: needs(['read']) },
      },
      {
        name: 'pay_bill',
        securitySchemes: needs(['read', 'payment']),
        _meta: { color: 'red', securitySchemes: needs(['read', 'payment']) },
      },
      { name: 'zap' },
    ],
  },
}

describe.each(['node', 'web'] as const)('announce, over the %s exchange', (exchange) => {
  const announcing: Policy = { ...policy, announce: true }
  const answerWith = (fields: Record<string, string>, chunks: readonly (string | Buffer)[]) =>
    startGuarded(announcing, {
      exchange,
      handler: (_incoming, outgoing) => {
        outgoing.writeHead(200, fields)
        const send = (rest: readonly (string | Buffer)[]) => {
          const [next, ...others] = rest
          if (next === undefined) return outgoing.end()
          return outgoing.write(next, () => setImmediate(send, others))
        }
        send(chunks)
      },
    })
  const json = { 'content-type': 'application/json; charset=utf-8' }
  const events = { 'content-type': 'text/event-stream' }

  it('adds what each tool needs, and leaves numbers as they are', async () => {
    const length = { 'content-length': String(Buffer.byteLength(listed)) }
    guarded = await answerWith({ ...json, ...length }, [listed.slice(0, 20), listed.slice(20)])
    const answer = await guarded.send('read', ask('tools/list'))
    expect(answer.json).toMatchObject(announced)
    expect(answer.text).toContain('"maximum":9223372036854775807}')
  })

  it('adds it to the event of a stream that has the list, and to nothing else', async () => {
    const before =
      ': hello\r\n\r\nevent: message\r\ndata: {"method":"notifications/x","params":{"tools":1}}\r\n\r\n'
    const list = `id: 5\nevent: message\ndata: ${listed.replace('"result"', '\ndata: "result"')}\n\n`
    const bytes = Buffer.from(`${before}${list}data: é`)
    const at = bytes.indexOf('"pay')
    const chunks = [bytes.subarray(0, at), bytes.subarray(at, -1), bytes.subarray(-1)]
    guarded = await answerWith(events, chunks)
    const { text } = await guarded.send('read', ask('tools/list'))
    expect(text.startsWith(before)).toBe(true)
    expect(text.endsWith('\n\ndata: é')).toBe(true)
    const [, event = '', data = '{}'] =
      /\r\n\r\n(id: 5\nevent: message\n)data: (.*)\n\n/.exec(text) ?? []
    expect(event).not.toBe('')
    expect(JSON.parse(data)).toMatchObject(announced)
  })

  it.each([
    ['another id', json, listed.replace('"id":1', '"id":2')],
    ['another type', { 'content-type': 'text/plain' }, listed],
    ['not JSON', json, `${listed}}`],
    ['longer than is looked at', json, listed.replace('"zap"', `"${'z'.repeat(4_200_000)}"`)],
  ])('leaves an answer as it is: %s', async (_what, fields, text) => {
    guarded = await answerWith(fields, [text])
    expect((await guarded.send('read', ask('tools/list'))).text).toBe(text)
  })

  it('leaves answers to other requests as they are', async () => {
    guarded = await answerWith(json, [listed])
    expect((await guarded.send('read', ask('resources/list'))).text).toBe(listed)
  })
})

it('leaves an answer as it is that comes compressed although nobody asked', async () => {
  guarded = await startGuarded(
    { ...policy, announce: true },
    {
      handler: (_incoming, outgoing) => {
        outgoing.writeHead(200, {
          'content-type': 'application/json',
          'content-encoding': 'x-none',
        })
        outgoing.end(listed)
      },
    },
  )
  expect((await guarded.send('read', ask('tools/list'))).text).toBe(listed)
})

it('sends a rewritten event as soon as it is complete', async () => {
  let finish = () => {}
  guarded = await startGuarded(
    { ...policy, announce: true },
    {
      handler: (_incoming, outgoing) => {
        outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
        outgoing.write(`data: ${listed}\n\n`)
        finish = () => outgoing.end()
      },
    },
  )
  const token = await guarded.gate.mint({ scope: 'read' })
  const answer = await fetch(guarded.gate.mcp, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(ask('tools/list')),
  })
  const reader = answer.body?.getReader()
  const first = await reader?.read()
  expect(Buffer.from(first?.value ?? []).toString()).toContain('securitySchemes')
  finish()
  expect(await reader?.read()).toMatchObject({ done: true })
})
