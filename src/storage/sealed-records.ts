/**
 * Which records have sealed members, with the purpose and row each was sealed for: what re-sealing must
 * know. A member that is sealed anywhere stands here, or its data key would go while it is needed.
 *
 * Records that are moved are kept for ever: an entry does not tell its expiry, so one that expires
 * could not be written again. Those are waited for.
 */
import { auditNotes } from './records/audit-note.ts'
import { flows } from './records/flow.ts'
import { invitations } from './records/invitation.ts'
import { signingKeys } from './records/key.ts'
import { links } from './records/link.ts'
import { toRevocationRow, upstreamRevocations } from './records/upstream-revocation.ts'
import { users } from './records/user.ts'

/** One kind of record with sealed members. */
export interface SealedRecord {
  readonly prefix: string
  /** Member → purpose. Empty: the record expires soon and is waited for. */
  readonly members: Readonly<Record<string, string>>
  /** The row that a record's members were sealed for, from its storage key. */
  toRow(key: string): string
}

/** In the order of their keys, so that one cursor leads through all of them. */
export const sealedRecords: readonly SealedRecord[] = [
  { prefix: auditNotes.key(''), members: {}, toRow: (key) => key },
  { prefix: flows.key(''), members: {}, toRow: (key) => key.slice(flows.key('').length) },
  {
    prefix: invitations.key(''),
    members: { sealedGuest: 'invitation' },
    toRow: (key) => key,
  },
  {
    prefix: signingKeys.key(''),
    members: { sealedPrivateJwk: 'signing-key' },
    toRow: (key) => key,
  },
  { prefix: links.key(''), members: { sealedTokens: 'upstream-tokens' }, toRow: (key) => key },
  {
    prefix: upstreamRevocations.key(''),
    members: { sealedTokens: 'upstream-tokens' },
    toRow: toRevocationRow,
  },
  {
    prefix: users.key(''),
    members: { sealedProfile: 'user-profile', sealedPassword: 'user-password' },
    toRow: (key) => key.slice(users.key('').length),
  },
]
