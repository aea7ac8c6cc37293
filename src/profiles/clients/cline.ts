/**
 * Cline, an extension of editors. Its redirect URI has the scheme of the editor that it runs in, and ends in a
 * hash of the server's name and URL.
 */
import { typescriptSdk1 } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Cline. */
export const cline: ClientProfile = {
  ...typescriptSdk1,
  id: 'cline',
  name: 'Cline',
  runs: 'own-machine',
  sources: [
    { what: 'cline/cline src/services/mcp/McpOAuthManager.ts', kind: 'source', seen: '2026-11' },
    {
      what: 'https://docs.cline.bot/mcp/connecting-to-a-remote-server',
      kind: 'vendor',
      seen: '2026-11',
    },
  ],
  adding: {
    steps:
      'MCP Servers → Remote Servers: a name, the address, transport type Streamable HTTP, Add Server.',
  },
  redirects: {
    hosts: [],
    schemes: ['vscode', 'vscode-insiders', 'cursor', 'windsurf'],
    loopback: true,
  },
  identification: {
    order: ['registration'],
    registration: {
      redirect_uris: [
        'vscode://saoudrizwan.claude-dev/mcp-auth/callback/0cc175b9c0f1b6a831c399e269772661',
      ],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      client_name: 'Cline',
      client_uri: 'https://cline.bot',
      software_id: 'cline',
    },
  },
  tokens: { ...typescriptSdk1.tokens, authenticates: ['none', 'client_secret_post'] },
}
