/**
 * Audit lines of commands: a command has no log of its own that an owner keeps, so it leaves a note in the
 * store, in the same commit as its change, and a running server writes it down (catalogue OP-04).
 */
import type { Clock } from '../platform/clock.ts'
import type { Random } from '../platform/crypto.ts'
import type { Audit, AuditEvent, Log } from '../platform/ports.ts'
import { type AuditNote, auditNotes, writeAuditNote } from '../storage/records/audit-note.ts'
import type { Stored } from '../storage/records/record.ts'
import type { Sealer } from '../storage/sealer.ts'
import type { Store, Write } from '../storage/store.ts'

/** What notes are made with. */
export interface NotingPorts {
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
}

/** What notes are written down with. */
export interface AuditNotePorts extends Pick<NotingPorts, 'sealer' | 'clock'> {
  readonly store: Store
  readonly audit: Audit
  readonly log: Log
}

const purpose = 'audit-note'
const pageSize = 100
/** How long a server has to write the lines of a note, in seconds. */
const takenSeconds = 60

/** The write that leaves these events to a server. */
export function toAuditNote(
  { sealer, clock, random }: NotingPorts,
  events: readonly AuditEvent[],
): Write {
  const at = clock.now()
  const key = auditNotes.key(`${String(at).padStart(12, '0')}-${random(9)}`)
  const sealedEvents = sealer.seal(purpose, key, JSON.stringify(events))
  return writeAuditNote(key, { sealedEvents, at })
}

/** Writes down what commands have left, oldest first, with the time at which they did it. */
export async function writeAuditNotes(
  ports: AuditNotePorts,
  isStopped: () => boolean,
): Promise<void> {
  for await (const page of auditNotes.pages(ports.store, [], pageSize)) {
    for (const note of page) {
      if (isStopped()) return
      await tryWrite(ports, note)
    }
  }
}

async function tryWrite(ports: AuditNotePorts, note: Stored<AuditNote>): Promise<void> {
  const { store, clock, audit } = ports
  const { key, value, version } = note
  const now = clock.now()
  if (now < (value.takenUntil ?? 0)) return
  const taken = await store.commit({
    check: [{ key, version }],
    set: [writeAuditNote(key, { ...value, takenUntil: now + takenSeconds })],
  })
  if (!taken) return
  for (const event of openEvents(ports, note)) audit({ ...event, actor: 'cli', at: value.at })
  await store.commit({ delete: [key] })
}

/** A note that does not open, sealed with a key that is gone, is told of and goes. */
function openEvents({ sealer, log }: AuditNotePorts, note: Stored<AuditNote>): AuditEvent[] {
  try {
    return JSON.parse(sealer.open(purpose, note.key, note.value.sealedEvents)) as AuditEvent[]
  } catch (error) {
    log.error('What a command did cannot be read; its audit line is lost', { key: note.key, error })
    return []
  }
}
