/** Zed. It registers anew for each sign-in where there are no metadata documents. */
import { alwaysRequired, specifiedDiscovery } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Zed. */
export const zed: ClientProfile = {
  id: 'zed',
  name: 'Zed',
  runs: 'own-machine',
  engine: 'own',
  revisions: ['2025-11-25'],
  sources: [
    { what: 'zed-industries/zed, its MCP OAuth client', kind: 'source', seen: '2026-10' },
    {
      what: 'zed-industries/zed 07887f1 crates/context_server/src/transport/http.rs (no HTTP+SSE)',
      kind: 'source',
      seen: '2026-11',
    },
    { what: 'https://zed.dev/oauth/client-metadata.json', kind: 'vendor', seen: '2026-10' },
    {
      what: 'https://zuplo.com/learn/mcp/compatibility/clients/zed',
      kind: 'report',
      seen: '2026-10',
    },
    { what: 'https://zed.dev/docs/ai/mcp', kind: 'vendor', seen: '2026-11' },
  ],
  adding: {
    steps:
      'Settings → AI → MCP Servers → Add Server, or in the file that “zed: open settings file” opens:',
    toCopy: ({ name, url }) => JSON.stringify({ context_servers: { [name]: { url } } }, null, 2),
  },
  redirects: { hosts: [], loopback: true, used: 'http://127.0.0.1:52044/callback' },
  identification: {
    order: ['document', 'registration'],
    document: { ids: ['https://zed.dev/oauth/client-metadata.json'], needsNone: false },
    registration: {
      client_name: 'Zed',
      redirect_uris: ['http://127.0.0.1:40123/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  },
  discovery: specifiedDiscovery,
  authorization: {
    resource: 'url',
    scope: ['challenge', 'resource-metadata'],
    addsOfflineAccess: false,
  },
  tokens: {
    authenticates: ['none', 'client_secret_post'],
    refreshesSecondsBefore: 30,
    refreshesInParallel: false,
  },
  requires: [
    ...alwaysRequired,
    'streamable-http',
    'unauthorized-401',
    'resource-metadata',
    'metadata-is-json',
    'server-metadata',
    'issuer-equals-link',
    's256-listed',
    'token-for-public-client',
    'expires-in-integer',
  ],
  failures: {
    of: { 'way-to-a-client-id': 'authorization server supports neither CIMD nor DCR' },
  },
}
