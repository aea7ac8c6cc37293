/**
 * The configuration of `gatehouse serve` for a server of your own: the same file, the same names in the
 * environment, the same complaints. Published as `mcp-gatehouse/config`.
 */
import type { GatehouseOptions } from '../../options.ts'
import { type ConfigSources, loadConfig } from './load.ts'
import { renderProblem } from './problems.ts'
import { createProcessLog, openData, toOptions } from './to-options.ts'

/** Where the configuration comes from. */
export type OptionSources = Pick<ConfigSources, 'file' | 'envFile' | 'env'>

/**
 * The options of `createGatehouse`, with the store opened. Whoever asked for them closes `store` in the end, after
 * the Gatehouse. What only a process of our own has, such as `port`, counts for nothing here.
 *
 * @throws TypeError that lists every problem of the configuration with its place
 * @throws Error written for the owner when the store cannot be opened, or not with this key
 */
export async function loadOptions(sources: OptionSources = {}): Promise<GatehouseOptions> {
  const loaded = loadConfig(sources)
  if (!loaded.ok) {
    const lines = loaded.problems.map((problem) => `  ${renderProblem(problem)}`)
    throw new TypeError(`The configuration cannot be used:\n${lines.join('\n')}`)
  }
  const { settings } = loaded
  const log = createProcessLog(settings)
  for (const warning of settings.warnings) log.warn(renderProblem(warning))
  const data = await openData(settings, undefined, log)
  try {
    return await toOptions(settings, data, log)
  } catch (error) {
    await data.store.close()
    throw error
  }
}
