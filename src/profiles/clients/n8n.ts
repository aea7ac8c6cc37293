/** n8n, hosted by its makers or by anybody. It reads the metadata at the root of the origin only. */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** n8n. */
export const n8n: ClientProfile = {
  ...specification,
  id: 'n8n',
  name: 'n8n',
  runs: 'own-server',
  sources: [
    {
      what: 'https://docs.n8n.io/integrations/builtin/credentials/mcp',
      kind: 'vendor',
      seen: '2026-10',
    },
    { what: 'n8n issue 25965', kind: 'report', seen: '2026-10' },
  ],
  adding: {
    steps:
      'A credential for MCP with OAuth2: paste the address. Dynamic registration is on by default.',
  },
  problems: [
    'An authorization server at another host than the MCP server is not found by it: it reads the metadata at the MCP server’s own origin.',
    'Versions have registered one redirect URI and asked for another (n8n 21791, 23712), and once came without PKCE (22103).',
  ],
  redirects: { hosts: [], loopback: false, uris: ['https://oauth.n8n.cloud/oauth2/callback'] },
  identification: {
    order: ['registration', 'typed-in'],
    registration: {
      client_name: 'n8n',
      redirect_uris: ['https://n8n.example/rest/oauth2-credential/callback'],
    },
  },
  discovery: { ...specification.discovery, serverMetadata: ['oauth'] },
  authorization: { ...specification.authorization, resource: 'none' },
  requires: specification.requires.filter((name) => name !== 'resource-metadata'),
}
