/** `gatehouse store backup`: the SQLite file as it is at one moment, while servers go on. */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { renderStore } from '../operate/config/store.ts'
import { backupSqlite } from '../storage/sqlite-report.ts'
import { exitUsage, toFailure } from './failure.ts'
import { print, renderPath } from './output.ts'
import { createProgress } from './progress.ts'
import { describeSource, loadStoreSettings, type StoreOptions } from './store.ts'

/** Options of `store backup`. */
export interface BackupOptions extends StoreOptions {
  to: string
}

/** What makes backups of the stores that have better tools than ours. */
const tools = {
  postgres: 'pg_dump --format=custom (restored with pg_restore)',
  redis: 'a copy of its append-only folder, or of the RDB file that BGSAVE writes',
}

/** Writes the backup to a new file. The master key is not in it. */
export async function backupStore(options: BackupOptions): Promise<void> {
  const { store, data } = loadStoreSettings(options)
  if (store.driver === 'postgres' || store.driver === 'redis') {
    const copy = `gatehouse store copy --to sqlite:${options.to}`
    throw toFailure(
      `${renderStore(store)} is backed up with its own tools: ${tools[store.driver]}. A copy that any Gatehouse reads is made with: ${copy}`,
      exitUsage,
    )
  }
  if (store.driver === 'memory') return
  await describeSource(store)
  const to = resolve(options.to)
  if (existsSync(to)) throw toFailure(`${options.to} exists; choose another file`, exitUsage)
  if (!existsSync(dirname(to))) throw toFailure(`There is no folder ${dirname(to)}`, exitUsage)
  const progress = createProgress('Backing up', options.json === true)
  try {
    await backupSqlite(store.path, to, progress.show)
  } finally {
    progress.end()
  }
  if (options.json) return print(JSON.stringify({ file: to }))
  print(
    `Backed up to ${renderPath(to)}. Keep the master key too, in another place: without ${data}/master.key or TOKEN_ENCRYPTION_KEY the backup cannot be used.`,
  )
}
