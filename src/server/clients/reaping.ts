/**
 * Removing the applications of clients that nobody ever authorized, as they expire: whoever registers and never
 * comes back must not fill the owner's tenant at the identity provider. What else stays behind is found by
 * `gatehouse clients reap`.
 */
import type { Context } from '../../context.ts'
import {
  type ApplicationCheck,
  applicationChecks,
} from '../../storage/records/application-check.ts'
import { clients } from '../../storage/records/client.ts'
import type { Stored } from '../../storage/records/record.ts'
import { toUnusedEnd } from './register.ts'

/** What reaping works with. */
export type ReapingWork = Pick<Context, 'store' | 'clock' | 'applications'>

/** Applications removed in one round, so that the provider's limits are left to registrations. */
const removedPerRound = 100
const pageSize = 100

/**
 * One round: looks at every application whose time has come.
 *
 * @throws OAuthError `temporarily_unavailable` when provider or store fail; the next round goes on
 */
export async function reapApplications(work: ReapingWork, isStopped: () => boolean): Promise<void> {
  const { store, clock, applications } = work
  if (!applications) return
  let removed = 0
  for await (const page of applicationChecks.pages(store, [], pageSize)) {
    for (const check of page) {
      if (isStopped() || removed === removedPerRound) return
      if (clock.now() < check.value.dueAt) continue
      if (await settleCheck(work, check, applications.remove)) removed += 1
    }
  }
}

/** Whether the application was removed. Removing it twice does no harm. */
async function settleCheck(
  { store }: ReapingWork,
  { key, value, version }: Stored<ApplicationCheck>,
  remove: (applicationId: string) => Promise<void>,
): Promise<boolean> {
  const { applicationId } = value
  const client = await clients.find(store, key.slice(applicationChecks.key('').length))
  if (client && client.value.authorizedAt === undefined) {
    const next = { applicationId, dueAt: toUnusedEnd(client.value) }
    await store.commit({ check: [{ key, version }], set: [applicationChecks.write(key, next)] })
    return false
  }
  if (!client) await remove(applicationId)
  await store.commit({ delete: [key] })
  return !client
}
