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
  ],
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
