/** Antigravity of Google. */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Antigravity. */
export const antigravity: ClientProfile = {
  ...specification,
  id: 'antigravity',
  name: 'Antigravity',
  runs: 'own-machine',
  sources: [
    { what: 'https://github.com/koala73/worldmonitor/pull/8305', kind: 'report', seen: '2026-10' },
    {
      what: 'https://docs.silabs.com/mcp/1.0.0/mcp-setup/antigravity',
      kind: 'report',
      seen: '2026-11',
    },
    {
      what: 'https://sam-mesh.dev/docs/integrations/antigravity/',
      kind: 'report',
      seen: '2026-11',
    },
  ],
  adding: {
    steps: 'In the agent panel … → MCP Servers → Manage MCP Servers → View raw config:',
    toCopy: ({ name, url }) =>
      JSON.stringify({ mcpServers: { [name]: { serverUrl: url } } }, null, 2),
  },
  redirects: {
    hosts: ['antigravity.google'],
    uris: ['https://antigravity.google/oauth-callback'],
    loopback: true,
  },
  identification: { order: ['registration', 'typed-in'] },
}
