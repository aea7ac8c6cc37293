/** What commands leave for the audit log: sealed, written down once, never lost while a server lives (OP-04). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toAuditNote, writeAuditNotes } from '../../src/operate/audit-notes.ts'
import { systemRandom } from '../../src/platform/crypto.ts'
import type { AuditEvent } from '../../src/platform/ports.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { auditNoteSeconds, auditNotes } from '../../src/storage/records/audit-note.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import type { Sealer } from '../../src/storage/sealer.ts'
import type { Store } from '../../src/storage/store.ts'
import { failingStore } from '../helpers/failing-store.ts'
import { keptLog, masterKey, type TestClock, testClock } from '../helpers/gatehouse.ts'

const event: AuditEvent = { event: 'user.removed', outcome: 'ok', details: { login: 'ada' } }
let clock: TestClock
let store: Store
let sealer: Sealer
let lines: AuditEvent[]
let log: ReturnType<typeof keptLog>
beforeEach(async () => {
  clock = testClock()
  store = memoryStore({ clock })
  sealer = await createSealer({ store, masterKey, clock, random: systemRandom })
  lines = []
  log = keptLog()
})
afterEach(() => store.close())

const leave = (...events: AuditEvent[]) =>
  store.commit({ set: [toAuditNote({ sealer, clock, random: systemRandom }, events)] })
const write = (from: Store = store, audit = (line: AuditEvent) => void lines.push(line)) =>
  writeAuditNotes({ store: from, sealer, clock, log, audit }, () => false)

describe('a note', () => {
  it('becomes one line for each event, with who did it and when', async () => {
    await leave(event, { ...event, userId: 'u' })
    const at = clock.now()
    clock.advance(3600)
    await write()
    expect(lines).toEqual([
      { ...event, actor: 'cli', at },
      { ...event, userId: 'u', actor: 'cli', at },
    ])
    expect(await auditNotes.list(store)).toEqual([])
  })

  it('is sealed in the store (SG-01)', async () => {
    await leave(event)
    expect(JSON.stringify(await store.list('audit/'))).not.toContain('ada')
  })

  it('is written down once by four servers', async () => {
    for (let count = 0; count < 20; count += 1) await leave(event)
    await Promise.all([write(), write(), write(), write()])
    expect(lines).toHaveLength(20)
  })

  it('is written down by another server when one died over it', async () => {
    await leave(event)
    const dying = () => {
      throw new Error('no space left')
    }
    await expect(write(store, dying)).rejects.toThrow('no space')
    await write()
    expect(lines).toEqual([])
    clock.advance(60)
    await write()
    expect(lines).toHaveLength(1)
  })

  it('comes twice at most when the store fails after its line', async () => {
    await leave(event)
    const failing = failingStore(store)
    failing.failOn('commit -audit', 'before')
    await write(failing).catch(() => undefined)
    clock.advance(60)
    await write()
    expect(lines).toHaveLength(2)
    expect(await auditNotes.list(store)).toEqual([])
  })

  it('goes after 30 days, also when a server took it meanwhile', async () => {
    await leave(event)
    clock.advance(auditNoteSeconds - 30)
    await write(store, () => {
      throw new Error('no space left')
    }).catch(() => undefined)
    expect(await auditNotes.list(store)).toHaveLength(1)
    clock.advance(30)
    expect(await auditNotes.list(store)).toEqual([])
  })

  it('that cannot be read is told of and goes', async () => {
    await leave(event)
    const [note] = await auditNotes.list(store)
    if (!note) throw new Error('There is no note')
    const damaged = { ...note.value, sealedEvents: `${note.value.sealedEvents.slice(0, -4)}AAAA` }
    await store.commit({ set: [auditNotes.write(note.key, damaged)] })
    await write()
    expect(lines).toEqual([])
    expect(log.lines.map(({ level }) => level)).toEqual(['error'])
    expect(await auditNotes.list(store)).toEqual([])
  })
})
