/**
 * Codex, the command line and its kin. Where the server is bound to its issuer by `iss` it uses a plain
 * callback; otherwise the callback's path ends in nine bytes of a hash of the server's URL.
 */
import { rmcp } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Codex. */
export const codex: ClientProfile = {
  ...rmcp,
  id: 'codex',
  name: 'Codex',
  runs: 'own-machine',
  sources: [
    { what: 'https://developers.openai.com/plugins/build/auth', kind: 'vendor', seen: '2026-10' },
    { what: 'rust-sdk (rmcp 3.1.4)', kind: 'source', seen: '2026-10' },
    { what: 'https://github.com/openai/codex/issues/30460', kind: 'report', seen: '2026-10' },
    { what: 'https://github.com/CodSpeedHQ/codspeed/issues/523', kind: 'report', seen: '2026-10' },
  ],
  adding: {
    steps: 'In a terminal:',
    toCopy: ({ name, url }) => `codex mcp add ${name} --url ${url}`,
  },
  problems: ['Older builds with `oauth_resource` set send `resource` twice.'],
  redirects: {
    hosts: [],
    loopback: true,
    used: 'http://127.0.0.1:40001/callback/ufe3FA9Kx0Q1',
  },
  identification: {
    order: ['document', 'registration', 'typed-in'],
    document: {
      ids: [
        'https://chatgpt.com/oauth/codex/client.json',
        'https://chatgpt.com/oauth/codex/{id}/client.json',
      ],
      needsNone: false,
      redirectUri: 'http://127.0.0.1:40001/callback',
    },
    registration: {
      client_name: 'Codex',
      redirect_uris: ['http://127.0.0.1:20527/callback/ufe3FA9Kx0Q1'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      response_types: ['code'],
      application_type: 'native',
    },
    registersScope: true,
  },
  requires: [...rmcp.requires, 'endpoints-at-issuer'],
  failures: {
    of: {
      'endpoints-at-issuer':
        'OAuth authorization endpoint origin does not match the authorization server origin without issuer-bound callbacks',
      'way-to-a-client-id': 'Registration failed: Dynamic client registration not supported',
    },
  },
}
