/**
 * Telling providers to revoke what they gave, in the background: by any process, one at a time for each
 * tie, again and again with growing pauses, and for a week at most.
 */
import type { Clock } from '../platform/clock.ts'
import type { Audit, Log } from '../platform/ports.ts'
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

/** Does what is due. A fault at one provider does not keep the others waiting. */
export async function revokeDue(
  ports: UpstreamRevocationPorts,
  isStopped: () => boolean,
): Promise<void> {
  const { store, clock } = ports
  let after: string | undefined
  while (!isStopped()) {
    const page = await upstreamRevocations.list(store, [], { after, limit: pageSize })
    for (const revocation of page) {
      if (isStopped()) return
      if (clock.now() >= revocation.value.nextAt) await tryRevoke(ports, revocation)
    }
    if (page.length < pageSize) return
    after = page.at(-1)?.key
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
    const isDone = await revoke(ports, revocation)
    await store.commit({ delete: [key] })
    if (isDone) report(ports, key, 'upstream.revoked')
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
 * Whether something was revoked. Nothing is when the provider has no way to, or the person has signed in
 * there again: at many providers revoking one token ends all that the person allowed us.
 */
async function revoke(
  { store, sealer, upstreams }: UpstreamRevocationPorts,
  { key, value }: Stored<UpstreamRevocation>,
): Promise<boolean> {
  const { userId, upstreamId } = parseRevocationKey(key)
  const upstream = upstreams.get(upstreamId)
  if (!upstream) throw new Error('The identity provider is not configured')
  if (!upstream.revoke) return false
  const link = await links.find(store, userId, upstreamId)
  if (link?.value.sealedTokens !== undefined) return false
  const opened = sealer.open(tokensPurpose, toRevocationRow(key), value.sealedTokens)
  await upstream.revoke(JSON.parse(opened) as UpstreamTokens)
  return true
}

function report(
  { audit }: UpstreamRevocationPorts,
  key: string,
  event: 'upstream.revoked' | 'upstream.revocation_retried' | 'upstream.revocation_failed',
): void {
  const { userId, upstreamId } = parseRevocationKey(key)
  const outcome = event === 'upstream.revoked' ? 'ok' : 'refused'
  audit({ event, outcome, userId, details: { upstream: upstreamId } })
}
