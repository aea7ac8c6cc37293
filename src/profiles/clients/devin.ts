/** Devin. */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Devin. */
export const devin: ClientProfile = {
  ...specification,
  id: 'devin',
  name: 'Devin',
  runs: 'vendor-cloud',
  sources: [
    { what: 'https://github.com/koala73/worldmonitor/pull/8305', kind: 'report', seen: '2026-10' },
  ],
  redirects: {
    hosts: ['api.devin.ai'],
    uris: ['https://api.devin.ai/mcp/oauth/callback'],
    loopback: false,
  },
  identification: { order: ['registration', 'typed-in'] },
  requires: ['public-address', ...specification.requires],
}
