/** opencode. It listens on one fixed port. 1.18 registers; a document is published for builds to come. */
import { typescriptSdk2 } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** opencode. */
export const opencode: ClientProfile = {
  ...typescriptSdk2,
  id: 'opencode',
  name: 'opencode',
  revisions: ['2025-11-25', '2025-06-18', '2025-03-26'],
  runs: 'own-machine',
  sources: [
    { what: 'https://opencode.ai/oauth/opencode/client.json', kind: 'vendor', seen: '2026-10' },
    { what: 'https://github.com/anomalyco/opencode/issues/34074', kind: 'report', seen: '2026-10' },
    { what: 'opencode-ai 1.18.33, run against Gatehouse', kind: 'capture', seen: '2026-11' },
  ],
  adding: {
    steps: 'In a terminal:',
    toCopy: ({ name, url }) => `opencode mcp add ${name} --url ${url} && opencode mcp auth ${name}`,
  },
  problems: [
    'Several of its requests refresh with one token at once.',
    'It registers twice for each login.',
  ],
  redirects: { hosts: [], loopback: true },
  identification: {
    order: ['registration', 'document', 'typed-in'],
    document: {
      ids: ['https://opencode.ai/oauth/opencode/client.json'],
      needsNone: true,
      redirectUri: 'http://127.0.0.1:19876/callback',
    },
    registration: {
      client_name: 'OpenCode',
      redirect_uris: ['http://127.0.0.1:19876/mcp/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  },
  tokens: { ...typescriptSdk2.tokens, authenticates: ['none', 'client_secret_post'] },
}
