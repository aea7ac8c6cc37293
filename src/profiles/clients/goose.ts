/** Goose. It refreshes as it starts. */
import { rmcp } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Goose. */
export const goose: ClientProfile = {
  ...rmcp,
  id: 'goose',
  name: 'Goose',
  runs: 'own-machine',
  sources: [
    { what: 'rust-sdk (rmcp 3.1.4) 4a738b9', kind: 'source', seen: '2026-10' },
    { what: 'https://goose-docs.ai/oauth/client-metadata.json', kind: 'vendor', seen: '2026-10' },
    {
      what: 'https://block.github.io/goose/docs/mcp/excalidraw-mcp',
      kind: 'vendor',
      seen: '2026-11',
    },
  ],
  adding: {
    steps:
      'In a terminal goose configure → Add Extension → Remote Extension (Streamable HTTP), then a name and the address.',
  },
  redirects: { hosts: [], loopback: true, used: 'http://127.0.0.1:51001/oauth_callback' },
  identification: {
    order: ['document', 'registration', 'typed-in'],
    document: { ids: ['https://goose-docs.ai/oauth/client-metadata.json'], needsNone: false },
    registration: {
      client_name: 'goose',
      redirect_uris: ['http://127.0.0.1:41001/oauth_callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      response_types: ['code'],
      application_type: 'native',
    },
    registersScope: true,
  },
}
