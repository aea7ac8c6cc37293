/** Every client that Gatehouse knows, in the order in which people ask for them. */
import { chatgpt } from './clients/chatgpt.ts'
import { chatgptDocument } from './clients/chatgpt-document.ts'
import { claude } from './clients/claude.ts'
import { claudeCode } from './clients/claude-code.ts'
import { codex } from './clients/codex.ts'
import { cursor } from './clients/cursor.ts'
import { vscode } from './clients/vscode.ts'
import type { ClientProfile } from './profile.ts'

/** All of them. */
export const profiles: readonly ClientProfile[] = [
  chatgpt,
  chatgptDocument,
  claude,
  claudeCode,
  vscode,
  cursor,
  codex,
]

/** Finds a client by its id; undefined when there is none. */
export function findProfile(id: string): ClientProfile | undefined {
  return profiles.find((profile) => profile.id === id)
}
