/** The effective configuration as a list of values, each with where it comes from. Secrets never leave here. */
import { createConfig } from '../config.ts'
import type { Layers, SettingPath } from '../operate/config/layers.ts'
import type { Settings } from '../operate/config/load.ts'
import { toName } from '../operate/config/problems.ts'
import { renderStore } from '../operate/config/store.ts'
import type { GatehouseOptions } from '../options.ts'

/** One value of the configuration. */
export interface ShownValue {
  /** `log.level`, `backends[0].to`. */
  readonly setting: string
  readonly value: unknown
  /** `gatehouse.yaml:3:5`, `SERVER_URL`, `--data`, or `default`. */
  readonly origin: string
}

/** What is shown in place of a secret. */
const mask = '********'

/** Members that hold a secret, wherever they are. */
const secretMembers: ReadonlySet<string> = new Set([
  'secret',
  'clientSecret',
  'jwtSecret',
  'jwtSecretPrevious',
  'tokenEncryptionKey',
  'tokenEncryptionKeyPrevious',
])

/** Whether what stands at a path is a secret, or may be: header fields that backends are sent often are. */
export function isSecretPath(path: SettingPath): boolean {
  const [block, member] = path
  if (block === 'store') return member === undefined || member === 'url' || member === 'directUrl'
  // A variable of a program that is started is mostly a key; what it is told of its caller is one level deeper.
  if (path.at(-2) === 'env') return true
  return path.some((part) => part === 'headers') || secretMembers.has(String(path.at(-1)))
}

/** Every value in force: what was given, in the order in which it was, then the defaults. */
export function listValues(
  settings: Settings,
  layers: Layers,
  options: GatehouseOptions,
): ShownValue[] {
  const given = listLeaves(layers.tree).map(({ path, value }) => ({
    setting: toName(path),
    value: toShown(path, value, settings),
    origin: layers.locate(path),
  }))
  const known = new Set(given.map(({ setting }) => setting))
  const isGiven = (setting: string): boolean =>
    known.has(setting) || [...known].some((name) => isBelow(name, setting))
  const defaults = Object.entries(toDefaults(settings, options))
    .filter(([setting, value]) => value !== undefined && !isGiven(setting))
    .map(([setting, value]) => ({ setting, value, origin: toOrigin(setting, known) }))
  return [...given, ...defaults]
}

/** A secret that signs chooses the algorithm. */
function toOrigin(setting: string, known: ReadonlySet<string>): string {
  return setting === 'signingAlgorithm' && known.has('jwtSecret') ? 'jwtSecret' : 'default'
}

function isBelow(name: string, setting: string): boolean {
  return name.startsWith(`${setting}.`) || name.startsWith(`${setting}[`)
}

interface Leaf {
  readonly path: SettingPath
  readonly value: unknown
}

/** A secret is one leaf however it is written; so is a list of plain values. */
function listLeaves(value: unknown, path: SettingPath = []): Leaf[] {
  if (path[0] === '$schema') return []
  const isPlain = typeof value !== 'object' || value === null
  if (isPlain || isReference(value) || isPlainList(value)) return [{ path, value }]
  const members = Array.isArray(value)
    ? value.map((member, index) => [index, member] as const)
    : Object.entries(value)
  return members.flatMap(([name, member]) => listLeaves(member, [...path, name]))
}

function isPlainList(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one !== 'object' || one === null)
}

/** `{ env: NAME }` or `{ file: PATH }`. */
function isReference(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const [only, ...others] = Object.keys(value)
  return others.length === 0 && (only === 'env' || only === 'file')
}

function toShown(path: SettingPath, value: unknown, settings: Settings): unknown {
  const setting = toName(path)
  if (setting === 'store' || setting === 'store.url') return renderStore(settings.store)
  if (setting === 'publicUrl') return settings.publicUrl
  if (setting === 'data') return settings.data
  if (!isReference(value)) return isSecretPath(path) ? mask : value
  const places = Object.entries(value).map(([kind, place]) => `${kind} ${String(place)}`)
  return `${mask} (${places.join()})`
}

/** What holds where nothing was given. */
function toDefaults(settings: Settings, options: GatehouseOptions): Record<string, unknown> {
  const config = createConfig(options)
  const { base, aliases: _, ...paths } = config.paths
  const { lifetimes, refresh } = config
  return {
    publicUrl: settings.publicUrl,
    host: settings.host,
    port: settings.port,
    drainSeconds: settings.drainSeconds,
    data: settings.data,
    store: renderStore(settings.store),
    tokenEncryptionKey: `${mask} (file ${settings.data}/master.key)`,
    oauthEnabled: config.oauthEnabled,
    'paths.base': base,
    ...toMembers('paths', paths),
    siteName: config.siteName,
    scopes: config.scopes,
    defaultScopes: config.defaultScopes,
    ...toMembers('lifetimes', lifetimes),
    ...toMembers('refresh', refresh),
    signingAlgorithm: config.signingAlgorithm,
    noSignIn: config.noSignIn,
    letAnyoneIn: config.letAnyoneIn,
    localSignIn: settings.providers.length === 0 && !config.noSignIn,
    dynamicRegistration: config.dynamicRegistration,
    'registration.mode': config.registration.mode,
    clientMetadataDocuments: config.clientMetadataDocuments !== undefined,
    reuseRegistrations: config.reuseRegistrations,
    invitedOnly: settings.invitedOnly,
    linkByVerifiedEmail: settings.linkByVerifiedEmail,
    gateBodyLimitBytes: config.gateBodyLimitBytes,
    'log.level': 'info',
    'log.format': 'json, and text at a terminal',
    acceptNewIssuer: settings.acceptNewIssuer,
    debug: settings.debug,
  }
}

function toMembers(block: string, members: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [`${block}.${name}`, value]),
  )
}
