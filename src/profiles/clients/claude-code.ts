/**
 * Claude Code in a terminal. Several of its processes share one refresh token. The port it listens on is
 * another each time.
 */
import { typescriptSdk2 } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Claude Code. */
export const claudeCode: ClientProfile = {
  ...typescriptSdk2,
  id: 'claude-code',
  name: 'Claude Code',
  runs: 'own-machine',
  sources: [
    {
      what: 'https://claude.com/docs/connectors/building/authentication',
      kind: 'vendor',
      seen: '2026-10',
    },
    {
      what: 'https://github.com/anthropics/claude-code/issues/66511',
      kind: 'report',
      seen: '2026-10',
    },
    {
      what: 'https://github.com/anthropics/claude-code/issues/67258',
      kind: 'report',
      seen: '2026-10',
    },
    {
      what: 'https://github.com/anthropics/claude-code/issues/61376',
      kind: 'report',
      seen: '2026-10',
    },
  ],
  adding: {
    steps: 'In a terminal, then type /mcp in Claude Code to sign in:',
    toCopy: ({ name, url }) => `claude mcp add --transport http ${name} ${url}`,
  },
  problems: [
    'Its port is another each time, so that a server which compares ports turns it away.',
    'Several of its processes refresh with one token at once, and late.',
  ],
  redirects: {
    hosts: [],
    schemes: ['claude'],
    loopback: true,
    used: 'http://localhost:62001/callback',
  },
  identification: {
    order: ['document', 'registration', 'typed-in'],
    document: { ids: ['https://claude.ai/oauth/claude-code-client-metadata'], needsNone: true },
    registration: {
      client_name: 'Claude Code (notes)',
      redirect_uris: ['http://localhost:51712/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  },
  tokens: { ...typescriptSdk2.tokens, authenticates: ['none', 'client_secret_post'] },
  failures: { ...typescriptSdk2.failures, discover: 'Failed to connect' },
}
