/** Ending a grant: its refresh family is gone and its access tokens are refused from now on. */
import type { RequestContext } from '../../context.ts'
import { type EndReason, grants, toGrantEnd } from '../../storage/records/grant.ts'
import { installations } from '../../storage/records/key.ts'

/**
 * Ends a grant in one commit; every instance's gate learns of it through the `ended/` mark.
 *
 * Repeating it changes nothing. A rotation that runs at the same time fails its own check, because the
 * family it read is gone (catalogue RF-07).
 */
export async function endGrant(
  grantId: string,
  why: EndReason,
  context: Pick<RequestContext, 'store' | 'config' | 'clock' | 'revocations' | 'audit'>,
): Promise<void> {
  const keys = [grants.key(grantId), installations.key('self')]
  const [grant, installation] = await context.store.get(keys)
  const stored = grants.decode(grant)
  if (!stored) return
  const accessTokenSeconds =
    installations.decode(installation)?.value.accessTokenSeconds ??
    context.config.lifetimes.accessTokenSeconds
  await context.store.commit(toGrantEnd(stored.value, why, context.clock.now(), accessTokenSeconds))
  context.revocations.add(grantId)
  context.audit({
    event: 'grant.ended',
    outcome: 'ok',
    reason: why,
    grantId,
    clientId: stored.value.clientId,
    userId: stored.value.userId,
  })
}
