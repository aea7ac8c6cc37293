/** opencode, on SDK 2.x in Bun. */
import { join } from 'node:path'
import type { Note, RealClient } from '../client.ts'
import { modules } from '../install.ts'
import { startModel } from '../model.ts'
import type { Stage } from '../stage.ts'

const program = 'opencode-linux-x64-baseline'
const opencode = join(modules, program, 'bin', 'opencode')

const quiet = {
  OPENCODE_DISABLE_AUTOUPDATE: 'true',
  OPENCODE_DISABLE_DEFAULT_PLUGINS: 'true',
  OPENCODE_DISABLE_MODELS_FETCH: 'true',
  OPENCODE_DISABLE_LSP_DOWNLOAD: 'true',
  OPENCODE_DISABLE_SHARE: 'true',
  OPENCODE_DISABLE_FFF: 'true',
  OPENCODE_EXPERIMENTAL_DISABLE_FILEWATCHER: 'true',
}

function run(stage: Stage, args: string[], config: object = {}): Promise<string> {
  const mcp = { notes: { type: 'remote', url: stage.url } }
  const settings = { ...config, mcp, snapshot: false, permission: 'allow' }
  return stage.run(opencode, args, { ...quiet, OPENCODE_CONFIG_CONTENT: JSON.stringify(settings) })
}

async function useTools(stage: Stage, note: Note): Promise<string> {
  const model = await startModel(note)
  const options = { baseURL: `${model.url}/v1`, apiKey: 'none' }
  const models = { 'one-idea': { tool_call: true } }
  const config = {
    provider: { anthropic: { options, models } },
    agent: { title: { disable: true } },
  }
  try {
    const prompt = ['run', '--model', 'anthropic/one-idea', 'Write the note']
    return await run(stage, prompt, config)
  } finally {
    await model.close()
  }
}

export const client: RealClient = {
  id: 'opencode',
  name: 'opencode-ai',
  program,
  login: async (stage) => {
    await run(stage, ['mcp', 'auth', 'notes'])
  },
  useTools,
}
