/** Ways to get an operation past its policy: each is judged as what it does, or refused. */
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bearer, sendRaw } from '../harness.ts'
import { ask, call, type Guarded, startGuarded } from './fixture.ts'

let guarded: Guarded
beforeAll(async () => {
  guarded = await startGuarded({
    rules: [
      { tool: 'delete_*', scopes: ['write'] },
      { tool: 'zap', deny: true },
      { resource: 'file:///secret/**', scopes: ['account'] },
      { resource: 'file:///exact', scopes: ['account'] },
      { resource: ['file:///public/**', 'db://table*'], scopes: [] },
    ],
  })
})
afterAll(() => guarded.close())
beforeEach(() => {
  guarded.backend.seen.length = 0
})

const params = '{"name":"delete_note","arguments":{}}'

describe('a body that could be read in two ways', () => {
  it.each([
    [
      'method twice',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping","params":${params}}`,
    ],
    [
      'method twice, once escaped',
      `{"id":1,"method":"ping","m\\u0065thod":"tools/call","params":${params}}`,
    ],
    ['params twice', `{"id":1,"method":"tools/call","params":${params},"params":{"name":"get"}}`],
    ['name twice', '{"id":1,"method":"tools/call","params":{"name":"delete_note","name":"get"}}'],
    ['id twice', `{"id":1,"id":2,"method":"tools/call","params":${params}}`],
    [
      'a name twice in the reference',
      '{"id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"a","name":"b"}}}',
    ],
    [
      'params twice within a batch',
      `[{"id":1,"method":"tools/call","params":${params},"params":{"name":"get"}}]`,
    ],
    ['Method beside method', `{"id":1,"method":"ping","Method":"tools/call","params":${params}}`],
    [
      'a long s in params',
      `{"id":1,"method":"tools/call","params":{"name":"get"},"param\u017f":${params}}`,
    ],
    ['Name in place of name', '{"id":1,"method":"tools/call","params":{"Name":"delete_note"}}'],
    [
      'Name beside name',
      '{"id":1,"method":"tools/call","params":{"name":"get","NAME":"delete_note"}}',
    ],
    [
      'method and result',
      '{"id":1,"method":"tools/call","params":{"name":"delete_note"},"result":{}}',
    ],
    ['a byte order mark', `\ufeff{"id":1,"method":"tools/call","params":${params}}`],
    ['a trailing comma', '{"id":1,"method":"ping",}'],
    ['a comment', '{"id":1,/* */"method":"ping"}'],
    ['two texts', '{"id":1,"method":"ping"}{"id":2,"method":"ping"}'],
    ['nothing', ''],
    ['null', 'null'],
    ['a text', '"tools/call"'],
    ['a number', '1'],
    ['an empty batch', '[]'],
    ['a batch in a batch', `[[{"id":1,"method":"ping"}]]`],
    ['no method', '{"jsonrpc":"2.0","id":1}'],
    ['a method that is a list', '{"id":1,"method":["tools/call"]}'],
    ['params that are a list', '{"id":1,"method":"tools/call","params":["delete_note",{}]}'],
    ['a name that is a list', '{"id":1,"method":"tools/call","params":{"name":["delete_note"]}}'],
    ['no name', '{"id":1,"method":"tools/call","params":{}}'],
    ['no params', '{"id":1,"method":"tools/call"}'],
    ['a NUL in the name', '{"id":1,"method":"tools/call","params":{"name":"zap\\u0000x"}}'],
    ['half a surrogate pair', '{"id":1,"method":"tools/call","params":{"name":"a\\ud800"}}'],
    ['a name without end', JSON.stringify(call('x'.repeat(1025)))],
    ['a reference to nothing', '{"id":1,"method":"completion/complete","params":{"ref":{}}}'],
    ['a batch of 51', JSON.stringify(Array.from({ length: 51 }, (_, id) => ask('ping', {}, id)))],
  ])('is refused: %s (RS-15, CVE-2026-27896)', async (_what, body) => {
    const { status, json } = await guarded.send('read', body)
    expect(status).toBe(400)
    expect(json).toMatchObject({ jsonrpc: '2.0', error: { code: -32600 } })
    expect(guarded.backend.seen).toHaveLength(0)
  })

  it('is refused: bytes that are no UTF-8', async () => {
    const bytes = Buffer.from(
      '{"id":1,"method":"tools/call","params":{"name":"delete_note\xff"}}',
      'latin1',
    )
    expect(await guarded.send('read', new Uint8Array(bytes))).toMatchObject({ status: 400 })
    expect(guarded.backend.seen).toHaveLength(0)
  })

  it.each([
    'charset=utf-16le',
    'charset=utf-8; charset=utf-7',
    'x-charset=utf-8; charset=utf-7',
    'x="charset=utf-8"; charset=utf-7',
    "charset=utf-8; charset*=us-ascii'en'utf-7",
  ])('is refused: another charset, %s', async (parameters) => {
    const type = { 'content-type': `application/json; ${parameters}` }
    expect(await guarded.send('read', call('get'), type)).toMatchObject({ status: 415 })
    expect(guarded.backend.seen).toHaveLength(0)
  })

  it('passes when members repeat in different objects only, or in what the tool is given deep down', async () => {
    const message = {
      ...call('get'),
      params: {
        name: 'get',
        arguments: { name: 'a', params: { name: 'b', Method: 'c' }, list: [{ a: 1 }, { a: 2 }] },
      },
    }
    expect(await guarded.send('read', message)).toMatchObject({ status: 200 })
  })
})

describe('a name in disguise', () => {
  it.each([
    call('DELETE_NOTE'),
    call(' delete_note'),
    call('ｄｅｌｅｔｅ_note'),
    call('de\u017fete_note'.replace('\u017f', 'l')),
    { ...call('delete_note'), method: 'Tools/Call' },
    { ...call('delete_note'), method: 'tools/call ' },
    { jsonrpc: '2.0', method: 'tools/call', params: { name: 'delete_note' } },
    { ...call('delete_note'), id: null },
  ])('is judged as what it means: %j', async (message) => {
    expect(await guarded.send('read', message)).toMatchObject({ status: 403 })
    expect(guarded.backend.seen).toHaveLength(0)
  })

  it.each([
    'file:///secret/x',
    'FILE:///Secret/x',
    'file:/secret/x',
    'file:///public/../secret/x',
    'file:///public/%2e%2e%2f%ff/../secret/x',
    'file:///public/x?/../../secret/x',
    'file:///public/x#/../../secret/x',
    'file:///public/\u2025/secret/x',
    'file:///public/%ef%bc%8e%ef%bc%8e/secret/x',
    'file:///public/%2e%2e/secret/x',
    'file:///public/%252e%252e/secret/x',
    'file:///public/..%2fsecret%2fx',
    'file:///public\\..\\secret\\x',
    'file:////secret/x',
    'file:///public//..//..//secret/x',
    'file:///public//..//secret/x',
    'file://localhost/secret/x',
    'file:///%73ecret/x',
    'file:///exact?download',
    'file:///exact#top',
    'file:///./exact',
  ])('of a resource is judged as what it means: %s', async (uri) => {
    expect(await guarded.send('read', ask('resources/read', { uri }))).toMatchObject({
      status: 403,
    })
    expect(guarded.backend.seen).toHaveLength(0)
  })

  it.each(['file:///public/%2525252573', 'file:///exact%00.png', `db://table/${'x'.repeat(2048)}`])(
    'of a resource is refused where nobody could tell: %.40s',
    async (uri) => {
      expect(await guarded.send('read', ask('resources/read', { uri }))).toMatchObject({
        status: 400,
      })
    },
  )

  it.each([
    'file:///public/a/b',
    'db://table?limit=10',
    'db://table',
    'note:abc',
    'file:///exactly',
  ])('is not seen in an honest one: %s', async (uri) => {
    expect(await guarded.send('read', ask('resources/read', { uri }))).toMatchObject({
      status: 200,
    })
  })
})

describe('header fields beside the body', () => {
  const encoded = (name: string) => `=?base64?${Buffer.from(name).toString('base64')}?=`

  it.each([
    [{ 'mcp-method': 'tools/list' }],
    [{ 'mcp-method': 'TOOLS/CALL' }],
    [{ 'mcp-name': 'delete_note' }],
    [{ 'mcp-name': encoded('delete_note') }],
    [{ 'mcp-name': '=?base64?/w==?=' }],
    [{ 'mcp-method': 'tools/call', 'mcp-name': 'Get' }],
  ])('that name another operation are refused: %j (RS-15)', async (headers) => {
    const { status, json } = await guarded.send('read', call('get'), headers)
    expect(status).toBe(400)
    expect(json).toMatchObject({ error: { code: -32020 } })
    expect(guarded.backend.seen).toHaveLength(0)
  })

  it.each<Record<string, string>>([
    { 'mcp-method': 'tools/call', 'mcp-name': 'get' },
    { 'mcp-name': encoded('get') },
  ])('that name the same pass: %j', async (headers) => {
    expect(await guarded.send('read', call('get'), headers)).toMatchObject({ status: 200 })
  })

  it('beside a batch are refused', async () => {
    const headers = { 'mcp-method': 'ping' }
    expect(await guarded.send('read', [ask('ping')], headers)).toMatchObject({ status: 400 })
  })
})

describe('the body', () => {
  it('that the backend gets is the one that was judged, byte for byte', async () => {
    const body = `  {"id": 12345678901234567890, "method":"tools\\/call",\n"params":{"name":"g\\u0065t","arguments":{"n":1.0,"e":1e400,"t":"\\ud83d\\ude00 é"}}}\n`
    expect(await guarded.send('read', body)).toMatchObject({ status: 200 })
    expect(guarded.backend.seen[0]?.body).toBe(body)
    expect(guarded.backend.seen[0]?.headers['content-length']).toBe(String(Buffer.byteLength(body)))
  })

  it('is bounded before it is read (PX-15)', async () => {
    const small = await startGuarded({}, { config: { gateBodyLimitBytes: 1024 } })
    const big = JSON.stringify(call('get', 'x'.repeat(2000)))
    expect(await small.send('read', big)).toMatchObject({ status: 413 })
    const token = await small.gate.mint()
    const chunked = [
      'POST /mcp HTTP/1.1',
      'Host: gate.example',
      `Authorization: ${bearer(token).authorization}`,
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
      'Connection: close',
      '',
      '1000',
      'x'.repeat(4096),
      '0',
      '',
      '',
    ].join('\r\n')
    expect(await sendRaw(small.gate.port, chunked)).toContain('413')
    expect(small.backend.seen).toHaveLength(0)
    await small.close()
  })

  it('is judged in little time, however it is made (DS-03, DS-05)', async () => {
    const hostile = [
      `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
      JSON.stringify({
        ...call('get'),
        params: { name: 'get', arguments: Array.from({ length: 100_000 }, () => ({ a: 1 })) },
      }),
      `{"id":1,"method":"ping","x":"${'\\\\'.repeat(500_000)}"}`,
      JSON.stringify(
        Array.from({ length: 50 }, (_, id) =>
          ask('resources/read', { uri: `file:///secret/${'a/%41'.repeat(330)}` }, id),
        ),
      ),
    ]
    for (const body of hostile) {
      const from = performance.now()
      await guarded.send('read', body)
      expect(performance.now() - from).toBeLessThan(2000)
    }
  })
})

it('no message that is a deletion for any reader passes (generated)', async () => {
  const filler = fc.constantFrom(
    '"x":1',
    '"jsonrpc":"2.0"',
    '"id":1',
    '"name":"get"',
    '"Method":"ping"',
  )
  const members = fc.constantFrom(
    `"params":${params}`,
    '"method":"tools/call"',
    '"method":"ping"',
    '"params":{"name":"get"}',
    '"params":{"name":"get","name":"delete_note"}',
  )
  const token = await guarded.gate.mint({ scope: 'read' })
  const headers = { ...bearer(token), 'content-type': 'application/json' }
  const list = fc.array(fc.oneof(filler, members), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(list, async (parts) => {
      guarded.backend.seen.length = 0
      await fetch(guarded.gate.mcp, { method: 'POST', headers, body: `{${parts.join(',')}}` })
      for (const { body } of guarded.backend.seen) {
        expect(body.match(/tools\/call/g) !== null && body.includes('delete_note')).toBe(false)
      }
    }),
    { numRuns: 150 },
  )
})
