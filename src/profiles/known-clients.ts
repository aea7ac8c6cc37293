/**
 * MCP clients that people know by name, and where they really have their codes sent.
 *
 * From vendor documentation and published registrations, 2026-11. Left out on purpose: clients that people
 * host themselves (LibreChat, Open WebUI, n8n), because any host can be theirs, and clients whose
 * redirect URIs no vendor has published (Windsurf, the Gemini app).
 */

/** A client that people know by name. */
export interface KnownClient {
  /** As people know it. */
  readonly name: string
  /** Further names under which it registers or is known. */
  readonly alsoCalled?: readonly string[]
  /** Hosts of its https redirect URIs. */
  readonly hosts: readonly string[]
  /** Its private-use schemes, without the colon. */
  readonly schemes?: readonly string[]
  /** Those of its redirect URIs that are the same for everybody, for an owner who names none. */
  readonly redirectUris?: readonly string[]
  /** Whether it receives codes on the user's own machine by http, on any port. */
  readonly loopback: boolean
}

/** The clients that a stranger's name is compared with. */
export const knownClients: readonly KnownClient[] = [
  {
    name: 'ChatGPT',
    alsoCalled: ['OpenAI'],
    hosts: ['chatgpt.com', 'chat.openai.com'],
    redirectUris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
    loopback: false,
  },
  { name: 'Codex', hosts: [], loopback: true },
  {
    name: 'Claude',
    alsoCalled: ['Anthropic'],
    hosts: ['claude.ai', 'claude.com'],
    schemes: ['claude'],
    loopback: false,
  },
  { name: 'Claude Code', hosts: [], schemes: ['claude'], loopback: true },
  {
    name: 'Claude Desktop',
    hosts: ['claude.ai', 'claude.com'],
    schemes: ['claude'],
    loopback: true,
  },
  {
    name: 'Visual Studio Code',
    alsoCalled: ['VS Code'],
    hosts: ['vscode.dev', 'insiders.vscode.dev'],
    schemes: ['vscode', 'vscode-insiders'],
    loopback: true,
  },
  {
    name: 'Cursor',
    hosts: ['www.cursor.com'],
    schemes: ['cursor', 'grokbot'],
    loopback: true,
  },
  { name: 'GitHub Copilot CLI', hosts: [], loopback: true },
  {
    name: 'Microsoft Copilot Studio',
    alsoCalled: ['Copilot Studio'],
    hosts: ['global.consent.azure-apim.net'],
    loopback: false,
  },
  {
    name: 'Microsoft 365 Copilot',
    hosts: ['teams.microsoft.com'],
    loopback: false,
  },
  { name: 'Gemini CLI', hosts: [], loopback: true },
  { name: 'Gemini Enterprise', hosts: ['vertexaisearch.cloud.google.com'], loopback: false },
  { name: 'Antigravity', hosts: ['antigravity.google'], loopback: true },
  { name: 'Le Chat', alsoCalled: ['Mistral'], hosts: ['callback.mistral.ai'], loopback: false },
  { name: 'Grok', alsoCalled: ['xAI'], hosts: ['grok.com', 'console.x.ai'], loopback: false },
  {
    name: 'Perplexity',
    hosts: ['www.perplexity.ai', 'enterprise.perplexity.ai'],
    loopback: false,
  },
  { name: 'Devin', hosts: ['api.devin.ai'], loopback: false },
  { name: 'Zed', hosts: [], loopback: true },
  { name: 'opencode', hosts: [], loopback: true },
  { name: 'Goose', hosts: [], loopback: true },
  { name: 'Amp', alsoCalled: ['Amp MCP Client'], hosts: [], loopback: true },
  {
    name: 'mcp-remote',
    alsoCalled: ['MCP CLI Client', 'MCP CLI Proxy'],
    hosts: [],
    loopback: true,
  },
  { name: 'MCP Inspector', hosts: [], loopback: true },
]
