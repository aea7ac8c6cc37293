/** A backend that is a program, for requests without a session (X10; MCP 2026-07-28 transports). */
import { describe, expect, it, vi } from 'vitest'
import { call, type Request, start } from './stdio-asking.ts'
import { openSession, readAnswer, readMessages, readResult } from './stdio-fixture.ts'

const discover = (id: unknown): Request => ({ id, method: 'server/discover' })
const listen = (id: unknown): Request => ({ id, method: 'subscriptions/listen' })

describe('requests without a session', () => {
  it('of one grant share a program, and others have their own', async () => {
    const { say, sayAs, started } = await start()
    const pid = await readResult(await say(call(1, 'pid')))
    expect(await readResult(await say(call(2, 'pid')))).toBe(pid)
    for (const whose of [{ sub: 'user-2' }, { client_id: 'mcp_other' }, { gid: 'grant-2' }])
      expect(await readResult(await sayAs(whose, call(3, 'pid')))).not.toBe(pid)
    expect(started()).toBe(4)
  })

  it('have no session in the answer, and none is asked for', async () => {
    const { say } = await start()
    const answer = await say(discover('d'), { 'mcp-session-id': 'of-another-revision' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('mcp-session-id')).toBeNull()
    expect(await readAnswer(answer)).toMatchObject({
      id: 'd',
      result: { supportedVersions: ['2026-07-28'] },
    })
  })

  it('at one time are told apart although their ids are the same (RS-18)', async () => {
    const { say, started } = await start()
    const first = say(call(1, 'hang', { until: 'noon' }))
    await expect.poll(started).toBe(1)
    const [pid, sameToken] = await Promise.all([
      say(call(1, 'pid')).then(readResult),
      say(call('t', 'progress', {}, { progressToken: 7 })).then(readAnswer),
    ])
    expect(pid).toBeTypeOf('number')
    expect(sameToken).toMatchObject({ id: 't' })
    expect(started(), 'one beside the busy one').toBe(2)
    expect(await readResult(await say(call(2, 'release', { until: 'noon' })))).toBe(true)
    expect(await readResult(await first)).toBe('released noon')
  })

  it('bring their own progress and log lines, and no others', async () => {
    const { say } = await start()
    const messages = readMessages(await say(call(1, 'progress', {}, { progressToken: 'p' })))
    for (const progress of [1, 2])
      expect(await messages.next()).toMatchObject({ params: { progressToken: 'p', progress } })
    expect(await messages.next()).toMatchObject({ id: 1 })
    expect(await messages.next()).toBeUndefined()
    const level = { 'io.modelcontextprotocol/logLevel': 'info' }
    const logged = readMessages(await say(call(2, 'log', {}, level)))
    expect(await logged.next()).toMatchObject({ method: 'notifications/message' })
    expect(await logged.next()).toMatchObject({ id: 2 })
    const unasked = readMessages(await say(call(3, 'log')))
    expect(await unasked.next()).toMatchObject({ id: 3 })
  })

  it('that are left are cancelled at the program, whose late answers nobody gets (T8)', async () => {
    const { say, started } = await start()
    const leaving = new AbortController()
    const meta = { 'io.modelcontextprotocol/logLevel': 'info', progressToken: 'late' }
    const hanging = call(1, 'log-and-hang', { until: 'late' }, meta)
    const left = await say(hanging, {}, leaving.signal)
    leaving.abort()
    await left.text().catch(() => undefined)
    const seen = async () => JSON.stringify(await readResult(await say(call(2, 'seen'))))
    await expect.poll(seen).toContain('"method":"notifications/cancelled","params":{"requestId":1')
    expect(started()).toBe(1)
    const pid = await readResult(await say(call('p', 'pid')))
    const likeIt = [call(1, 'pid'), call('t', 'pid', {}, { progressToken: 'late' })]
    for (const each of likeIt) expect(await readResult(await say(each))).not.toBe(pid)
    expect(started(), 'its id and its token are not given again at once').toBe(2)
    expect(await readResult(await say(call(3, 'release', { until: 'late' })))).toBe(true)
  })
})

describe('subscriptions', () => {
  it('bring what they were opened for, each its own, until the client leaves (T22)', async () => {
    const { say } = await start()
    const streams = [readMessages(await say(listen(1))), readMessages(await say(listen('b')))]
    for (const [index, stream] of streams.entries())
      expect(await stream.next()).toMatchObject({
        method: 'notifications/subscriptions/acknowledged',
        params: { _meta: { 'io.modelcontextprotocol/subscriptionId': [1, 'b'][index] } },
      })
    expect(await readResult(await say(call(2, 'publish')))).toBe(2)
    for (const stream of streams)
      expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
    await streams[0]?.leave()
    const seen = async () => JSON.stringify(await readResult(await say(call(3, 'seen'))))
    await expect.poll(seen).toContain('"method":"notifications/cancelled","params":{"requestId":1')
  })

  it('end when the program says so', async () => {
    const { say } = await start()
    const stream = readMessages(await say(listen(1)))
    await stream.next()
    await readAnswer(await say(call(2, 'unsubscribe')))
    expect(await stream.next()).toMatchObject({ method: 'notifications/cancelled' })
    expect(await stream.next()).toBeUndefined()
  })

  it('end with the grant (ST-06)', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const { gate, say } = await start()
    const stream = readMessages(await say(listen(1)))
    await stream.next()
    gate.context.revocations.add('grant-1')
    vi.advanceTimersByTime(2000)
    const end = await stream.next()
    expect(end === undefined || end.error !== undefined).toBe(true)
  })
})

describe('errors of a program', () => {
  it('have their HTTP status: 404 for a method that is unknown (T11)', async () => {
    const { say } = await start()
    const answer = await say({ id: 1, method: 'tools/teleport' })
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ id: 1, error: { code: -32_601 } })
  })

  it('in a revision that it does not have are refused here: 400, and which it has (T10)', async () => {
    const { say } = await start()
    const future = { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' }
    const answer = await say(call(1, 'pid', {}, future), { 'mcp-protocol-version': '2099-01-01' })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      id: 1,
      error: { code: -32_022, data: { supported: ['2026-07-28'], requested: '2099-01-01' } },
    })
  })

  it('that ended before it answered are 502, and the next request is served', async () => {
    const { say } = await start()
    const answer = await say(call(1, 'crash'))
    expect(answer.status).toBe(502)
    expect(await answer.json()).toMatchObject({ error: { code: -32_603 } })
    expect(await readResult(await say(call(2, 'pid')))).toBeTypeOf('number')
  })

  it('that does not start are 503', async () => {
    const { say } = await start({ program: { command: 'there-is-no-such-program', args: [] } })
    const answer = await say(call(1, 'pid'))
    expect(answer.status).toBe(503)
    expect(await answer.text()).not.toContain('no-such-program')
  })
})

describe('a program that knows sessions only', () => {
  it('is asked once: no request reaches it, and clients are sent to initialize (T28)', async () => {
    const { gate, say, started } = await start({ program: { env: { ERA: 'legacy' } } })
    for (const id of [1, 2]) {
      const answer = await say(call(id, 'pid'))
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({ error: { code: -32_600 } })
    }
    expect(started()).toBe(1)
    expect(await (await openSession(gate)).call('pid')).toBeTypeOf('number')
  })

  it('may speak before it is asked', async () => {
    const GREETING = '{"jsonrpc":"2.0","method":"notifications/message","params":{}}'
    const { say } = await start({ program: { env: { ERA: 'legacy', GREETING } } })
    expect((await say(call(1, 'pid'))).status, 'no stream that hides it (T28)').toBe(400)
  })

  it('may keep silent', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { say, started } = await start({ program: { env: { ERA: 'silent' } } })
    const asked = say(discover(1))
    await expect.poll(started, { interval: 1 }).toBe(1)
    await vi.advanceTimersByTimeAsync(25_000)
    expect((await asked).status, 'however long it takes (T28)').toBe(400)
  })

  it('may end when it is asked: its user is sent to initialize at once, and nobody else', async () => {
    const { gate, say, sayAs, started } = await start({ program: { env: { ERA: 'strict' } } })
    for (const id of [1, 2]) expect((await say(call(id, 'pid'))).status).toBe(400)
    expect(started()).toBe(1)
    expect(await (await openSession(gate)).call('pid')).toBeTypeOf('number')
    await sayAs({ sub: 'user-2' }, call(3, 'pid'))
    expect(started(), 'asked again for somebody else').toBe(3)
  })

  it('cannot be feigned by a client that guesses the id of the question', async () => {
    const { say, sayAs } = await start()
    const guessed = { id: 'gatehouse-asks-for-the-era', method: 'tools/list' }
    expect(await readAnswer(await sayAs({ sub: 'user-2' }, guessed))).toMatchObject({
      id: guessed.id,
      result: { tools: expect.anything() },
    })
    expect((await say(call(1, 'pid'))).status).toBe(200)
  })
})

it('a program without sessions says so to clients that want one', async () => {
  const { gate } = await start({ program: { env: { ERA: 'modern' } } })
  const { answer } = await openSession(gate)
  expect(answer).toMatchObject({ id: 0, error: { code: -32_601 } })
})
