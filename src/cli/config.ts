/** `gatehouse config`: what is configured, where it comes from, and what is wrong with it. */
import { createConfig } from '../config.ts'
import type { Given, Layers } from '../operate/config/layers.ts'
import {
  type ConfigSources,
  type LoadedConfig,
  loadConfig,
  type Settings,
} from '../operate/config/load.ts'
import { type Problem, renderProblem } from '../operate/config/problems.ts'
import { toOptions } from '../operate/config/to-options.ts'
import type { GatehouseOptions } from '../options.ts'
import { systemClock } from '../platform/clock.ts'
import { createRotationRules, toSharedSecrets } from '../signing.ts'
import { memoryStore } from '../storage/memory.ts'
import { listValues } from './config-values.ts'
import { print, printAside, printRecords } from './output.ts'
import { type DataOptions, toConfigFailure, toGiven, toNumber } from './settings.ts'

/** Options of the commands. */
export interface ConfigOptions extends DataOptions {
  to?: string
  publicUrl?: string
  host?: string
  port?: string
  json?: boolean
}

/** Prints every value in force with its origin; secrets are masked. */
export async function showConfig(options: ConfigOptions): Promise<void> {
  const judged = await judgeConfig(options)
  if (!judged.ok) throw toConfigFailure(judged.problems)
  const { settings, layers, live } = judged
  printRecords(
    listValues(settings, layers, live),
    {
      columns: ['SETTING', 'VALUE', 'FROM'],
      toRow: ({ setting, value, origin }) => [setting, toText(value), origin],
      empty: '',
    },
    options.json === true,
  )
}

/** Says what is wrong with the configuration, exit code 2, and what may be, exit code 0. */
export async function checkConfig(options: ConfigOptions): Promise<void> {
  const judged = await judgeConfig(options, { needsBackend: true })
  const problems = judged.ok ? [] : judged.problems
  const warnings = judged.ok ? [...judged.settings.warnings, ...findGaps(judged.settings)] : []
  if (options.json) print(JSON.stringify({ ok: judged.ok, problems, warnings }, undefined, 2))
  if (!judged.ok) throw toConfigFailure(problems)
  if (options.json) return
  for (const warning of warnings) printAside(`WARNING: ${renderProblem(warning)}`)
  print('The configuration can be served')
}

/** A configuration that can be served, with the live options of it; or all that is wrong. */
type Judged =
  | {
      readonly ok: true
      readonly settings: Settings
      readonly layers: Layers
      readonly live: GatehouseOptions
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Reads the configuration, and builds of it all that can be built without a store. */
export async function judgeConfig(
  options: ConfigOptions,
  needs: Pick<ConfigSources, 'needsBackend'> = {},
): Promise<Judged> {
  const flags: Given[] = [
    ...toGiven('--data', 'data', options.data),
    ...toGiven('--store', 'store.url', options.store),
    ...toGiven('--to', 'to', options.to),
    ...toGiven('--public-url', 'publicUrl', options.publicUrl),
    ...toGiven('--host', 'host', options.host),
    ...toGiven('--port', 'port', toNumber(options.port)),
  ]
  const loaded: LoadedConfig = loadConfig({
    file: options.config,
    envFile: options.envFile,
    flags,
    ...needs,
  })
  if (!loaded.ok) return loaded
  const { settings, layers } = loaded
  try {
    return { ok: true, settings, layers, live: await build(settings) }
  } catch (error) {
    const isWrong =
      error instanceof TypeError || (error instanceof Error && error.name === 'StartError')
    if (!isWrong) throw error
    return {
      ok: false,
      problems: [
        { place: 'settings', setting: 'The whole', problem: `cannot be: ${error.message}` },
      ],
    }
  }
}

/** Where nothing is named to protect, something stands in for it: the flag may come with `serve`. */
async function build(settings: Settings): Promise<GatehouseOptions> {
  const { backends } = settings
  const named = backends.length > 0 ? backends : [{ to: 'http://127.0.0.1/mcp' }]
  const masterKey = settings.masterKey ?? new Uint8Array(32)
  const data = {
    store: memoryStore({ clock: systemClock }),
    masterKey,
    previousMasterKey: undefined,
  }
  const live = await toOptions({ ...settings, backends: named }, data)
  createConfig(live)
  createRotationRules(live)
  toSharedSecrets(live)
  return live
}

/** What `serve` may be given otherwise, or says itself at its start. */
function findGaps(settings: Settings): Problem[] {
  const {
    clients,
    dynamicRegistration,
    clientMetadataDocuments: documents,
    oauthEnabled,
  } = settings
  const lacksClients = dynamicRegistration === false && clients.length === 0 && !documents
  const toGap = (setting: string, problem: string) => ({ place: 'settings', setting, problem })
  const open = 'is false: everyone who reaches an MCP URL uses the server behind it'
  const nobody =
    'is false and no client is configured: ChatGPT says "Failed to resolve OAuth client" unless you type in one that gatehouse clients add made'
  return [
    ...(oauthEnabled ? [] : [toGap('oauthEnabled', open)]),
    ...(lacksClients ? [toGap('dynamicRegistration', nobody)] : []),
  ]
}

function toText(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
