/**
 * LibreChat, which people host themselves. It copies what the metadata lists into its registration, the way
 * to authenticate too, and asks for every scope.
 */
import { typescriptSdk1 } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** LibreChat. */
export const librechat: ClientProfile = {
  ...typescriptSdk1,
  id: 'librechat',
  name: 'LibreChat',
  runs: 'own-server',
  sources: [
    { what: 'danny-avila/LibreChat, its MCP OAuth handler', kind: 'source', seen: '2026-10' },
  ],
  adding: {
    steps: 'In librechat.yaml, then restart:',
    toCopy: ({ name, url }) =>
      `mcpServers:\n  ${name}:\n    type: streamable-http\n    url: ${url}`,
  },
  redirects: { hosts: [], loopback: false },
  identification: {
    order: ['registration', 'typed-in'],
    registration: {
      client_name: 'LibreChat MCP Client',
      redirect_uris: ['https://librechat.example/api/mcp/notes/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    prefersMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    registersScope: true,
  },
  authorization: {
    ...typescriptSdk1.authorization,
    scope: ['resource-metadata', 'server-metadata'],
  },
}
