/** What a command changes, left for the audit log of a running server in the very commit that changes it. */
import { createUsers } from '../identity/users.ts'
import { toAuditNote } from '../operate/audit-notes.ts'
import type { AuditEvent } from '../platform/ports.ts'
import { clients, parseClientPart } from '../storage/records/client.ts'
import { clientGrants, type EndedGrant, endedGrants, userGrants } from '../storage/records/grant.ts'
import type { Commit, Store } from '../storage/store.ts'
import type { Installation } from './installation.ts'

/**
 * The same installation, whose commits carry a note of what they do.
 *
 * @param toEvents what a commit means, besides the grants that it ends; none, when it is not about that
 */
export function noteInAudit(
  installation: Installation,
  toEvents: (change: Commit) => readonly AuditEvent[],
): Installation {
  const { store } = installation
  const noting: Store = {
    ...store,
    commit: (change) => {
      const events = [...toEvents(change), ...findEndedGrants(change)]
      if (events.length === 0) return store.commit(change)
      const note = toAuditNote(installation, events)
      return store.commit({ ...change, set: [...(change.set ?? []), note] })
    },
  }
  return { ...installation, store: noting, users: createUsers({ ...installation, store: noting }) }
}

/** The installation whose removal of this client is noted. */
export function noteClientRemoval(installation: Installation, clientId: string): Installation {
  return noteInAudit(installation, ({ delete: gone = [] }) =>
    gone.includes(clients.key(clientId))
      ? [{ event: 'client.removed', outcome: 'ok', clientId }]
      : [],
  )
}

/** What follows `prefix/` in the first key among these that begins with it. */
export function findId(keys: readonly string[], prefix: string): string | undefined {
  return keys.find((key) => key.startsWith(`${prefix}/`))?.slice(prefix.length + 1)
}

/** The keys that a commit writes. */
export function listWritten({ set = [] }: Commit): string[] {
  return set.map(({ key }) => key)
}

/** Ending a grant leaves its mark and takes it out of both its lists, whoever does it. */
function findEndedGrants({ set = [], delete: gone = [] }: Commit): AuditEvent[] {
  return set
    .filter(({ key }) => key.startsWith(endedGrants.key('')))
    .map(({ key, value }) => {
      const grantId = key.slice(endedGrants.key('').length)
      const { why } = JSON.parse(value) as EndedGrant
      const findOwner = (prefix: string) =>
        gone
          .find((one) => one.startsWith(`${prefix}/`) && one.endsWith(`/${grantId}`))
          ?.split('/')[1]
      const clientPart = findOwner(clientGrants.prefix)
      return {
        event: 'grant.ended',
        outcome: 'ok',
        reason: why,
        grantId,
        userId: findOwner(userGrants.prefix),
        clientId: clientPart === undefined ? undefined : parseClientPart(clientPart),
      }
    })
}
