/** `gatehouse clients reap`: what management mode left behind, here and at the identity provider. */
import type { Applications } from '../identity/applications.ts'
import { type RegistrationSettings, toRegistrationOptions } from '../operate/config/registration.ts'
import { findOrphans, type Orphan } from '../server/clients/reap.ts'
import { removeClient } from '../server/clients/remove.ts'
import { noteClientRemoval } from './audit-trail.ts'
import { exitUsage, toFailure } from './failure.ts'
import { type Installation, withInstallation } from './installation.ts'
import { printAside, printRecords, renderTime } from './output.ts'
import { createProgress } from './progress.ts'
import type { DataOptions } from './settings.ts'

/** Options of `clients reap`. */
export interface ReapOptions extends DataOptions {
  dryRun?: boolean
  json?: boolean
}

/** Shows the orphans of both sides and removes them, unless it is a dry run. */
export async function reapClients(options: ReapOptions): Promise<void> {
  await withInstallation({ ...options, mustExist: true }, async (installation) => {
    const applications = await openApplications(installation.registration)
    if (applications === undefined) {
      throw toFailure(
        'There is nothing to reap: registration.mode is not management in this configuration',
        exitUsage,
      )
    }
    const orphans = await findOrphans({ ...installation, applications })
    const isDry = options.dryRun === true
    const work = { installation, applications, isSilent: options.json === true }
    const removed = isDry ? new Set<Orphan>() : await removeOrphans(orphans, work)
    printOrphans(orphans, { removed, label: applications.label, isDry }, options.json === true)
    const left = orphans.length - removed.size
    if (!isDry && left > 0) {
      throw toFailure(`${left} of ${orphans.length} could not be removed; run it again`)
    }
  })
}

/** The provider of management mode; undefined in every other mode. */
export async function openApplications(
  settings: RegistrationSettings | undefined,
): Promise<Applications | undefined> {
  const options = await toRegistrationOptions(settings)
  return options.mode === 'management' ? options.applications : undefined
}

/** What a removal works with. */
interface Work {
  readonly installation: Installation
  readonly applications: Applications
  readonly isSilent: boolean
}

/** One after the other: the provider limits its API. What fails is told and left for the next run. */
async function removeOrphans(orphans: readonly Orphan[], work: Work): Promise<ReadonlySet<Orphan>> {
  const progress = createProgress('Removing', work.isSilent)
  const removed = new Set<Orphan>()
  for (const [done, orphan] of orphans.entries()) {
    try {
      await removeOrphan(orphan, work)
      removed.add(orphan)
    } catch (error) {
      progress.end()
      printAside(`${toRow(orphan).id}: ${error instanceof Error ? error.message : String(error)}`)
    }
    progress.show(done + 1, orphans.length)
  }
  progress.end()
  return removed
}

async function removeOrphan(orphan: Orphan, { applications, installation }: Work): Promise<void> {
  if (orphan.kind === 'application') return applications.remove(orphan.application.id)
  const { id } = orphan.client
  await removeClient(id, noteClientRemoval(installation, id))
}

function printOrphans(
  orphans: readonly Orphan[],
  found: { removed: ReadonlySet<Orphan>; label: string; isDry: boolean },
  json: boolean,
): void {
  const rows = orphans.map((orphan) => ({ ...toRow(orphan), removed: found.removed.has(orphan) }))
  const { label } = found
  printRecords(
    rows,
    {
      columns: ['ORPHAN', 'ID', 'ITS OTHER HALF', 'NAME', 'SINCE', 'REMOVED'],
      toRow: (row) => [
        row.kind === 'application' ? `${label} application` : 'client',
        row.id,
        row.counterpart,
        row.name,
        renderTime(row.created_at),
        found.isDry ? 'dry run' : renderOutcome(row.removed),
      ],
      empty: `No orphans: every client has its ${label} application, and every application its client`,
    },
    json,
  )
}

function renderOutcome(isRemoved: boolean): string {
  return isRemoved ? 'yes' : 'failed'
}

/** An orphan as it is shown; `counterpart` is the id of the half that is gone. */
function toRow(orphan: Orphan) {
  if (orphan.kind === 'application') {
    const { id, clientId, name, createdAt } = orphan.application
    return { kind: orphan.kind, id, counterpart: clientId, name, created_at: createdAt }
  }
  const { id, applicationId = '', metadata, createdAt } = orphan.client
  const name = metadata.client_name ?? ''
  return { kind: orphan.kind, id, counterpart: applicationId, name, created_at: createdAt }
}
