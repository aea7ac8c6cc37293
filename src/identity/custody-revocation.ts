/**
 * Telling providers to revoke what they gave, in the background: by any process, one at a time for each
 * tie, again and again with growing pauses, and for a week at most. Each provider has a queue of its own: one
 * that hangs holds nobody up but itself.
 */
import type { Clock } from '../platform/clock.ts'
import type { Audit, AuditEventName, Log } from '../platform/ports.ts'
import { links } from '../storage/records/link.ts'
import type { Stored } from '../storage/records/record.ts'
import {
  parseRevocationKey,
  toRevocationRow,
  type UpstreamRevocation,
  upstreamRevocations,
} from '../storage/records/upstream-revocation.ts'
import type { Sealer } from '../storage/sealer.ts'
import type { Store } from '../storage/store.ts'
import { tokensPurpose } from './custody-link.ts'
import type { Upstream, UpstreamTokens } from './upstream.ts'

/** What revoking at providers works with. */
export interface UpstreamRevocationPorts {
  readonly store: Store
  readonly sealer: Sealer
  readonly clock: Clock
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly log: Log
  readonly audit: Audit
}

/** How long it is tried, in seconds. */
const patienceSeconds = 7 * 86_400

/** Pause after the first failure, in seconds, longer than any provider may take to answer; doubled each time. */
const firstPauseSeconds = 60
const longestPauseSeconds = 6 * 3600

const pageSize = 100

/**
 * Does what is due at one provider, one after the other.
 *
 * @param upstreamId undefined: what is due at providers that are not configured here
 */
export async function revokeDue(
  ports: UpstreamRevocationPorts,
  upstreamId: string | undefined,
  isStopped: () => boolean,
): Promise<void> {
  const { store, clock, upstreams } = ports
  const isOurs = (id: string) => (upstreamId === undefined ? !upstreams.has(id) : id === upstreamId)
  for await (const page of upstreamRevocations.pages(store, [], pageSize)) {
    for (const revocation of page) {
      if (isStopped()) return
      const isDue = clock.now() >= revocation.value.nextAt
      const { upstreamId: its } = parseRevocationKey(revocation.key)
      if (isDue && isOurs(its)) await tryRevoke(ports, revocation)
    }
  }
}

/** Whoever moves `nextAt` on tries; the others come back later. */
async function tryRevoke(
  ports: UpstreamRevocationPorts,
  revocation: Stored<UpstreamRevocation>,
): Promise<void> {
  const { store, clock, log } = ports
  const { key, value, version } = revocation
  const pause = Math.min(firstPauseSeconds * 2 ** value.attempts, longestPauseSeconds)
  const next = { ...value, attempts: value.attempts + 1, nextAt: clock.now() + pause }
  const claimed = await store.commit({
    check: [{ key, version }],
    set: [upstreamRevocations.write(key, next)],
  })
  if (!claimed) return
  try {
    const outcome = await revoke(ports, revocation)
    await store.commit({ delete: [key] })
    if (outcome !== undefined) report(ports, key, outcome)
  } catch (error) {
    const { upstreamId: upstream } = parseRevocationKey(key)
    log.warn('Tokens could not be revoked at an identity provider', { upstream, error })
    if (clock.now() + pause <= value.askedAt + patienceSeconds) {
      return report(ports, key, 'upstream.revocation_retried')
    }
    await store.commit({ delete: [key] })
    report(ports, key, 'upstream.revocation_failed')
  }
}

/**
 * What came of it; undefined when the provider has no way to revoke. Nothing is revoked when the person has signed
 * in there again: at many providers revoking one token ends all that the person allowed us.
 */
async function revoke(
  { store, sealer, upstreams }: UpstreamRevocationPorts,
  { key, value }: Stored<UpstreamRevocation>,
): Promise<'upstream.revoked' | 'upstream.revocation_dropped' | undefined> {
  const { userId, upstreamId } = parseRevocationKey(key)
  const upstream = upstreams.get(upstreamId)
  if (!upstream) throw new Error('The identity provider is not configured')
  if (!upstream.revoke) return undefined
  const link = await links.find(store, userId, upstreamId)
  if (link?.value.sealedTokens !== undefined) return 'upstream.revocation_dropped'
  const opened = sealer.open(tokensPurpose, toRevocationRow(key), value.sealedTokens)
  await upstream.revoke(JSON.parse(opened) as UpstreamTokens)
  return 'upstream.revoked'
}

function report(
  { audit }: UpstreamRevocationPorts,
  key: string,
  event: Extract<AuditEventName, `upstream.revo${string}`>,
): void {
  const { userId, upstreamId } = parseRevocationKey(key)
  const outcome = event === 'upstream.revoked' ? 'ok' : 'refused'
  const reason = event === 'upstream.revocation_dropped' ? 'signed_in_again' : undefined
  audit({ event, outcome, reason, userId, details: { upstream: upstreamId } })
}
