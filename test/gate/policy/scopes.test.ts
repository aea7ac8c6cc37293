/** Which scope which operation needs, and how a client hears of it (A6, D50, D54). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { verifies, verifiesEach, verifiesThat } from '../../verifies.ts'
import { bearer } from '../harness.ts'
import { ask, call, type Guarded, readChallenge, startGuarded } from './fixture.ts'

let guarded: Guarded
beforeAll(async () => {
  guarded = await startGuarded({
    connect: ['read'],
    rules: [
      { tool: ['get_*', 'search'], scopes: [] },
      { tool: 'delete_draft', scopes: ['write'] },
      { tool: ['delete_*', 'close_account'], scopes: ['account'] },
      { tool: 'pay_*', scopes: ['payment', 'write'] },
      { tool: '*', scopes: ['write'] },
      { tool: 'format_disk', deny: true },
      { prompt: 'billing*', scopes: ['payment'] },
      { resource: 'file:///secret/**', scopes: ['account'] },
      { resource: 'file:///inbox/*', method: 'resources/subscribe', scopes: ['write'] },
      { method: 'logging/*', deny: true },
    ],
    otherwise: ['read'],
  })
})
afterAll(() => guarded.close())
beforeEach(() => {
  guarded.backend.seen.length = 0
})

const read = 'resources/read'
const uri = (text: string) => ({ uri: text })

const cases = [
  { name: 'a tool that needs nothing more', scope: 'read', message: call('get_bill') },
  { name: 'a tool that needs write', scope: 'read', message: call('add_note'), needs: 'write' },
  { name: 'the same with write', scope: 'read write', message: call('add_note') },
  {
    name: 'two scopes, one held',
    scope: 'read payment',
    message: call('pay_bill'),
    needs: 'payment write',
  },
  { name: 'two scopes, both held', scope: 'read payment write', message: call('pay_bill') },
  { name: 'the first rule that fits', scope: 'read write', message: call('delete_draft') },
  {
    name: 'the rule after it',
    scope: 'read write',
    message: call('delete_note'),
    needs: 'account',
  },
  {
    name: 'a prompt',
    scope: 'read',
    message: ask('prompts/get', { name: 'billing_help' }),
    needs: 'payment',
  },
  {
    name: 'a prompt that is completed',
    scope: 'read',
    message: ask('completion/complete', { ref: { type: 'ref/prompt', name: 'billing_help' } }),
    needs: 'payment',
  },
  { name: 'another prompt', scope: 'read', message: ask('prompts/get', { name: 'hello' }) },
  {
    name: 'a resource',
    scope: 'read',
    message: ask(read, uri('file:///secret/a/b')),
    needs: 'account',
  },
  { name: 'another resource', scope: 'read', message: ask(read, uri('file:///public/a')) },
  {
    name: 'a method and a resource together',
    scope: 'read',
    message: ask('resources/subscribe', uri('file:///inbox/a')),
    needs: 'write',
  },
  {
    name: 'the same resource by another method',
    scope: 'read',
    message: ask(read, uri('file:///inbox/a')),
  },
  {
    name: 'one star that would cross a slash',
    scope: 'read',
    message: ask('resources/subscribe', uri('file:///inbox/a/b')),
  },
  {
    name: 'a resource that a stream is to tell of',
    scope: 'read',
    message: ask('subscriptions/listen', {
      notifications: { resourceSubscriptions: ['file:///a', 'file:///secret/b'] },
    }),
    needs: 'account',
  },
  {
    name: 'a notification of a tool call',
    scope: 'read',
    message: { jsonrpc: '2.0', method: 'tools/call', params: { name: 'add_note' } },
    needs: 'write',
  },
]

describe('a policy', () => {
  verifiesEach('A6', cases, async ({ scope, message, needs }) => {
    const { status, challenge } = await guarded.send(scope, message, {
      'mcp-protocol-version': '2026-07-28',
    })
    expect(status).toBe(needs === undefined ? 200 : 403)
    const { scope: named = '' } = readChallenge(challenge)
    const connecting = needs === undefined ? [] : ['read']
    expect(named.split(' ').filter(Boolean)).toEqual([...connecting, ...(needs?.split(' ') ?? [])])
    expect(guarded.backend.seen).toHaveLength(needs === undefined ? 1 : 0)
  })

  verifies('D50', async () => {
    const { status, challenge, json } = await guarded.send('read', call('pay_bill'))
    expect(status).toBe(403)
    expect(readChallenge(challenge)).toEqual({
      error: 'insufficient_scope',
      scope: 'read payment write',
      resource_metadata: 'https://gate.example/.well-known/oauth-protected-resource/mcp',
      error_description:
        'The scopes read payment write are needed for the tool pay_bill; authorize again with more',
    })
    expect(json).toMatchObject({ error: 'insufficient_scope' })
    expect(guarded.gate.audits.at(-1)).toMatchObject({
      event: 'gate.refused',
      reason: 'scope_missing',
      details: { operations: ['tools/call pay_bill'], needs: 'read payment write' },
    })
  })

  verifiesThat(
    'D50',
    'older clients are told what they have besides, which they would forget',
    async () => {
      const older = await guarded.send('read payment', call('add_note'), {
        'mcp-protocol-version': '2025-11-25',
      })
      expect(readChallenge(older.challenge).scope).toBe('read payment write')
      const newer = await guarded.send('read payment', call('add_note'), {
        'mcp-protocol-version': '2026-07-28',
      })
      expect(readChallenge(newer.challenge).scope).toBe('read write')
    },
  )

  it('says the same each time (RS-23)', async () => {
    const first = await guarded.send('read', call('add_note'))
    const second = await guarded.send('read', call('add_note'))
    expect(second).toEqual(first)
  })

  verifiesThat('D54', 'a broader scope does for a narrower one, over two steps', async () => {
    for (const tool of ['get_bill', 'add_note', 'delete_draft', 'pay_bill', 'delete_note']) {
      expect(await guarded.send('account', call(tool))).toMatchObject({ status: 200 })
    }
    expect(await guarded.send('write', call('add_note'))).toMatchObject({ status: 200 })
    expect(await guarded.send('write', call('delete_note'))).toMatchObject({ status: 403 })
    expect(await guarded.send('payment', call('get_bill'))).toMatchObject({ status: 403 })
  })

  it('denies to everyone, wherever the rule stands, and asks nobody for more', async () => {
    for (const message of [call('format_disk'), ask('logging/setLevel', { level: 'debug' })]) {
      const { status, challenge, json } = await guarded.send('account', message)
      expect({ status, challenge }).toEqual({ status: 403, challenge: null })
      expect(json).toMatchObject({ jsonrpc: '2.0', error: { data: { error: 'access_denied' } } })
    }
    expect(guarded.backend.seen).toHaveLength(0)
  })

  it('needs only what connecting needs for the handshake, and for answers to the backend', async () => {
    const free = [
      ask('initialize', { protocolVersion: '2025-11-25' }),
      ask('server/discover', {}),
      ask('ping'),
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 7, result: { roots: [] } },
      { jsonrpc: '2.0', id: 8, error: { code: -1, message: 'no' } },
    ]
    for (const message of free) {
      expect(await guarded.send('read', message)).toMatchObject({ status: 200 })
      expect(await guarded.send('payment', message)).toMatchObject({ status: 403 })
    }
  })

  it.each(['GET', 'DELETE'])(
    'lets %s pass with what connecting needs, and not without',
    async (method) => {
      const open = async (scope: string) => {
        const headers = bearer(await guarded.gate.mint({ scope }))
        const answer = await fetch(guarded.gate.mcp, { method, headers })
        await answer.body?.cancel()
        return [answer.status, readChallenge(answer.headers.get('www-authenticate')).scope]
      }
      expect(await open('read')).toEqual([200, undefined])
      expect(await open('payment')).toEqual([403, 'payment read'])
    },
  )

  it('names what connecting needs to those who have no token yet', async () => {
    const other = await startGuarded({ connect: ['payment'] })
    const { status, challenge } = await fetch(other.gate.mcp, { method: 'POST' }).then(
      (answer) => ({
        status: answer.status,
        challenge: answer.headers.get('www-authenticate'),
      }),
    )
    expect([status, readChallenge(challenge).scope]).toEqual([401, 'read payment'])
    await other.close()
  })
})

describe('a batch (MCP 2025-03-26)', () => {
  it('passes as a whole, byte for byte', async () => {
    const body = `[${JSON.stringify(call('get_bill'))} , ${JSON.stringify(ask('ping'))}]`
    expect(await guarded.send('read', body)).toMatchObject({ status: 200 })
    expect(guarded.backend.seen[0]?.body).toBe(body)
  })

  it('is refused as a whole, and the challenge names what all of it needs', async () => {
    const batch = [call('get_bill'), call('add_note', 2), call('delete_note', 3)]
    const { status, challenge } = await guarded.send('read', batch)
    expect(status).toBe(403)
    expect(readChallenge(challenge)).toMatchObject({
      scope: 'read write account',
      error_description: expect.stringContaining('the tool add_note and the tool delete_note'),
    })
    expect(guarded.backend.seen).toHaveLength(0)
  })

  it('with one element that nobody may use is denied', async () => {
    const batch = [call('add_note'), call('format_disk', 2)]
    expect(await guarded.send('account', batch)).toMatchObject({ status: 403, challenge: null })
  })
})

describe('what fits no rule', () => {
  it.each([
    [undefined, 200],
    [['write'] as const, 403],
    ['deny' as const, 403],
  ])('with otherwise: %j is answered %i', async (otherwise, status) => {
    const other = await startGuarded({ rules: [{ tool: 'a', scopes: [] }], otherwise })
    expect(await other.send('read', ask('tools/list'))).toMatchObject({ status })
    expect(await other.send('read', call('a'))).toMatchObject({ status: 200 })
    expect(await other.send('read', ask('initialize'))).toMatchObject({ status: 200 })
    await other.close()
  })
})

describe('without a policy', () => {
  it('a body passes unread, whatever it is', async () => {
    const open = await startGuarded(undefined)
    const body = '{"method":"tools/call","method":"ping"'
    expect(await open.send('read', body)).toMatchObject({ status: 200 })
    expect(open.backend.seen[0]?.body).toBe(body)
    await open.close()
  })
})
