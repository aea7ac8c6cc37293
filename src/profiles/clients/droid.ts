/** Factory Droid. */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Factory Droid. */
export const droid: ClientProfile = {
  ...specification,
  id: 'droid',
  name: 'Factory Droid',
  runs: 'own-machine',
  sources: [{ what: 'https://api.factory.ai/mcp/oauth-client', kind: 'vendor', seen: '2026-10' }],
  redirects: { hosts: [], loopback: true, uris: ['http://127.0.0.1/callback'] },
  identification: {
    order: ['document', 'registration'],
    document: { ids: ['https://api.factory.ai/mcp/oauth-client'], needsNone: false },
  },
}
