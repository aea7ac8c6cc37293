/** What `gatehouse store verify` expects of each kind of record: its members, its seals, and where it leads. */
import { sealPurpose as tripPurpose } from '../server/flow/upstream-trip.ts'
import { usedAssertions } from '../storage/records/assertion.ts'
import { auditNotes } from '../storage/records/audit-note.ts'
import { clients, clientTwins, parseClientPart } from '../storage/records/client.ts'
import { clientKeys } from '../storage/records/client-keys.ts'
import { codes } from '../storage/records/code.ts'
import { configuredClients } from '../storage/records/configured-clients.ts'
import { consents } from '../storage/records/consent.ts'
import { copies } from '../storage/records/copy.ts'
import { families } from '../storage/records/family.ts'
import { flows, upstreamStates } from '../storage/records/flow.ts'
import {
  clientGrants,
  endedGrants,
  grants,
  grantUses,
  userGrants,
} from '../storage/records/grant.ts'
import { invitations } from '../storage/records/invitation.ts'
import { installations, signingKeys } from '../storage/records/key.ts'
import { keyRings } from '../storage/records/key-ring.ts'
import { links } from '../storage/records/link.ts'
import { sessions, userSessions } from '../storage/records/session.ts'
import { upstreamRevocations } from '../storage/records/upstream-revocation.ts'
import {
  removedUsers,
  users,
  usersByEmail,
  usersByLogin,
  usersByUpstream,
} from '../storage/records/user.ts'
import { resealings, vaults } from '../storage/records/vault.ts'
import { sealedRecords } from '../storage/sealed-records.ts'

/** The JSON object of a record. */
export type Fields = Readonly<Record<string, unknown>>

/** Another record that must be there as long as this one is. */
export interface Lead {
  readonly key: string
  /** Whether the record found there belongs to this one. */
  fits(there: Fields): boolean
}

/** A member that must open. */
export interface Seal {
  readonly member: string
  readonly purpose: string
  readonly row: string
  readonly sealed: string
}

interface RecordRule {
  /** The members that a record always has, by type. */
  readonly members: Readonly<Record<string, 'string' | 'number' | 'object'>>
  /** @param id what follows the kind in the key */
  leads?(value: Fields, id: string, key: string): Lead[]
}

/** The rules by kind of record. */
export const recordRules: ReadonlyMap<string, RecordRule> = new Map<string, RecordRule>([
  [auditNotes.prefix, { members: { sealedEvents: 'string', at: 'number' } }],
  [
    clients.prefix,
    { members: { id: 'string', origin: 'string', metadata: 'object', createdAt: 'number' } },
  ],
  [clientKeys.prefix, { members: { jwks: 'object', readAt: 'number', freshUntil: 'number' } }],
  [clientTwins.prefix, { members: { clientId: 'string' } }],
  [
    codes.prefix,
    { members: { clientId: 'string', userId: 'string', grantId: 'string', expiresAt: 'number' } },
  ],
  [configuredClients.prefix, { members: { ids: 'object' } }],
  [consents.prefix, { members: { userId: 'string', clientId: 'string', metadataHash: 'string' } }],
  [copies.prefix, { members: { from: 'string', pass: 'number' } }],
  [
    families.prefix,
    {
      members: { currentHash: 'string', rotatedAt: 'number', generation: 'number' },
      leads: (_, id) => [toLead(grants.key(id))],
    },
  ],
  [flows.prefix, { members: { id: 'string', clientId: 'string', step: 'string' } }],
  [upstreamStates.prefix, { members: { flowId: 'string' } }],
  [
    grants.prefix,
    {
      members: { id: 'string', userId: 'string', clientId: 'string', scope: 'string' },
      leads: ({ userId, clientId }, id) => [
        toLead(userGrants.key(String(userId), id), { clientId }),
        toLead(clientGrants.key(String(clientId), id), { userId }),
      ],
    },
  ],
  [
    userGrants.prefix,
    {
      members: { clientId: 'string' },
      leads: ({ clientId }, id) => toGrantLead(id, (userId) => ({ userId, clientId })),
    },
  ],
  [
    clientGrants.prefix,
    {
      members: { userId: 'string' },
      leads: ({ userId }, id) => toGrantLead(id, (clientId) => ({ userId, clientId })),
    },
  ],
  [endedGrants.prefix, { members: { at: 'number', why: 'string' } }],
  [grantUses.prefix, { members: { issuedAt: 'number' } }],
  [installations.prefix, { members: { issuer: 'string', createdAt: 'number' } }],
  [invitations.prefix, { members: { sealedGuest: 'string', role: 'string', expiresAt: 'number' } }],
  [keyRings.prefix, { members: { changedAt: 'number' } }],
  [
    links.prefix,
    {
      members: { verifiedAt: 'number' },
      leads: (_, id) => [toLead(users.key(id.split('/')[0] ?? ''))],
    },
  ],
  [removedUsers.prefix, { members: { at: 'number' } }],
  [usedAssertions.prefix, { members: { at: 'number' } }],
  [resealings.prefix, { members: { dataKeyId: 'string', seen: 'number' } }],
  [
    sessions.prefix,
    {
      members: { userId: 'string', expiresAt: 'number' },
      leads: ({ userId }) => [toLead(users.key(String(userId)))],
    },
  ],
  [
    signingKeys.prefix,
    { members: { kid: 'string', publicJwk: 'object', sealedPrivateJwk: 'string' } },
  ],
  [
    upstreamRevocations.prefix,
    { members: { sealedTokens: 'string', askedAt: 'number', nextAt: 'number' } },
  ],
  [
    userSessions.prefix,
    { members: { hashes: 'object' }, leads: (_, id) => [toLead(users.key(id))] },
  ],
  [
    users.prefix,
    {
      members: { id: 'string', role: 'string', sealedProfile: 'string', lookupKey: 'string' },
      leads: ({ lookupKey, otherLogins, emailKey }, userId) => [
        ...[{ lookupKey }, ...toLogins(otherLogins)].map((login) =>
          toLead(String(login.lookupKey), { userId }),
        ),
        ...(typeof emailKey === 'string' ? [toListLead(emailKey, userId)] : []),
      ],
    },
  ],
  [
    usersByEmail.prefix,
    {
      members: { userIds: 'object' },
      leads: ({ userIds }, _, key) =>
        (Array.isArray(userIds) ? userIds : []).map((id) =>
          toLead(users.key(String(id)), { emailKey: key }),
        ),
    },
  ],
  [usersByLogin.prefix, { members: { userId: 'string' }, leads: toUserLead }],
  [usersByUpstream.prefix, { members: { userId: 'string' }, leads: toUserLead }],
  [vaults.prefix, { members: { masterKeyId: 'string', dataKeys: 'object' } }],
])

/** The sealed members of a record that the master key must open. Successors of refresh tokens are not among them. */
export function findSeals(key: string, value: Fields): Seal[] {
  const known = sealedRecords.find(({ prefix }) => key.startsWith(prefix))
  const plain = Object.entries(known?.members ?? {}).flatMap(([member, purpose]): Seal[] => {
    const sealed = value[member]
    return typeof sealed === 'string'
      ? [{ member, purpose, row: known?.toRow(key) ?? key, sealed }]
      : []
  })
  return [...plain, ...findTripSeals(key, value)]
}

/** A sign-in at a provider that is under way. */
function findTripSeals(key: string, { upstream }: Fields): Seal[] {
  if (!key.startsWith(flows.key('')) || !isFields(upstream)) return []
  const row = key.slice(flows.key('').length)
  const { sealedSecrets } = upstream
  if (typeof sealedSecrets !== 'string') return []
  return [{ member: 'upstream.sealedSecrets', purpose: tripPurpose, row, sealed: sealedSecrets }]
}

/** Whether parsed JSON is an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

/** From a way in to the user, who must know of it. */
function toUserLead({ userId }: Fields, _id: string, key: string): Lead[] {
  const fits = ({ lookupKey, otherLogins }: Fields) =>
    [{ lookupKey }, ...toLogins(otherLogins)].some((login) => login.lookupKey === key)
  return [{ key: users.key(String(userId)), fits }]
}

function toLogins(otherLogins: unknown): Fields[] {
  return Array.isArray(otherLogins) ? otherLogins.filter(isFields) : []
}

/** From a user to the list of their e-mail address. */
function toListLead(key: string, userId: string): Lead {
  return { key, fits: ({ userIds }) => Array.isArray(userIds) && userIds.includes(userId) }
}

/** From `<owner>/<grant id>` to the grant, which must name the owner too. */
function toGrantLead(id: string, toExpected: (owner: string) => Fields): Lead[] {
  const [owner = '', grantId = ''] = id.split('/')
  return [toLead(grants.key(grantId), toExpected(parseClientPart(owner)))]
}

function toLead(key: string, expected: Fields = {}): Lead {
  return {
    key,
    fits: (there) => Object.entries(expected).every(([member, value]) => there[member] === value),
  }
}
