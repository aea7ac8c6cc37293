/** Perplexity. */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Perplexity. */
export const perplexity: ClientProfile = {
  ...specification,
  id: 'perplexity',
  name: 'Perplexity',
  runs: 'vendor-cloud',
  sources: [
    { what: 'https://github.com/koala73/worldmonitor/pull/8305', kind: 'report', seen: '2026-10' },
    {
      what: 'Perplexity help center, article 13915507, Adding Custom Remote Connectors',
      kind: 'vendor',
      seen: '2026-11',
    },
  ],
  adding: {
    steps:
      'Account settings → Connectors → + Custom connector → Remote: a name, the address, OAuth, transport Streamable HTTP. Then click the card of the connector to sign in.',
  },
  redirects: {
    hosts: ['www.perplexity.ai', 'enterprise.perplexity.ai'],
    uris: [
      'https://www.perplexity.ai/rest/connections/oauth_callback',
      'https://enterprise.perplexity.ai/rest/connections/oauth_callback',
    ],
    loopback: false,
  },
  identification: { order: ['registration', 'typed-in'] },
  requires: ['public-address', ...specification.requires],
}
