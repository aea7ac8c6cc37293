/** `gatehouse admin-token`: the owner's key to metrics and the admin API. */
import { installations } from '../storage/records/key.ts'
import { noteInAudit } from './audit-trail.ts'
import { toFailure } from './failure.ts'
import { withInstallation } from './installation.ts'
import { print, printAside } from './output.ts'
import type { DataOptions } from './settings.ts'

/** Makes a new admin token, which replaces any other, and prints it; only its keyed hash is kept. */
export async function createAdminToken(options: DataOptions): Promise<void> {
  await withInstallation({ ...options, mustExist: true }, async (installation) => {
    const { sealer, random, record } = installation
    if (record === undefined) {
      throw toFailure(
        'This data folder has never been served; run gatehouse serve once, then again this',
      )
    }
    const token = `gha_${random(32)}`
    const adminTokenHash = sealer.index('admin-token', token)
    const { store } = noteInAudit(installation, () => [
      { event: 'admin-token.made', outcome: 'ok' },
    ])
    const stored = await store.commit({
      check: [{ key: record.key, version: record.version }],
      set: [installations.write(record.key, { ...record.value, adminTokenHash })],
    })
    if (!stored) throw toFailure('The store changed at the same moment; run it again')
    printAside('The admin token, shown once; any other one is void from now on:')
    print(token)
  })
}
