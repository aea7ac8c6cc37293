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
    {
      what: 'mastra-ai/mastra docs/src/mastra-code/configuration.mdx',
      kind: 'vendor',
      seen: '2026-11',
    },
  ],
  adding: {
    steps: 'In the file .mastracode/mcp.json of your home folder or project:',
    toCopy: ({ name, url }) =>
      JSON.stringify({ mcpServers: { [name]: { url, oauth: {} } } }, null, 2),
  },
  redirects: { hosts: [], loopback: true },
  identification: {
    order: ['document', 'registration'],
    document: {
      ids: ['https://code.mastra.ai/.well-known/oauth-client/mastracode.json'],
      needsNone: false,
    },
  },
}
