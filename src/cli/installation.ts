/**
 * The data folder, opened by a command that changes it beside a running server: same SQLite file, same
 * rules, no restart needed.
 */
import { existsSync } from 'node:fs'
import { createUsers, type Users } from '../identity/users.ts'
import { openData } from '../operate/config/to-options.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { type Random, systemRandom } from '../platform/crypto.ts'
import { type Installation as InstallationRecord, installations } from '../storage/records/key.ts'
import type { RecordType, Stored } from '../storage/records/record.ts'
import { createSealer } from '../storage/sealed.ts'
import type { Sealer } from '../storage/sealer.ts'
import type { Store } from '../storage/store.ts'
import { toFailure } from './failure.ts'
import { type DataOptions, loadSettings } from './settings.ts'

/** What commands work with. */
export interface Installation {
  readonly store: Store
  readonly sealer: Sealer
  readonly users: Users
  readonly clock: Clock
  readonly random: Random
  /** How long access tokens of ended grants must be refused. */
  readonly accessTokenSeconds: number
  /** What the server wrote at its first start; undefined before. */
  readonly record: Stored<InstallationRecord> | undefined
  /** The issuer of the server that uses this folder, or would be. */
  readonly issuer: string
}

/** Default lifetime of an access token (A5). */
const defaultAccessTokenSeconds = 3600

/** Runs `work` on the opened data folder and closes it, whatever happens. */
export async function withInstallation<T>(
  options: DataOptions & { mustExist?: boolean },
  work: (installation: Installation) => Promise<T>,
): Promise<T> {
  const settings = loadSettings(options)
  if (options.mustExist && !existsSync(settings.data)) {
    throw toFailure(`There is no data folder ${settings.data}; name the server's with --data DIR`)
  }
  const clock = systemClock
  const random = systemRandom
  const { store, masterKey } = await openData(settings, clock)
  try {
    const sealer = await createSealer({ store, masterKey, clock, random })
    const accessTokenSeconds = settings.lifetimes?.accessTokenSeconds ?? defaultAccessTokenSeconds
    const users = createUsers({ store, sealer, clock, random, accessTokenSeconds })
    const record = await installations.find(store, 'self')
    const issuer = record?.value.issuer ?? settings.publicUrl
    return await work({ store, sealer, users, clock, random, accessTokenSeconds, record, issuer })
  } finally {
    await store.close()
  }
}

/** All records whose key begins with the given parts, page by page. */
export async function listRecords<T>(
  type: RecordType<T>,
  store: Store,
  parts: string[] = [],
): Promise<Stored<T>[]> {
  const all: Stored<T>[] = []
  for (;;) {
    const page = await type.list(store, parts, { after: all.at(-1)?.key })
    if (page.length === 0) return all
    all.push(...page)
  }
}
