/** Factory Droid. */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Factory Droid. */
export const droid: ClientProfile = {
  ...specification,
  id: 'droid',
  name: 'Factory Droid',
  runs: 'own-machine',
  sources: [
    { what: 'https://api.factory.ai/mcp/oauth-client', kind: 'vendor', seen: '2026-10' },
    { what: 'https://docs.factory.ai/cli/configuration/mcp', kind: 'vendor', seen: '2026-11' },
  ],
  adding: {
    steps: 'In a terminal, then type /mcp in Droid to sign in:',
    toCopy: ({ name, url }) => `droid mcp add ${name} ${url} --type http`,
  },
  redirects: { hosts: [], loopback: true, uris: ['http://127.0.0.1/callback'] },
  identification: {
    order: ['document', 'registration'],
    document: { ids: ['https://api.factory.ai/mcp/oauth-client'], needsNone: false },
  },
}
