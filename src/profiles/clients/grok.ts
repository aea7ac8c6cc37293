/** Grok. The slash at the end of its redirect URIs belongs to them. */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Grok. */
export const grok: ClientProfile = {
  ...specification,
  id: 'grok',
  name: 'Grok',
  alsoCalled: ['xAI'],
  runs: 'vendor-cloud',
  sources: [
    { what: 'https://github.com/koala73/worldmonitor/pull/8305', kind: 'report', seen: '2026-10' },
    { what: 'https://docs.x.ai/grok/connectors', kind: 'vendor', seen: '2026-11' },
    { what: 'https://emailit.com/docs/mcp/grok/', kind: 'report', seen: '2026-11' },
  ],
  adding: {
    steps: 'At grok.com/connectors: New Connector → Custom, then paste the address.',
  },
  redirects: {
    hosts: ['grok.com', 'console.x.ai'],
    uris: [
      'https://grok.com/connectors-oauth-exchange-code/',
      'https://console.x.ai/connectors-oauth-exchange-code/',
    ],
    loopback: false,
  },
  identification: {
    order: ['document', 'registration', 'typed-in'],
    document: { ids: ['https://grok.com/oauth/mcp-client.json'], needsNone: false },
  },
  requires: ['public-address', ...specification.requires],
}
