/** From the options of a command to settings. */
import type { Given } from '../operate/config/layers.ts'
import { type ConfigSources, loadConfig, type Settings } from '../operate/config/load.ts'
import { type Problem, renderProblem } from '../operate/config/problems.ts'
import { exitUsage, toFailure } from './failure.ts'

/** Options that every command with a store has. */
export interface DataOptions {
  config?: string
  envFile?: string
  data?: string
  store?: string
}

/** A flag as a layer of the configuration; absent when it was not given. */
export function toGiven(flag: string, path: string, value: unknown): Given[] {
  return value === undefined ? [] : [{ path: path.split('.'), value, place: flag }]
}

/** A number as it was typed; what is none is left for the schema to refuse. */
export function toNumber(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text
}

/**
 * The settings of a command.
 *
 * @throws Failure that lists every problem with its place, exit code 2
 */
export function loadSettings(
  options: DataOptions,
  flags: readonly Given[] = [],
  needs: Pick<ConfigSources, 'needsBackend' | 'needsMasterKey'> = {},
): Settings {
  const loaded = loadConfig({
    file: options.config,
    envFile: options.envFile,
    flags: [
      ...toGiven('--data', 'data', options.data),
      ...toGiven('--store', 'store.url', options.store),
      ...flags,
    ],
    ...needs,
  })
  if (loaded.ok) return loaded.settings
  throw toConfigFailure(loaded.problems)
}

/** All that is wrong with a configuration as one failure, exit code 2. */
export function toConfigFailure(problems: readonly Problem[]): Error {
  const lines = problems.map((problem) => `  ${renderProblem(problem)}`)
  const count = lines.length === 1 ? 'a problem' : `${lines.length} problems`
  return toFailure(`the configuration has ${count}:\n${lines.join('\n')}`, exitUsage)
}
