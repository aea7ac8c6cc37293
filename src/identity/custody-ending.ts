/** What follows when a person must sign in again: whatever rests on the provider's word ends. */
import type { Audit } from '../platform/ports.ts'
import type { EndReason, Grant } from '../storage/records/grant.ts'
import type { Revocations } from '../tokens/revocations.ts'
import {
  type EndingPorts,
  endGrants,
  findAccessTokenSeconds,
  listGrants,
  planSignOut,
} from './grant-ending.ts'
import { winRace } from './races.ts'

/** What grants and sessions are ended with. */
export interface ReliancePorts extends EndingPorts {
  readonly revocations: Pick<Revocations, 'add'>
  readonly audit: Audit
}

/** A person at a provider, and which of their grants rest on it. */
export interface Reliance {
  readonly userId: string
  readonly upstreamId: string
  rests(grant: Grant): boolean
}

/** Signs the person out of what they entered through the provider, so that the next sign-in leads there. */
export async function signOut(
  { store }: Pick<ReliancePorts, 'store'>,
  { userId, upstreamId }: Pick<Reliance, 'userId' | 'upstreamId'>,
): Promise<void> {
  await winRace(async () => {
    const plan = await planSignOut(store, userId, [upstreamId])
    if (!plan.delete?.length) return true
    return (await store.commit(plan)) || undefined
  })
}

/**
 * Ends the sessions and the grants that rest on a provider. Repeating it does no harm, and whoever finds a
 * link without tokens repeats it: a process that died in between leaves nothing behind.
 *
 * A grant of a later second stands: the person has signed in again.
 */
export async function endReliance(
  ports: ReliancePorts,
  reliance: Reliance,
  why: EndReason,
): Promise<void> {
  const { store, clock, audit, revocations } = ports
  const at = clock.now()
  await signOut(ports, reliance)
  for await (const page of listGrants(store, reliance.userId)) {
    const ended = page
      .map(({ value }) => value)
      .filter((grant) => grant.createdAt <= at && reliance.rests(grant))
    if (ended.length === 0) continue
    const accessTokenSeconds = await findAccessTokenSeconds(store, ports.accessTokenSeconds)
    await endGrants({ store, clock, accessTokenSeconds }, ended, why)
    for (const { id, clientId, userId } of ended) {
      revocations.add(id)
      audit({ event: 'grant.ended', outcome: 'ok', reason: why, grantId: id, clientId, userId })
    }
  }
}
