/** From settings to the live objects that `createGatehouse` takes. */
import { join } from 'node:path'
import type { Upstream } from '../../identity/upstream.ts'
import type { GatehouseOptions } from '../../options.ts'
import { type Clock, systemClock } from '../../platform/clock.ts'
import { sqliteStore } from '../../storage/sqlite.ts'
import type { Store } from '../../storage/store.ts'
import { createAudit } from '../audit.ts'
import { createLimits } from '../limits.ts'
import { createLog } from '../log.ts'
import { createMetrics } from '../metrics.ts'
import type { Settings } from './load.ts'
import { openMasterKey } from './secrets.ts'

/** The SQLite file in the data folder. */
export const storeFile = 'gatehouse.db'

/** What a data folder holds, opened. Whoever opened it closes the store. */
export interface OpenedData {
  readonly store: Store
  readonly masterKey: Uint8Array
}

/**
 * Opens the data folder, creating folder, master key and store at first use.
 *
 * @throws Error written for the owner: a lost or wrong key, a damaged or unwritable store
 */
export async function openData(
  settings: Pick<Settings, 'data' | 'masterKey'>,
  clock: Clock = systemClock,
): Promise<OpenedData> {
  const masterKey = settings.masterKey ?? openMasterKey(settings.data, storeFile)
  const store = await sqliteStore({ path: join(settings.data, storeFile), clock })
  return { store, masterKey }
}

/** Everything `createGatehouse` needs, over opened data. Logs are text at a terminal, else JSON. */
export async function toOptions(settings: Settings, data: OpenedData): Promise<GatehouseOptions> {
  const format = settings.log.format ?? (process.stderr.isTTY ? 'text' : 'json')
  return {
    ...data,
    issuer: settings.publicUrl,
    backends: [...settings.backends],
    scopes: settings.scopes,
    defaultScopes: settings.defaultScopes,
    lifetimes: settings.lifetimes,
    refresh: settings.refresh,
    signingAlgorithm: settings.signingAlgorithm,
    noSignIn: settings.noSignIn,
    letAnyoneIn: settings.letAnyoneIn,
    dynamicRegistration: settings.dynamicRegistration,
    siteName: settings.siteName,
    localSignIn: settings.localSignIn,
    acceptNewIssuer: settings.acceptNewIssuer,
    gateBodyLimitBytes: settings.gateBodyLimitBytes,
    upstreams: await createUpstreams(settings),
    log: createLog({ level: settings.log.level, format }),
    audit: createAudit({ format }),
    limits: createLimits(),
    metrics: createMetrics(),
  }
}

/** Loaded only when configured: providers bring libraries that take time to load. */
async function createUpstreams(settings: Settings): Promise<Upstream[]> {
  if (settings.github === undefined) return []
  const { github } = await import('../../identity/presets/github.ts')
  return [github(settings.github)]
}
