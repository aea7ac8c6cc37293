/**
 * Cursor. It registers as it loads, before anybody has clicked, and one refused redirect URI loses it the
 * whole registration. Its `application_type` contradicts its redirect URIs.
 */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Cursor. */
export const cursor: ClientProfile = {
  ...specification,
  id: 'cursor',
  name: 'Cursor',
  runs: 'own-machine',
  sources: [
    { what: 'https://forum.cursor.com/t/136907', kind: 'report', seen: '2026-10' },
    {
      what: 'https://github.com/better-auth/better-auth/issues/10946',
      kind: 'report',
      seen: '2026-10',
    },
    {
      what: 'https://www.developersdigest.tech/mcp-servers/clients/cursor (HTTP+SSE as well)',
      kind: 'report',
      seen: '2026-11',
    },
    { what: 'Registration of Cursor 3.24.9', kind: 'capture', seen: '2026-10' },
  ],
  adding: {
    steps: 'In the file .cursor/mcp.json of your home folder or project:',
    toCopy: ({ name, url }) => JSON.stringify({ mcpServers: { [name]: { url } } }, null, 2),
  },
  problems: [
    'A server that refuses one of its redirect URIs, or `web` beside a private-use scheme, loses it before anybody has clicked.',
  ],
  redirects: {
    hosts: ['www.cursor.com'],
    schemes: ['cursor', 'grokbot'],
    uris: [
      'cursor://anysphere.cursor-mcp/oauth/callback',
      'https://www.cursor.com/agents/mcp/oauth/callback',
      'http://localhost:8787/callback',
    ],
    loopback: true,
  },
  identification: {
    order: ['document', 'registration', 'typed-in'],
    document: { ids: ['https://cursor.com/oauth/mcp-client.json'], needsNone: false },
    registration: {
      client_name: 'Cursor',
      application_type: 'web',
      redirect_uris: [
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'http://localhost:8787/callback',
      ],
      token_endpoint_auth_method: 'none',
      logo_uri: 'https://www.cursor.com/logo.png',
    },
    registersScope: true,
  },
  tokens: { ...specification.tokens, authenticates: ['none', 'client_secret_post'] },
  requires: specification.requires.filter((name) => name !== 'streamable-http'),
  failures: {
    register: 'Transient error connecting to streamableHttp server',
  },
}
