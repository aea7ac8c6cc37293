/**
 * `audit/<unix seconds>-<random>`: what a command did, for a server to write into its audit log.
 *
 * Written in the commit that did it. A server takes a note by a commit that moves `takenUntil` on, writes its
 * lines and deletes it; when it died in between, another one does, so that a line may come twice and is never
 * lost. Without a server it waits for one, 30 days at most.
 */
import type { Write } from '../store.ts'
import { defineRecord } from './record.ts'

/** Events of one commit. */
export interface AuditNote {
  /** Sealed JSON of the events (purpose `audit-note`, row = the key). */
  readonly sealedEvents: string
  /** Unix seconds. */
  readonly at: number
  /** Unix seconds until which a server is writing its lines. */
  readonly takenUntil?: number
}

export const auditNotes = defineRecord<AuditNote>('audit')

/** How long a note waits for a server, in seconds. */
export const auditNoteSeconds = 30 * 86_400

/** The write of a note that goes when its time is over, however often it is written. */
export function writeAuditNote(key: string, note: AuditNote): Write {
  return auditNotes.write(key, note, note.at + auditNoteSeconds)
}
