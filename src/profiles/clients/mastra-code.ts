/** Mastra Code. */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Mastra Code. */
export const mastraCode: ClientProfile = {
  ...specification,
  id: 'mastra-code',
  name: 'Mastra Code',
  runs: 'own-machine',
  sources: [
    {
      what: 'https://code.mastra.ai/.well-known/oauth-client/mastracode.json',
      kind: 'vendor',
      seen: '2026-10',
    },
  ],
  redirects: { hosts: [], loopback: true },
  identification: {
    order: ['document', 'registration'],
    document: {
      ids: ['https://code.mastra.ai/.well-known/oauth-client/mastracode.json'],
      needsNone: false,
    },
  },
}
