/**
 * n8n, hosted by its makers or by anybody. It never asks the MCP endpoint: the documents alone lead it, and the
 * one at the issuer's origin does for an issuer with a path, too.
 */
import { specification } from '../engines.ts'
import type { ClientProfile, Requirement } from '../profile.ts'

const notInsisted: readonly Requirement[] = ['unauthorized-401', 'resource-metadata', 's256-listed']

/** n8n. */
export const n8n: ClientProfile = {
  ...specification,
  id: 'n8n',
  engine: 'own',
  name: 'n8n',
  runs: 'own-server',
  sources: [
    {
      what: 'https://docs.n8n.io/integrations/builtin/credentials/mcp',
      kind: 'vendor',
      seen: '2026-10',
    },
    {
      what: 'n8n-io/n8n 001b240 packages/cli/src/oauth/oauth.service.ts',
      kind: 'source',
      seen: '2026-11',
    },
    { what: 'https://github.com/n8n-io/n8n/pull/30231', kind: 'vendor', seen: '2026-11' },
    { what: 'https://github.com/n8n-io/n8n/pull/30924', kind: 'vendor', seen: '2026-11' },
  ],
  adding: {
    steps:
      'A credential for MCP with OAuth2: paste the address. Dynamic registration is on by default.',
  },
  problems: [
    'Before 2.12 it read the metadata at the MCP server’s own address alone, and did not find an authorization server elsewhere; versions without its change 30924 (2026-05) name no resource.',
    'Versions have registered one redirect URI and asked for another (n8n 21791, 23712), and once came without PKCE (22103).',
  ],
  redirects: { hosts: [], loopback: false, uris: ['https://oauth.n8n.cloud/oauth2/callback'] },
  identification: {
    order: ['registration', 'typed-in'],
    registration: {
      client_name: 'n8n',
      client_uri: 'https://n8n.io/',
      redirect_uris: ['https://n8n.example/rest/oauth2-credential/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    registersScope: true,
  },
  discovery: {
    ...specification.discovery,
    resourceMetadata: ['path', 'root'],
    serverMetadata: ['oauth', 'openid', 'openid-appended', 'oauth-at-origin'],
  },
  authorization: { ...specification.authorization, scope: ['server-metadata'] },
  requires: specification.requires.filter((name) => !notInsisted.includes(name)),
}
