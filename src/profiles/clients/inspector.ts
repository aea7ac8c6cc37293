/** The MCP Inspector. 1.x sends its requests from the browser, 2.x from a process beside it. */
import { typescriptSdk1, typescriptSdk2 } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** MCP Inspector, 2.x. */
export const inspector: ClientProfile = {
  ...typescriptSdk2,
  id: 'inspector',
  name: 'MCP Inspector',
  revisions: ['2025-11-25', '2025-06-18', '2025-03-26'],
  runs: 'own-machine',
  sources: [
    { what: 'modelcontextprotocol/inspector 86d5f58 (2.3.0)', kind: 'source', seen: '2026-10' },
    { what: '@modelcontextprotocol/inspector 2.12 on loopback', kind: 'capture', seen: '2026-11' },
  ],
  adding: {
    steps: 'In a terminal, then Connect:',
    toCopy: ({ url }) => `npx @modelcontextprotocol/inspector --transport http --server-url ${url}`,
  },
  redirects: {
    hosts: [],
    uris: ['http://localhost:6274/oauth/callback', 'http://127.0.0.1:6276/oauth/callback'],
    loopback: true,
  },
  identification: {
    order: ['registration', 'typed-in'],
    registration: {
      client_name: 'MCP Inspector',
      client_uri: 'https://github.com/modelcontextprotocol/inspector',
      redirect_uris: ['http://localhost:6274/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      scope: '',
    },
  },
  tokens: { ...typescriptSdk2.tokens, authenticates: ['none', 'client_secret_post'] },
}

/** MCP Inspector, 1.x: what any client in a browser asks of CORS. */
export const inspector1: ClientProfile = {
  ...typescriptSdk1,
  id: 'inspector-1',
  name: 'MCP Inspector 1.x',
  variantOf: 'inspector',
  runs: 'own-machine',
  sources: [
    { what: 'modelcontextprotocol/inspector 0.x and 1.x', kind: 'source', seen: '2026-10' },
  ],
  adding: {
    steps: 'Start it, then Connect at this address in a browser:',
    toCopy: ({ url }) =>
      `http://localhost:6274/?transport=streamable-http&serverUrl=${encodeURIComponent(url)}`,
  },
  redirects: { hosts: [], loopback: true },
  identification: {
    order: ['registration', 'typed-in'],
    registration: {
      client_name: 'MCP Inspector',
      client_uri: 'https://github.com/modelcontextprotocol/inspector',
      redirect_uris: [
        'http://localhost:6274/oauth/callback',
        'http://localhost:6274/oauth/callback/debug',
      ],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  },
  discovery: { ...typescriptSdk1.discovery, fromBrowser: true },
  tokens: { ...typescriptSdk1.tokens, authenticates: ['none', 'client_secret_post'] },
  requires: [...typescriptSdk1.requires, 'cors-on-metadata'],
}
