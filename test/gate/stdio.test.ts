/** A backend that is a program, for clients with sessions (X10: stdio servers bridged). */
import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, expect, it, vi } from 'vitest'
import { bearer, post } from './harness.ts'
import {
  byHand,
  findLog,
  isRunning,
  openSession,
  readAnswer,
  readMessages,
  readResult,
  startStdioGate,
  toolCall,
} from './stdio-fixture.ts'

describe('a session with a program', () => {
  it('has one of its own, which sees messages as they are', async () => {
    const gate = await startStdioGate()
    const [one, other] = [await openSession(gate), await openSession(gate)]
    expect(one.status).toBe(200)
    expect(one.answer).toMatchObject({ id: 0, result: { protocolVersion: '2025-06-18' } })
    expect(await one.call('pid')).not.toBe(await other.call('pid'))
    expect(await one.call('seen')).toMatchObject([
      { method: 'initialize', id: 0 },
      { method: 'tools/call', id: 1 },
      { method: 'tools/call', id: 2 },
    ])
  })

  it('belongs to one user of one client (RS-17)', async () => {
    const gate = await startStdioGate()
    const { id, call } = await openSession(gate)
    for (const whose of [{ sub: 'user-2' }, { client_id: 'mcp_other' }]) {
      const headers = { ...bearer(await gate.mint(whose)), 'mcp-session-id': id }
      expect((await fetch(gate.mcp, post(toolCall(1, 'pid'), headers))).status).toBe(404)
      expect((await fetch(gate.mcp, { method: 'DELETE', headers })).status).toBe(404)
    }
    expect(await call('pid')).toBeTypeOf('number')
  })

  it('never lets a message become two, whatever ends a line elsewhere', async () => {
    const gate = await startStdioGate()
    const { call, say } = await openSession(gate)
    const text = 'a\u2028b\u2029c\u0085d\re\nf'
    expect(await call('echo', { text })).toEqual({ text })
    const spread = JSON.stringify(toolCall('x', 'echo', { text }), undefined, 2)
    expect(await readResult(await say(JSON.parse(spread)))).toEqual({ text })
    expect(await call('seen')).toHaveLength(4)
  })

  it('answers with JSON at once, and with a stream where there is more to say', async () => {
    const gate = await startStdioGate()
    const { say } = await openSession(gate)
    // However slow the machine is.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const plain = await say(toolCall(1, 'pid'))
    expect(plain.headers.get('content-type')).toBe('application/json')
    const streamed = await say(toolCall(2, 'progress', {}, { progressToken: 'p' }))
    expect(streamed.headers.get('content-type')).toBe('text/event-stream')
    const messages = readMessages(streamed)
    for (const progress of [1, 2])
      expect(await messages.next()).toMatchObject({ params: { progressToken: 'p', progress } })
    expect(await messages.next()).toMatchObject({ id: 2 })
    expect(await messages.next()).toBeUndefined()
  })

  it('keeps a slow answer alive as a stream (ST-05), beside others', async () => {
    const gate = await startStdioGate()
    const { say, call } = await openSession(gate)
    const slow = await say(toolCall('slow', 'hang', { until: 'noon' }))
    expect(slow.headers.get('content-type')).toBe('text/event-stream')
    expect((await say(toolCall('slow', 'pid'))).status, 'an id that waits').toBe(400)
    expect(await call('release', { until: 'noon' })).toBe(true)
    expect(await readResult(slow)).toBe('released noon')
  })

  it('carries the questions of the program and their answers', async () => {
    const gate = await startStdioGate()
    const { say } = await openSession(gate)
    const messages = readMessages(await say(toolCall(1, 'sample')))
    expect(await messages.next()).toMatchObject({ id: 's1', method: 'sampling/createMessage' })
    const said = await say({ jsonrpc: '2.0', id: 's1', result: { text: 'so be it' } })
    expect(said.status).toBe(202)
    expect(await messages.next()).toMatchObject({ id: 1 })
  })

  it('takes a batch, and answers it as one (MCP 2025-03-26)', async () => {
    const gate = await startStdioGate()
    const { say } = await openSession(gate)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const answers: unknown = await (
      await say([toolCall('a', 'echo', { n: 1 }), toolCall('b', 'echo', { n: 2 })])
    ).json()
    expect(answers).toMatchObject([{ id: 'a' }, { id: 'b' }])
  })

  it('passes an answer of several megabytes', async () => {
    const { call } = await openSession(await startStdioGate())
    expect(await call('big', { length: 5_000_000 })).toHaveLength(5_000_000)
  })
})

describe('the program of a session', () => {
  it('gets the variables that are configured, and nothing of ours but what any program needs', async () => {
    vi.stubEnv('TOKEN_ENCRYPTION_KEY', 'the-key-to-everything')
    const gate = await startStdioGate({ program: { env: { NAME: 'value' } } })
    const env = await (await openSession(gate)).call('env')
    expect(env).toMatchObject({ NAME: 'value', PATH: process.env['PATH'] })
    expect(Object.keys(env as object).filter((name) => name !== 'NAME' && name !== 'PATH')).toEqual(
      [],
    )
    vi.unstubAllEnvs()
  })

  it('is told of its caller what is configured', async () => {
    const env = {
      WHO: { caller: 'user-id' },
      WITH: { caller: 'client-id' },
      MAIL: { caller: 'email' },
    } as const
    const gate = await startStdioGate({ program: { env } })
    const session = await openSession(gate, { sub: 'user-7' })
    expect(await session.call('env')).toMatchObject({ WHO: 'user-7', WITH: 'mcp_client' })
    expect(await session.call('env')).not.toHaveProperty('MAIL')
  })

  it('runs where it is told to', async () => {
    const cwd = realpathSync(tmpdir())
    const { call } = await openSession(await startStdioGate({ program: { cwd } }))
    expect(await call('cwd')).toBe(cwd)
  })

  it('ends with its session: by DELETE, revocation, and by never being used again', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const gate = await startStdioGate()
    const ends: ((session: { headers: Record<string, string> }) => unknown)[] = [
      ({ headers }) => fetch(gate.mcp, { method: 'DELETE', headers }),
      () => vi.advanceTimersByTime(700_000),
      () => {
        gate.context.revocations.add('grant-1')
        vi.advanceTimersByTime(2000)
      },
    ]
    for (const end of ends) {
      const session = await openSession(gate)
      const pid = Number(await session.call('pid'))
      await end(session)
      await expect.poll(() => isRunning(pid)).toBe(false)
    }
  })

  it('ends with the gate, also when it does not want to, and with it all that it started', async () => {
    const gate = await startStdioGate({ program: { env: { STUBBORN: '1', CHILD: '1' } } })
    const pid = Number(await (await openSession(gate)).call('pid'))
    const says = () => findLog(gate, 'A program says').map((fields) => String(fields?.['line']))
    await expect.poll(() => says().some((line) => line.startsWith('child '))).toBe(true)
    const child = Number(
      says()
        .find((line) => line.startsWith('child '))
        ?.split(' ')[1],
    )
    expect([isRunning(pid), isRunning(child)]).toEqual([true, true])
    await gate.close()
    expect([isRunning(pid), isRunning(child)]).toEqual([false, false])
  }, 15_000)

  it('may crash: what waits is answered, the client begins again, the owner reads why', async () => {
    const gate = await startStdioGate()
    const session = await openSession(gate)
    expect(await readAnswer(await session.say(toolCall(1, 'crash')))).toMatchObject({
      id: 1,
      error: { message: 'The MCP server ended; try again' },
    })
    expect((await session.say(toolCall(2, 'pid'))).status).toBe(404)
    const [end] = findLog(gate, 'A program ended by itself')
    expect(end).toMatchObject({ exitCode: 3, lastWords: expect.stringContaining('out of luck') })
    expect(await (await openSession(gate)).call('pid')).toBeTypeOf('number')
  })

  it('may greet on standard output, which the owner reads once', async () => {
    const gate = await startStdioGate({ program: { env: { GREETING: 'Welcome!\nReally' } } })
    expect(await (await openSession(gate)).call('pid')).toBeTypeOf('number')
    expect(findLog(gate, 'A program wrote to its standard output')).toMatchObject([
      { line: 'Welcome!' },
    ])
  })

  it('is stopped when it writes without end', async () => {
    const gate = await startStdioGate()
    const { say } = await openSession(gate)
    const answer = await readAnswer(await say(toolCall(1, 'endless')))
    expect(answer).toMatchObject({ id: 1, error: { code: -32_603 } })
    expect(findLog(gate, 'A program is stopped')).toHaveLength(1)
  })

  it('cannot fill the log', async () => {
    const script = `for (let line = 0; line < 5000; line += 1) console.error('line', line)`
    const noisy = `data:text/javascript,${encodeURIComponent(script)}`
    const gate = await startStdioGate({ program: { args: ['--import', noisy, byHand] } })
    await (await openSession(gate)).call('pid')
    expect(findLog(gate, 'A program says').length).toBeLessThanOrEqual(100)
  })
})

describe('a program that does not start', () => {
  it.each([
    ['is not there', { command: 'there-is-no-such-program', args: [] }, 'A program cannot be'],
    ['ends at once', { env: { FAIL: 'no key' } }, 'A program ended by itself'],
    [
      'writes a line without end',
      { args: ['-e', `process.stdout.write('x'.repeat(17 * 1024 * 1024))`] },
      'A program is stopped',
    ],
  ])('%s: said without what it said, and not tried again at once', async (_, program, line) => {
    const gate = await startStdioGate({ program })
    const { answer } = await openSession(gate)
    expect(JSON.stringify(answer)).not.toContain('no key')
    expect(answer?.error?.message).toContain('The MCP server does not start')
    await expect.poll(() => findLog(gate, line)).toHaveLength(1)
    const again = await openSession(gate)
    expect(again.status).toBe(503)
    expect(again.given.get('retry-after')).toMatch(/^\d+$/)
    await openSession(gate, { sub: 'user-2' })
    await expect.poll(() => findLog(gate, line), { message: 'somebody else' }).toHaveLength(2)
  })
})
