/**
 * mcp-remote, the bridge that programs without OAuth start. It takes a 200 to its first GET for "no sign-in
 * needed", and asks for OpenID scopes where nobody names any. What it remembers in `~/.mcp-auth` can be stale.
 * It reads the authorization server's metadata at the origin alone, but for its scopes only: the SDK finds the
 * endpoints, wherever they are (its `src/lib/utils.ts`, d26e5a8).
 */
import { typescriptSdk1 } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** mcp-remote. */
export const mcpRemote: ClientProfile = {
  ...typescriptSdk1,
  id: 'mcp-remote',
  name: 'mcp-remote',
  alsoCalled: ['MCP CLI Client', 'MCP CLI Proxy'],
  runs: 'own-machine',
  sources: [
    {
      what: 'geelen/mcp-remote d26e5a8 (HTTP+SSE after a 404 or 405)',
      kind: 'source',
      seen: '2026-11',
    },
    { what: 'mcp-remote 0.15.1', kind: 'source', seen: '2026-11' },
    {
      what: 'https://zuplo.com/learn/mcp/compatibility/clients/mcp-remote',
      kind: 'report',
      seen: '2026-10',
    },
  ],
  adding: {
    steps:
      'As the command of a server in the settings of a program that only starts local servers:',
    toCopy: ({ url }) => `npx mcp-remote ${url}`,
  },
  problems: [
    'What it remembers in ~/.mcp-auth can be stale: delete that folder when a token exchange fails with HTTP 400.',
    'Where nobody names a scope it asks for `openid email profile`, which servers with a fixed list refuse.',
  ],
  redirects: { hosts: [], loopback: true },
  identification: {
    order: ['registration', 'typed-in'],
    registration: {
      client_name: 'MCP CLI Proxy',
      client_uri: 'https://github.com/modelcontextprotocol/mcp-cli',
      redirect_uris: ['http://localhost:3334/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d',
      software_version: '0.15.1',
    },
    registersScope: true,
  },
  discovery: { ...typescriptSdk1.discovery, firstRequest: 'GET' },
  authorization: {
    ...typescriptSdk1.authorization,
    scope: ['challenge', 'resource-metadata', 'server-metadata'],
    scopeOtherwise: ['openid', 'email', 'profile'],
  },
  tokens: { ...typescriptSdk1.tokens, authenticates: ['none', 'client_secret_post'] },
  requires: [...typescriptSdk1.requires, 'unauthorized-401-on-get'],
  failures: { ...typescriptSdk1.failures, token: 'Token exchange failed: HTTP 400' },
}
