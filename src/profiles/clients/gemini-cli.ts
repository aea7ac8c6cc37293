/**
 * Gemini CLI, and those that grew out of it (Qwen Code and others). It asks for every scope that is listed,
 * registers anew each time, and forgets its tokens when a refresh fails. It wants `iss` in every
 * authorization response, whatever the metadata says.
 */
import { alwaysRequired, specifiedDiscovery } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Gemini CLI. */
export const geminiCli: ClientProfile = {
  id: 'gemini-cli',
  name: 'Gemini CLI',
  runs: 'own-machine',
  engine: 'own',
  revisions: ['2025-06-18'],
  sources: [
    {
      what: 'google-gemini/gemini-cli 5411f11 packages/core/src/mcp/oauth-provider.ts',
      kind: 'source',
      seen: '2026-10',
    },
    {
      what: 'google-gemini/gemini-cli 5411f11 packages/core/src/tools/mcp-client.ts (HTTP+SSE where no type is set)',
      kind: 'source',
      seen: '2026-11',
    },
    { what: '@google/gemini-cli-core 0.61 on loopback', kind: 'capture', seen: '2026-11' },
    { what: 'https://geminicli.com/docs/tools/mcp-server', kind: 'vendor', seen: '2026-11' },
  ],
  adding: {
    steps: 'In a terminal, then type /mcp auth and the name in Gemini CLI to sign in:',
    toCopy: ({ name, url }) => `gemini mcp add --transport http ${name} ${url}`,
  },
  problems: [
    'It asks for every scope that the authorization server lists, and registers anew each time.',
    'When a refresh fails it deletes what it has.',
  ],
  redirects: {
    hosts: [],
    loopback: true,
    used: 'http://localhost:49733/oauth/callback',
  },
  identification: {
    order: ['registration', 'typed-in'],
    registration: {
      client_name: 'Gemini CLI MCP Client',
      redirect_uris: ['http://localhost:7777/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: '',
    },
  },
  discovery: { ...specifiedDiscovery, firstRequest: 'HEAD' },
  authorization: {
    resource: 'url',
    scope: ['server-metadata'],
    addsOfflineAccess: false,
  },
  tokens: {
    authenticates: ['none', 'client_secret_post'],
    refreshesSecondsBefore: 300,
    refreshesInParallel: true,
  },
  requires: [
    ...alwaysRequired,
    'unauthorized-401-on-head',
    'metadata-is-json',
    'resource-equals-url',
    'server-metadata',
    'issuer-present',
    'iss-always',
    'token-for-public-client',
    'expires-in-integer',
  ],
  failures: {
    register: 'Client registration failed: …',
    of: {
      'resource-equals-url': 'Protected resource … does not match expected …',
      'issuer-present': 'Cannot perform dynamic registration without issuer',
      'way-to-a-client-id': 'No client ID provided and dynamic registration not supported',
    },
  },
}
