/** Every client that Gatehouse knows: those that people ask for most, then by where they run. */
import { amp } from './clients/amp.ts'
import { antigravity } from './clients/antigravity.ts'
import { chatgpt } from './clients/chatgpt.ts'
import { chatgptDocument } from './clients/chatgpt-document.ts'
import { claude } from './clients/claude.ts'
import { claudeCode } from './clients/claude-code.ts'
import { claudeDesktop } from './clients/claude-desktop.ts'
import { cline } from './clients/cline.ts'
import { codex } from './clients/codex.ts'
import { copilotCli } from './clients/copilot-cli.ts'
import { copilotStudio } from './clients/copilot-studio.ts'
import { cursor } from './clients/cursor.ts'
import { devin } from './clients/devin.ts'
import { droid } from './clients/droid.ts'
import { geminiApp } from './clients/gemini-app.ts'
import { geminiCli } from './clients/gemini-cli.ts'
import { geminiEnterprise } from './clients/gemini-enterprise.ts'
import { goose } from './clients/goose.ts'
import { grok } from './clients/grok.ts'
import { inspector, inspector1 } from './clients/inspector.ts'
import { leChat } from './clients/le-chat.ts'
import {
  aiSdk,
  openaiAgents,
  pythonSdkClient,
  typescriptSdkClient1,
  typescriptSdkClient2,
} from './clients/libraries.ts'
import { librechat } from './clients/librechat.ts'
import { m365Copilot } from './clients/m365-copilot.ts'
import { mastraCode } from './clients/mastra-code.ts'
import { mcpRemote } from './clients/mcp-remote.ts'
import { mcporter } from './clients/mcporter.ts'
import { n8n } from './clients/n8n.ts'
import { openWebui } from './clients/open-webui.ts'
import { opencode } from './clients/opencode.ts'
import { perplexity } from './clients/perplexity.ts'
import { vscode } from './clients/vscode.ts'
import { zed } from './clients/zed.ts'
import type { ClientProfile } from './profile.ts'

/** All of them. */
export const profiles: readonly ClientProfile[] = [
  chatgpt,
  chatgptDocument,
  claude,
  claudeCode,
  claudeDesktop,
  vscode,
  cursor,
  codex,
  geminiCli,
  copilotCli,
  opencode,
  goose,
  amp,
  droid,
  mastraCode,
  zed,
  cline,
  antigravity,
  mcpRemote,
  mcporter,
  inspector,
  inspector1,
  copilotStudio,
  m365Copilot,
  geminiApp,
  geminiEnterprise,
  leChat,
  grok,
  perplexity,
  devin,
  librechat,
  openWebui,
  n8n,
  aiSdk,
  openaiAgents,
  typescriptSdkClient1,
  typescriptSdkClient2,
  pythonSdkClient,
]

/** Finds a client by its id; undefined when there is none. */
export function findProfile(id: string): ClientProfile | undefined {
  return profiles.find((profile) => profile.id === id)
}
