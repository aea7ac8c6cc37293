/** Ending a grant: its refresh family is gone and its access tokens are refused from now on. */
import type { RequestContext } from '../../context.ts'
import { endGrants } from '../../identity/grant-ending.ts'
import { type EndReason, grants } from '../../storage/records/grant.ts'
import { installations } from '../../storage/records/key.ts'

/**
 * Ends a grant in one commit; every instance's gate learns of it through the `ended/` mark. What its identity
 * provider gave goes with the last grant that rests on it.
 *
 * Repeating it changes nothing. A rotation that runs at the same time fails its own check, because the
 * family it read is gone (catalogue RF-07).
 */
export async function endGrant(
  grantId: string,
  why: EndReason,
  { store, config, clock, revocations, audit }: EndingContext,
): Promise<void> {
  const keys = [grants.key(grantId), installations.key('self')]
  const [grant, installation] = await store.get(keys)
  const stored = grants.decode(grant)
  if (!stored) return
  const accessTokenSeconds =
    installations.decode(installation)?.value.accessTokenSeconds ??
    config.lifetimes.accessTokenSeconds
  await endGrants({ store, clock, accessTokenSeconds }, [stored.value], why)
  revocations.add(grantId)
  const { clientId, userId } = stored.value
  audit({ event: 'grant.ended', outcome: 'ok', reason: why, grantId, clientId, userId })
}

type EndingContext = Pick<RequestContext, 'store' | 'config' | 'clock' | 'revocations' | 'audit'>
