/**
 * The store, opened by a command that changes it beside a running server: same data, same rules, no
 * restart needed.
 */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { createUsers, type Users } from '../identity/users.ts'
import type { EndpointPaths } from '../oauth/endpoint-paths.ts'
import type { Settings } from '../operate/config/load.ts'
import { renderStore } from '../operate/config/store.ts'
import { openData } from '../operate/config/to-options.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { type Random, systemRandom } from '../platform/crypto.ts'
import { type Installation as InstallationRecord, installations } from '../storage/records/key.ts'
import type { Stored } from '../storage/records/record.ts'
import { createSealer } from '../storage/sealed.ts'
import type { Sealer } from '../storage/sealer.ts'
import type { Store } from '../storage/store.ts'
import { toFailure } from './failure.ts'
import { printAside } from './output.ts'
import { type DataOptions, loadSettings } from './settings.ts'

/** What commands work with. */
export interface Installation {
  readonly store: Store
  readonly sealer: Sealer
  readonly masterKey: Uint8Array
  readonly users: Users
  readonly clock: Clock
  readonly random: Random
  /** How long access tokens of ended grants must be refused. */
  readonly accessTokenSeconds: number
  /** What the server wrote at its first start; undefined before. */
  readonly record: Stored<InstallationRecord> | undefined
  /** The issuer of the server that uses this store, or would be. */
  readonly issuer: string
  /** Where the server's endpoints are. */
  readonly paths: EndpointPaths
  /** How clients come to an id, as configured here. */
  readonly registration: Settings['registration']
  /** Ids of the clients that are described here. */
  readonly configuredClientIds: readonly string[]
  /** Ids of the identity providers that are configured here; none where only the store was named. */
  readonly providerIds: readonly string[]
}

/** Default lifetime of an access token (A5): before the first start there is none. */
const defaultAccessTokenSeconds = 3600

/** Runs `work` on the opened store and closes it, whatever happens. */
export async function withInstallation<T>(
  options: DataOptions & { mustExist?: boolean },
  work: (installation: Installation) => Promise<T>,
): Promise<T> {
  const settings = loadSettings(options)
  verifyReachable(settings, options.mustExist ?? false)
  const clock = systemClock
  const random = systemRandom
  const { store, masterKey, previousMasterKey } = await openData(settings, clock)
  try {
    const sealer = await createSealer({ store, masterKey, previousMasterKey, clock, random })
    const record = await installations.find(store, 'self')
    const accessTokenSeconds = record?.value.accessTokenSeconds ?? defaultAccessTokenSeconds
    const users = createUsers({ store, sealer, clock, random, accessTokenSeconds })
    const issuer = record?.value.issuer ?? settings.publicUrl
    const result = await work({
      store,
      sealer,
      masterKey,
      users,
      clock,
      random,
      accessTokenSeconds,
      record,
      issuer,
      paths: settings.endpointPaths,
      registration: settings.registration,
      configuredClientIds: settings.clients.map(({ id }) => id),
      providerIds: settings.providers.map(({ id }) => id),
    })
    if (record === undefined && !options.mustExist) printAside(toFirstUseNote(settings))
    return result
  } finally {
    await store.close()
  }
}

/**
 * Makes sure that a command works on what a server works on.
 *
 * @throws Failure when the store is in another process's memory, or should be there and is not
 */
export function verifyReachable({ data, store }: Settings, mustExist: boolean): void {
  if (store.driver === 'memory') {
    throw toFailure('The memory store is seen by its server alone; name another one with --store')
  }
  if (!mustExist || store.driver !== 'sqlite') return
  if (dirname(store.path) === data && !existsSync(data)) {
    throw toFailure(`There is no data folder ${data}; name the server's with --data DIR`)
  }
  if (dirname(store.path) !== data && !existsSync(store.path)) {
    throw toFailure(`There is no store ${store.path}; name the server's with --store sqlite:PATH`)
  }
}

/** For who mistyped the folder: what was just added would wait there for a server that never comes. */
function toFirstUseNote({ store }: Settings): string {
  return `Note: no server has used this store yet, ${renderStore(store)}; if yours uses another one, name it with --data or --store`
}
