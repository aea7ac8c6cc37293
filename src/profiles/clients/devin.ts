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
    { what: 'https://docs.devin.ai/work-with-devin/mcp', kind: 'vendor', seen: '2026-11' },
  ],
  adding: {
    steps: 'Settings → Connections → MCP servers → Add Your Own: transport HTTP, the address.',
  },
  redirects: {
    hosts: ['api.devin.ai'],
    uris: ['https://api.devin.ai/mcp/oauth/callback'],
    loopback: false,
  },
  identification: { order: ['registration', 'typed-in'] },
  requires: ['public-address', ...specification.requires],
}
