/** opencode. It listens on one fixed port. */
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
  ],
  adding: {
    steps: 'In a terminal:',
    toCopy: ({ name, url }) => `opencode mcp add ${name} --url ${url} && opencode mcp auth ${name}`,
  },
  problems: ['Several of its requests refresh with one token at once.'],
  redirects: { hosts: [], loopback: true },
  identification: {
    order: ['document', 'registration', 'typed-in'],
    document: { ids: ['https://opencode.ai/oauth/opencode/client.json'], needsNone: true },
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
