/** From settings to the live objects that `createGatehouse` takes. */
import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import type { GatehouseOptions } from '../../options.ts'
import { type Clock, systemClock } from '../../platform/clock.ts'
import type { Log } from '../../platform/ports.ts'
import { copies } from '../../storage/records/copy.ts'
import { toStartError } from '../../storage/start-error.ts'
import type { Store } from '../../storage/store.ts'
import { createAudit } from '../audit.ts'
import { createLimits } from '../limits.ts'
import { createLog, type LogFormat } from '../log.ts'
import { createMetrics } from '../metrics.ts'
import type { Settings } from './load.ts'
import { toRegistrationOptions } from './registration.ts'
import { makeFolder, openMasterKey } from './secrets.ts'
import { openStore, storeFile } from './store.ts'
import { createUpstreams } from './upstreams.ts'

/** The store and its master key, opened. Whoever opened it closes the store. */
export interface OpenedData {
  readonly store: Store
  readonly masterKey: Uint8Array
  readonly previousMasterKey: Uint8Array | undefined
}

/** What opening needs of the settings. */
type DataSettings = Pick<Settings, 'data' | 'store' | 'masterKey' | 'previousMasterKey'>

/**
 * Opens the store, creating it at first use, for SQLite together with folder and master key.
 *
 * @param log told of what a driver notices while it runs
 * @throws Error written for the owner: a lost or wrong key, a damaged, unreachable or unwritable store,
 *   or one that a copy was not finished into
 */
export async function openData(
  settings: DataSettings,
  clock: Clock = systemClock,
  log?: Log,
): Promise<OpenedData> {
  if (settings.store.driver === 'sqlite') makeFolder(dirname(settings.store.path))
  const masterKey = settings.masterKey ?? findMasterKey(settings)
  const store = await openStore(settings.store, { clock, log })
  try {
    await refuseUnfinishedCopy(store)
  } catch (error) {
    await store.close()
    throw error
  }
  return { store, masterKey, previousMasterKey: settings.previousMasterKey }
}

/** What is sealed in memory is gone with it, so its key is not kept either. */
function findMasterKey({ data, store }: DataSettings): Uint8Array {
  if (store.driver === 'memory') return randomBytes(32)
  return openMasterKey(data, store.driver === 'sqlite' ? store.path : storeFile)
}

async function refuseUnfinishedCopy(store: Store): Promise<void> {
  const copy = await copies.find(store, 'self')
  if (copy === undefined || copy.value.finishedAt !== undefined) return
  throw toStartError(
    `This store is only part of a copy from ${copy.value.from}: finish it with the same gatehouse store copy command, with no server running on either store`,
  )
}

/** The log of this process: text at a terminal, else JSON, unless configured. */
export function createProcessLog(settings: Settings): Log {
  return createLog({ level: settings.log.level, format: toLogFormat(settings) })
}

function toLogFormat({ log }: Settings): LogFormat {
  return log.format ?? (process.stderr.isTTY ? 'text' : 'json')
}

/** Everything `createGatehouse` needs, over opened data. */
export async function toOptions(
  settings: Settings,
  data: OpenedData,
  log: Log = createProcessLog(settings),
): Promise<GatehouseOptions> {
  return {
    ...data,
    issuer: settings.publicUrl,
    backends: [...settings.backends],
    paths: settings.paths,
    oauthEnabled: settings.oauthEnabled,
    scopes: settings.scopes,
    defaultScopes: settings.defaultScopes,
    scopeHierarchy: settings.scopeHierarchy,
    lifetimes: settings.lifetimes,
    refresh: settings.refresh,
    signingAlgorithm: settings.signingAlgorithm,
    hs256Secret: settings.hs256Secret,
    hs256SecretPrevious: settings.hs256SecretPrevious,
    signingKeyRotationSeconds: settings.signingKeyRotationSeconds,
    noSignIn: settings.noSignIn,
    letAnyoneIn: settings.letAnyoneIn,
    dynamicRegistration: settings.dynamicRegistration,
    reuseRegistrations: settings.reuseRegistrations,
    clients: [...settings.clients],
    registration: await toRegistrationOptions(settings.registration),
    clientMetadataDocuments: settings.clientMetadataDocuments,
    siteName: settings.siteName,
    localSignIn: settings.localSignIn,
    acceptNewIssuer: settings.acceptNewIssuer,
    acceptNewProvider: settings.acceptNewProvider,
    gateBodyLimitBytes: settings.gateBodyLimitBytes,
    invitedOnly: settings.invitedOnly,
    linkByVerifiedEmail: settings.linkByVerifiedEmail,
    contact: settings.contact,
    reverifySeconds: settings.reverifySeconds,
    lifetimeFollowsUpstream: settings.lifetime === 'upstream',
    developmentCookies: settings.developmentCookies,
    sessionsPerUser: settings.sessions?.perUser,
    upstreams: await createUpstreams(settings.providers),
    log,
    audit: createAudit({ format: toLogFormat(settings) }),
    limits: createLimits(),
    metrics: createMetrics(),
  }
}
