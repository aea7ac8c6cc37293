/**
 * Visual Studio Code with GitHub Copilot. One registration names the web pages of both its editions and two
 * loopback addresses, of which the port is another in use.
 */
import { alwaysRequired, specifiedDiscovery } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Visual Studio Code. */
export const vscode: ClientProfile = {
  id: 'vscode',
  name: 'Visual Studio Code',
  alsoCalled: ['VS Code'],
  runs: 'own-machine',
  engine: 'own',
  revisions: ['2025-11-25', '2025-06-18'],
  sources: [
    { what: 'https://github.com/microsoft/vscode/issues/278512', kind: 'report', seen: '2026-10' },
    { what: 'https://github.com/microsoft/vscode/issues/282472', kind: 'report', seen: '2026-10' },
    { what: 'https://vscode.dev/oauth/client-metadata.json', kind: 'vendor', seen: '2026-10' },
    { what: 'microsoft/vscode src/vs/base/common/oauth.ts', kind: 'source', seen: '2026-10' },
    {
      what: 'microsoft/vscode 000d382 src/vs/workbench/api/common/extHostMcp.ts (HTTP+SSE after a 4xx)',
      kind: 'source',
      seen: '2026-11',
    },
  ],
  adding: {
    steps: 'In a terminal:',
    toCopy: ({ name, url }) => `code --add-mcp '${JSON.stringify({ name, type: 'http', url })}'`,
  },
  problems: [
    'It registers four redirect URIs at once; a server with a lower limit loses it.',
    'People who type in a client id are told to register http://127.0.0.1:33418 without the slash that it then sends.',
  ],
  redirects: {
    hosts: ['vscode.dev', 'insiders.vscode.dev'],
    schemes: ['vscode', 'vscode-insiders'],
    uris: [
      'https://vscode.dev/redirect',
      'https://insiders.vscode.dev/redirect',
      'http://127.0.0.1/',
      'http://127.0.0.1:33418/',
    ],
    loopback: true,
    used: 'http://127.0.0.1:49152/',
  },
  identification: {
    order: ['document', 'registration', 'typed-in'],
    document: { ids: ['https://vscode.dev/oauth/client-metadata.json'], needsNone: false },
    registration: {
      client_name: 'Visual Studio Code',
      client_uri: 'https://code.visualstudio.com',
      grant_types: [
        'authorization_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:device_code',
      ],
      response_types: ['code'],
      redirect_uris: [
        'https://insiders.vscode.dev/redirect',
        'https://vscode.dev/redirect',
        'http://127.0.0.1/',
        'http://127.0.0.1:33418/',
      ],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
    registersScope: true,
  },
  discovery: { ...specifiedDiscovery, defaultEndpoints: 'named-server' },
  authorization: {
    resource: 'metadata',
    scope: ['challenge', 'resource-metadata', 'server-metadata'],
    addsOfflineAccess: false,
  },
  tokens: {
    authenticates: ['none', 'client_secret_post'],
    refreshesSecondsBefore: 0,
    refreshesInParallel: true,
  },
  requires: [
    ...alwaysRequired,
    'unauthorized-401',
    'resource-equals-url',
    'token-for-public-client',
  ],
  failures: {
    register: 'Registration to … failed: …',
    of: {
      'resource-equals-url':
        'Protected Resource Metadata resource property value … does not match target server url …',
      'way-to-a-client-id': 'Dynamic Client Registration not supported …',
    },
  },
}
