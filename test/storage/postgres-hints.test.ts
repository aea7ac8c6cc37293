import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createHintWatch } from '../../src/storage/hint-watch.ts'
import { createHints } from '../../src/storage/hints.ts'
import type { PostgresListener } from '../../src/storage/postgres-client.ts'
import { createHintEar } from '../../src/storage/postgres-ear.ts'
import { createHintSender } from '../../src/storage/postgres-hints.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('createHintSender', () => {
  it('gathers the keys of a moment, each once, into one statement', async () => {
    const sent: string[][] = []
    const sender = createHintSender(async (payloads) => sent.push(payloads))
    sender.add(['a', 'b'])
    sender.add(['b', 'c'])
    expect(sent).toEqual([])
    await vi.advanceTimersByTimeAsync(20)
    expect(sent).toEqual([['a\nb\nc']])
    await vi.advanceTimersByTimeAsync(1000)
    expect(sent).toHaveLength(1)
  })

  it('splits them into payloads that PostgreSQL takes, and gives up on very many', async () => {
    const sent: string[][] = []
    const sender = createHintSender(async (payloads) => sent.push(payloads))
    const toKeys = (count: number) =>
      Array.from({ length: count }, (_, n) => `${n}`.padEnd(512, '.'))
    sender.add(toKeys(240))
    await sender.drain()
    expect(sent[0]).toHaveLength(16)
    expect(sent[0]?.every((payload) => payload.length < 8000)).toBe(true)
    expect(sent[0]?.flatMap((payload) => payload.split('\n'))).toEqual(toKeys(240))
    sender.add(toKeys(241))
    await sender.drain()
    expect(sent[1]).toEqual([''])
  })

  it('loses a hint that cannot be sent, and sends the next', async () => {
    const send = vi.fn().mockRejectedValueOnce(new Error('down')).mockResolvedValue(undefined)
    const sender = createHintSender(send)
    sender.add(['a'])
    await sender.drain()
    sender.add(['b'])
    await sender.drain()
    expect(send.mock.calls).toEqual([[['a']], [['b']]])
  })
})

/** A client whose connection the test plays. */
function createListener(fail: (text: string) => boolean = () => false) {
  const emitter = new EventEmitter().setMaxListeners(0)
  const ran: string[] = []
  let ended = false
  const run = async (text: string) => {
    ran.push(text)
    if (fail(text)) throw new Error('failed')
    return { rows: [], rowCount: 0 }
  }
  const listener: PostgresListener = {
    connect: () => run('connect'),
    query: ({ text }) => run(text),
    end: async () => {
      ended = true
    },
    on: emitter.on.bind(emitter),
  }
  return { listener, emitter, ran, hasEnded: () => ended }
}

/** An ear whose n-th connection is the n-th of these; the last serves all others. */
function createEar(clients: ReturnType<typeof createListener>[]) {
  const heard: string[] = []
  let created = 0
  const ear = createHintEar({
    create() {
      const client = clients[Math.min(created, clients.length - 1)]
      created += 1
      if (!client) throw new Error('No client')
      return client.listener
    },
    listen: 'LISTEN x',
    onPayload: (payload) => heard.push(payload),
  })
  return { ear, heard, countCreated: () => created }
}

describe('createHintEar', () => {
  it('hears payloads, and after a break first that some were missed', async () => {
    const [first, second] = [createListener(), createListener()]
    const { ear, heard } = createEar([first, second])
    await ear.open()
    first.emitter.emit('notification', { payload: 'a' })
    expect([heard, ear.isHearing()]).toEqual([['a'], true])
    first.emitter.emit('error', new Error('broken'))
    first.emitter.emit('end')
    expect(ear.isHearing()).toBe(false)
    await vi.advanceTimersByTimeAsync(250)
    second.emitter.emit('notification', { payload: 'b' })
    expect(heard).toEqual(['a', '', 'b'])
    expect(second.ran).toEqual(['connect', 'LISTEN x'])
  })

  it('notices a connection that is silently dead', async () => {
    const dead = createListener((text) => text === 'SELECT 1')
    const { ear, heard } = createEar([dead, createListener()])
    await ear.open()
    await vi.advanceTimersByTimeAsync(9999)
    expect(ear.isHearing()).toBe(true)
    await vi.advanceTimersByTimeAsync(1)
    expect([ear.isHearing(), dead.hasEnded()]).toEqual([false, true])
    await vi.advanceTimersByTimeAsync(250)
    expect([ear.isHearing(), heard]).toEqual([true, ['']])
  })

  it('tries for ever to connect again, every five seconds in the end', async () => {
    const refusing = createListener((text) => text === 'connect')
    const first = createListener()
    const { ear, countCreated } = createEar([first, refusing])
    await ear.open()
    first.emitter.emit('end')
    await vi.advanceTimersByTimeAsync(60_000)
    const soFar = countCreated()
    await vi.advanceTimersByTimeAsync(60_000)
    expect([soFar > 12, countCreated() - soFar]).toEqual([true, 12])
    expect(ear.isHearing()).toBe(false)
  })

  it('leaves nothing behind when it is closed', async () => {
    const client = createListener()
    const { ear, countCreated } = createEar([client])
    await ear.open()
    ear.close()
    client.emitter.emit('end')
    expect([client.hasEnded(), vi.getTimerCount()]).toEqual([true, 0])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(countCreated()).toBe(1)
  })

  it('passes on why the first connection failed', async () => {
    const refusing = createListener((text) => text === 'LISTEN x')
    await expect(createEar([refusing]).ear.open()).rejects.toThrow('failed')
    expect(refusing.hasEnded()).toBe(true)
  })
})

describe('createHintWatch', () => {
  it('asks twice a second while someone listens and nothing is heard, and tells of changes', async () => {
    const hints = createHints()
    const look = vi.fn(async () => 'same')
    let isHearing = false
    const watch = createHintWatch(hints, () => isHearing, look)
    const heard: string[] = []
    const stop = hints.subscribe('a/', (key) => heard.push(key))
    watch.start()
    await vi.advanceTimersByTimeAsync(1500)
    expect([look.mock.calls.length, heard]).toEqual([3, ['a/']])
    look.mockResolvedValue('other')
    await vi.advanceTimersByTimeAsync(500)
    expect(heard).toEqual(['a/', 'a/'])
    look.mockRejectedValue(new Error('down'))
    await vi.advanceTimersByTimeAsync(1000)
    isHearing = true
    await vi.advanceTimersByTimeAsync(1000)
    expect([look.mock.calls.length, heard.length]).toEqual([6, 2])
    stop()
    await vi.advanceTimersByTimeAsync(500)
    expect(vi.getTimerCount()).toBe(0)
  })
})
