/** Settings as tests load them: from what they say, and nothing of the environment they run in. */
import { type ConfigSources, loadConfig, type Settings } from '../../src/operate/config/load.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'

/** The settings; fails with every problem of them. */
export function loadSettings(sources: ConfigSources): Settings {
  const loaded = loadConfig({ env: {}, ...sources })
  if (!loaded.ok) throw new Error(loaded.problems.map(renderProblem).join('\n'))
  return loaded.settings
}
