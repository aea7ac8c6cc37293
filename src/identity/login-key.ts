/** Which account of a provider is which person here: by provider and subject together, and by nothing else (UP-08). */
import { users, usersByUpstream } from '../storage/records/user.ts'
import type { Sealer } from '../storage/sealer.ts'
import type { Store } from '../storage/store.ts'

/** The key that leads from an account at a provider to the person: a keyed hash. */
export function toUpstreamKey(
  { sealer }: { readonly sealer: Sealer },
  upstreamId: string,
  subject: string,
): string {
  const account = JSON.stringify([upstreamId, subject])
  return usersByUpstream.key(sealer.index(usersByUpstream.prefix, account))
}

/**
 * Tells the accounts of a person at a provider from those of others, by their subjects. Whoever is not known to sign
 * in there at all has nothing to be told by, and every subject passes.
 */
export async function createAccountTest(
  ports: { readonly store: Store; readonly sealer: Sealer },
  userId: string,
  upstreamId: string,
): Promise<(subject: string) => boolean> {
  const user = (await users.find(ports.store, userId))?.value
  const logins = user ? [user, ...(user.otherLogins ?? [])] : []
  const own = logins.filter((login) => login.upstream === upstreamId)
  if (own.length === 0) return () => true
  const keys = new Set(own.map(({ lookupKey }) => lookupKey))
  return (subject) => keys.has(toUpstreamKey(ports, upstreamId, subject))
}
