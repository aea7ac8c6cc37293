/** How many programs of a backend run, and whose end to make room (DS-02). */
import { describe, expect, it, vi } from 'vitest'
import {
  findLog,
  isRunning,
  openSession,
  readResult,
  startStdioGate,
  toolCall,
} from './stdio-fixture.ts'

describe('how many programs there are', () => {
  it('is bounded for each user: the longest unused makes room, what is in use stays', async () => {
    const gate = await startStdioGate({ program: { maxProcessesPerUser: 2 } })
    const first = await openSession(gate)
    const busy = await openSession(gate)
    const waiting = await busy.say(toolCall('w', 'hang', { until: 'noon' }))
    await openSession(gate)
    expect((await first.say(toolCall(1, 'pid'))).status).toBe(404)
    expect(await busy.call('release', { until: 'noon' })).toBe(true)
    expect(await readResult(waiting)).toBe('released noon')
  })

  it('is bounded for clients that only listen, too: the one that said nothing for longest ends', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const gate = await startStdioGate({ program: { maxProcessesPerUser: 2 } })
    const listening = []
    for (let count = 0; count < 2; count += 1) {
      const session = await openSession(gate)
      const { headers } = session
      listening.push({ session, stream: await fetch(gate.mcp, { headers }) })
    }
    expect((await openSession(gate)).status, 'all were here just now').toBe(429)
    vi.advanceTimersByTime(61_000)
    expect(await listening[1]?.session.call('pid')).toBeTypeOf('number')
    expect((await openSession(gate)).status).toBe(200)
    expect(await listening[0]?.stream.text()).not.toContain('event:')
    expect((await listening[0]?.session.say(toolCall(1, 'pid')))?.status).toBe(404)
    expect(await listening[1]?.session.call('pid')).toBeTypeOf('number')
  })

  it('is bounded when all are in use: 429, and 503 when they are those of others (DS-02)', async () => {
    const gate = await startStdioGate({ program: { maxProcesses: 2, maxProcessesPerUser: 1 } })
    const open = []
    for (const sub of ['user-1', 'user-2']) {
      const session = await openSession(gate, { sub })
      open.push(await session.say(toolCall('w', 'hang', { until: 'noon' })))
    }
    expect((await openSession(gate, { sub: 'user-1' })).status).toBe(429)
    const other = await openSession(gate, { sub: 'user-3' })
    expect(other.status).toBe(503)
    expect(other.given.get('retry-after')).toBe('30')
    for (const each of open) await each.body?.cancel()
  })

  it('counts them until they are over, however often sessions begin (DS-02)', async () => {
    const gate = await startStdioGate({
      program: { maxProcessesPerUser: 1, env: { STUBBORN: '1' } },
    })
    const pid = Number(await (await openSession(gate)).call('pid'))
    const others = await Promise.all([openSession(gate), openSession(gate)])
    const statuses = others.map(({ status }) => status).toSorted((one, other) => one - other)
    expect(statuses, 'the first one gave way to the second').toEqual([200, 503])
    expect(isRunning(pid)).toBe(false)
    expect(findLog(gate, 'A program was started')).toHaveLength(2)
  }, 15_000)

  it('begins none when we are stopping: 503', async () => {
    const gate = await startStdioGate()
    await gate.context.programs.close()
    expect((await openSession(gate)).status).toBe(503)
  })

  it('does not let one user take the place of another who was here just now', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const gate = await startStdioGate({ program: { maxProcesses: 1, maxProcessesPerUser: 1 } })
    const first = await openSession(gate)
    expect((await openSession(gate, { sub: 'user-2' })).status).toBe(503)
    vi.advanceTimersByTime(61_000)
    expect((await openSession(gate, { sub: 'user-2' })).status).toBe(200)
    expect((await first.say(toolCall(1, 'pid'))).status).toBe(404)
  })
})
