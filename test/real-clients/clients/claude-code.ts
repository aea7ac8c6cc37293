/** Anthropic's Claude Code, whose OAuth is SDK 1.x's in Bun. */
import { join } from 'node:path'
import type { Note, RealClient } from '../client.ts'
import { modules } from '../install.ts'
import { startModel } from '../model.ts'
import type { Stage } from '../stage.ts'

const program = '@anthropic-ai/claude-code-linux-x64'
const claude = join(modules, program, 'claude')

const quiet = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
  ENABLE_TOOL_SEARCH: 'false',
}

async function useTools(stage: Stage, note: Note): Promise<string> {
  const model = await startModel(note)
  const modelOf = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'none' }
  const allowed = ['--allowedTools', 'mcp__notes__add_note']
  try {
    return await stage.run(claude, ['-p', 'Write the note', ...allowed], { ...quiet, ...modelOf })
  } finally {
    await model.close()
  }
}

export const client: RealClient = {
  id: 'claude-code',
  name: '@anthropic-ai/claude-code',
  program,
  document: 'https://claude.ai/oauth/claude-code-client-metadata',
  login: async ({ run, url }) => {
    await run(claude, ['mcp', 'add', '--transport', 'http', 'notes', url], quiet)
    await run('script', ['-qec', `${claude} mcp login notes`, '/dev/null'], quiet)
  },
  useTools,
  logout: async ({ run }) => {
    await run(claude, ['mcp', 'logout', 'notes'], quiet)
  },
}
