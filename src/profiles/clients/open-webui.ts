/**
 * Open WebUI, which people host themselves. There is a colon in the path of its redirect URI, and it takes
 * its redirect URIs from the answer to its registration.
 */
import { pythonSdk } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Open WebUI. */
export const openWebui: ClientProfile = {
  ...pythonSdk,
  id: 'open-webui',
  name: 'Open WebUI',
  runs: 'own-server',
  sources: [
    {
      what: 'https://github.com/makeplane/plane-mcp-server/issues/220',
      kind: 'report',
      seen: '2026-10',
    },
    {
      what: 'https://github.com/open-webui/open-webui/issues/19217',
      kind: 'report',
      seen: '2026-10',
    },
    { what: 'https://docs.openwebui.com/features/mcp', kind: 'vendor', seen: '2026-11' },
  ],
  adding: {
    steps:
      'Admin Settings → External Tools → + (Add Server): type MCP (Streamable HTTP), the address, OAuth 2.1.',
  },
  problems: ['It is hosted anywhere, so that a list of allowed redirect URIs cannot know it.'],
  redirects: { hosts: [], loopback: false },
  identification: {
    order: ['registration', 'typed-in'],
    registration: {
      client_name: 'Open WebUI',
      redirect_uris: ['https://webui.example/oauth/clients/mcp:notes/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    prefersMethods: ['client_secret_post'],
  },
  tokens: { ...pythonSdk.tokens, authenticates: ['client_secret_post', 'none'] },
  requires: [...pythonSdk.requires, 'registration-echoes-redirects', 'registration-keeps-method'],
}
