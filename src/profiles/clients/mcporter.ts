/** mcporter, which makes command lines out of MCP servers. */
import { typescriptSdk1 } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** mcporter. */
export const mcporter: ClientProfile = {
  ...typescriptSdk1,
  id: 'mcporter',
  name: 'mcporter',
  runs: 'own-machine',
  sources: [
    { what: 'mcporter 0.12.3 dist/oauth.js', kind: 'source', seen: '2026-11' },
    { what: 'mcporter 0.12.3 on loopback', kind: 'capture', seen: '2026-11' },
  ],
  adding: {
    steps: 'In a terminal:',
    toCopy: ({ name, url }) => `npx mcporter auth --http-url ${url} --name ${name}`,
  },
  problems: [
    'When a token is refused it registers again, for another port, and its refresh token belongs to the client before: its user signs in anew, unless the server gives both registrations one id (in Gatehouse `reuseRegistrations`).',
  ],
  redirects: { hosts: [], loopback: true, used: 'http://127.0.0.1:50111/callback' },
  identification: {
    order: ['registration'],
    registration: {
      client_name: 'mcporter (notes)',
      redirect_uris: ['http://127.0.0.1:40111/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  },
  tokens: {
    ...typescriptSdk1.tokens,
    authenticates: ['none', 'client_secret_post'],
    refreshesSecondsBefore: 60,
  },
}
