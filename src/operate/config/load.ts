/**
 * The configuration of a process: a file, then the environment over it, then command-line flags over
 * both. Every problem is found and listed at once. Nothing else in Gatehouse reads `process.env`.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type EndpointPaths, resolveEndpointPaths } from '../../oauth/endpoint-paths.ts'
import type { OwnClientOptions } from '../../oauth/own-client.ts'
import { isFromFile, toBackends } from './backends.ts'
import { listClients } from './clients.ts'
import { findConflicts } from './conflicts.ts'
import { type JoinedEnvironment, joinEnvFile } from './env-file.ts'
import {
  type Given,
  type Layers,
  mergeLayers,
  type ParsedFile,
  parseConfigFile,
  readEnvironment,
  readFallbacks,
} from './layers.ts'
import { resolveConfiguredPaths } from './paths.ts'
import { type Problem, toProblems } from './problems.ts'
import { listProviders, type ProviderSettings } from './provider-list.ts'
import type { ProviderType } from './providers.ts'
import { findModeContradiction } from './registration.ts'
import { createConfigSchema, findKnownSettings, type RawConfig } from './schema.ts'
import { resolveSecret } from './secrets.ts'
import { type StoreSettings, toStoreSettings } from './store.ts'
import { findWarnings } from './warnings.ts'

/** The environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Where the configuration comes from. */
export interface ConfigSources {
  /** Path of a YAML or JSON file. Default: `GATEHOUSE_CONFIG`, else none. */
  file?: string | undefined
  /** Path of a file of environment variables, such as `.env`; those of the process win. Default: none. */
  envFile?: string | undefined
  /** Default: the environment of this process. */
  env?: Environment
  /** What the command line says, each with its flag as the place. */
  flags?: readonly Given[]
  /** Whether having nothing to protect is a problem. Default false. */
  needsBackend?: boolean
  /** Whether a shared store without a master key is a problem. Default true. */
  needsMasterKey?: boolean
}

/** A configuration without a problem: secrets read, paths absolute, defaults in place. */
export interface Settings
  extends Omit<
    RawConfig,
    | '$schema'
    | 'publicUrl'
    | 'host'
    | 'to'
    | 'command'
    | 'env'
    | 'store'
    | 'tokenEncryptionKey'
    | 'jwtSecret'
    | 'jwtSecretPrevious'
    | 'tokenEncryptionKeyPrevious'
    | 'providers'
    | 'client'
    | 'clients'
    | 'allow'
    | 'deny'
    | 'callbackUrl'
    | ProviderType
  > {
  /** Our issuer; `http://localhost:<port>` unless configured. */
  readonly publicUrl: string
  /** Whether {@link Settings.publicUrl} was configured. */
  readonly publicUrlGiven: boolean
  /** Address to listen on. */
  readonly host: string
  readonly store: StoreSettings
  /** Clients of ours that are described in the configuration. */
  readonly clients: readonly OwnClientOptions[]
  /** Identity providers, in the order in which people are offered them. */
  readonly providers: readonly ProviderSettings[]
  /** A platform we run on whose disk goes with the instance, such as `Cloud Run`. */
  readonly ephemeralPlatform: string | undefined
  /** The configured master key; absent: the one in the data folder. */
  readonly masterKey: Uint8Array | undefined
  /** The master key that the store may still be sealed with. */
  readonly previousMasterKey: Uint8Array | undefined
  /** The secret that backends share, of HS256. */
  readonly hs256Secret: Uint8Array | undefined
  readonly hs256SecretPrevious: Uint8Array | undefined
  /** What may well be a mistake, and stops nothing. */
  readonly warnings: readonly Problem[]
  /** Where the endpoints are, as `paths` has them. */
  readonly endpointPaths: EndpointPaths
}

/** Settings, or all that is wrong with them. */
export type LoadedConfig =
  | { readonly ok: true; readonly settings: Settings; readonly layers: Layers }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Reads file, environment and flags. Never throws for what a person configured. */
export function loadConfig(sources: ConfigSources = {}): LoadedConfig {
  const joined = joinEnvFile(sources.envFile, sources.env ?? process.env)
  return addEnvFile(loadLayers({ ...sources, env: joined.env }), joined)
}

/** Says of every value and problem when it is in the file of variables. */
function addEnvFile(loaded: LoadedConfig, { problems, toPlace }: JoinedEnvironment): LoadedConfig {
  const addTo = (found: readonly Problem[]): Problem[] =>
    found.map((problem) => ({ ...problem, place: toPlace(problem.place) }))
  if (!loaded.ok) return { ok: false, problems: [...problems, ...addTo(loaded.problems)] }
  if (problems.length > 0) return { ok: false, problems }
  const { layers, settings } = loaded
  return {
    ok: true,
    settings: { ...settings, warnings: addTo(settings.warnings) },
    layers: { ...layers, locate: (path) => toPlace(layers.locate(path)) },
  }
}

function loadLayers(sources: ConfigSources & { env: Environment }): LoadedConfig {
  const { env } = sources
  const fileName = sources.file ?? (env.GATEHOUSE_CONFIG || undefined)
  const file = fileName === undefined ? undefined : readConfigFile(fileName)
  const environment = readEnvironment(env)
  const folder = fileName === undefined ? '.' : dirname(fileName)
  const given = [...findPlatformPort(env), ...environment.given, ...(sources.flags ?? [])]
  const fallbacks = readFallbacks(env, mergeLayers(file, given))
  const layers = mergeLayers(file, [...fallbacks.given, ...given])
  const problems = [
    ...(file?.problems ?? []),
    ...environment.problems,
    ...fallbacks.problems,
    ...findModeContradiction(file?.tree, environment.given),
  ]

  const schema = createConfigSchema((reference) => resolveSecret(reference, { env, folder }))
  const parsed = schema.safeParse(layers.tree, { reportInput: true })
  if (!parsed.success) {
    const { issues } = parsed.error
    problems.push(...issues.flatMap((issue) => toProblems(issue, layers.locate, findKnownSettings)))
    return { ok: false, problems }
  }
  const draft = { raw: parsed.data, layers, flags: sources.flags ?? [], env, folder, problems }
  const plain = toSettings(draft)
  const settings = { ...plain, warnings: findWarnings(parsed.data, plain, { layers, env }) }
  const { needsBackend = false, needsMasterKey = true } = sources
  // What a file that cannot be read does not say is not missing.
  const isFileRead = file === undefined || file.problems.length === 0
  const needs = { backend: needsBackend && isFileRead, masterKey: needsMasterKey && isFileRead }
  problems.push(...findConflicts(parsed.data, settings, layers.locate, needs))
  return problems.length > 0 ? { ok: false, problems } : { ok: true, settings, layers }
}

function readConfigFile(name: string): ParsedFile {
  try {
    return parseConfigFile(name, readFileSync(name, 'utf8'))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const problem = { place: name, setting: '', problem: `cannot be read: ${why}` }
    return { tree: {}, problems: [problem], locate: () => name }
  }
}

/** `PORT` is how hosting platforms (Cloud Run, Heroku, Fly) name the port; our own name wins. */
function findPlatformPort(env: Environment): Given[] {
  if (env.PORT === undefined || !/^\d+$/.test(env.PORT)) return []
  return [{ path: ['port'], value: Number(env.PORT), place: 'PORT' }]
}

interface Draft {
  readonly raw: RawConfig
  readonly layers: Layers
  readonly flags: readonly Given[]
  readonly env: Environment
  readonly folder: string
  readonly problems: Problem[]
}

function toSettings(draft: Draft): Omit<Settings, 'warnings'> {
  const { raw, layers, env, folder } = draft
  const {
    publicUrl,
    host,
    to: _,
    command: ______,
    env: _______,
    backends: __,
    store,
    tokenEncryptionKey,
    tokenEncryptionKeyPrevious,
    jwtSecret,
    jwtSecretPrevious,
    client: ___,
    $schema: ____,
    ...plain
  } = raw
  const fromFile = layers.tree.data !== undefined && isFromFile(layers, ['data'])
  const data = resolve(fromFile ? folder : '.', raw.data)
  const storeFolder = isFromFile(layers, ['store', 'url']) ? folder : '.'
  return {
    ...plain,
    data,
    store: toStoreSettings(store, { data, folder: storeFolder }),
    ephemeralPlatform: env.K_SERVICE ? 'Cloud Run' : undefined,
    publicUrl: publicUrl ?? `http://localhost:${raw.port}`,
    publicUrlGiven: publicUrl !== undefined,
    clients: listClients(raw).map(({ options }) => options),
    providers: listProviders(raw).map((provider) => provider.settings),
    host: host ?? toDefaultHost(publicUrl, env),
    backends: toBackends(draft, isFromFile(layers, ['backends']) ? folder : '.'),
    masterKey: tokenEncryptionKey,
    previousMasterKey: tokenEncryptionKeyPrevious,
    ...(jwtSecret && { signingAlgorithm: 'HS256' as const }),
    hs256Secret: jwtSecret,
    hs256SecretPrevious: jwtSecretPrevious,
    endpointPaths: toEndpointPaths(draft),
  }
}

function toEndpointPaths({ raw, layers, problems }: Draft): EndpointPaths {
  const resolved = resolveConfiguredPaths(raw.paths)
  if ('paths' in resolved) return resolved.paths
  problems.push({ place: layers.locate(['paths']), setting: 'paths', problem: resolved.problem })
  return resolveEndpointPaths()
}

/**
 * Loopback, so that a laptop shows nothing to its network. Only where a platform hands out the port
 * (`PORT`) and the public URL says https are we in a container whose traffic comes from outside.
 */
function toDefaultHost(publicUrl: string | undefined, env: Environment): string {
  const isHosted = env.PORT !== undefined && publicUrl?.startsWith('https:') === true
  return isHosted ? '0.0.0.0' : '127.0.0.1'
}
