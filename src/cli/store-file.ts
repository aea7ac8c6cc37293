/**
 * Notices when the SQLite file is taken away under a running server, which would go on writing into a
 * file that nobody can open again.
 */
import { stat } from 'node:fs/promises'
import type { StoreSettings } from '../operate/config/store.ts'
import type { Log } from '../platform/ports.ts'

/** Looks after the file of a store. */
export interface StoreFileWatch {
  /** Whether the file at the path is still the one that was opened. Always true for stores that are no file. */
  isThere(): Promise<boolean>
  /** Looks no more. */
  stop(): void
}

/** How often it looks without being asked, in milliseconds: most owners have nothing that asks `/readyz`. */
const lookEveryMs = 10_000

/** Watches the file of a store that was just opened, and tells the log once when it is gone. */
export async function watchStoreFile(store: StoreSettings, log: Log): Promise<StoreFileWatch> {
  if (store.driver !== 'sqlite') return { isThere: async () => true, stop: () => undefined }
  const { path } = store
  const opened = await findFileId(path)
  let isTold = false
  const isThere = async (): Promise<boolean> => {
    const isSame = (await findFileId(path)) === opened
    if (!isSame && !isTold) log.error(removedMessage, { path })
    isTold = !isSame
    return isSame
  }
  const timer = setInterval(() => void isThere(), lookEveryMs).unref()
  return { isThere, stop: () => clearInterval(timer) }
}

const removedMessage =
  'The store was removed or replaced under the running server, and what is written now is lost when it stops: stop it, restore the data folder and start it again'

/** What tells one file from another, whatever its name; undefined when there is none. */
async function findFileId(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true })
    return `${dev} ${ino}`
  } catch {
    return undefined
  }
}
