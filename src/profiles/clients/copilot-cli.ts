/** GitHub Copilot in a terminal. */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** GitHub Copilot CLI. */
export const copilotCli: ClientProfile = {
  ...specification,
  id: 'copilot-cli',
  name: 'GitHub Copilot CLI',
  runs: 'own-machine',
  sources: [
    {
      what: 'https://github.com/copilot/cli/client-metadata.json',
      kind: 'vendor',
      seen: '2026-10',
    },
    { what: 'https://github.com/github/copilot-cli/issues/2717', kind: 'report', seen: '2026-10' },
    {
      what: 'https://docs.github.com/en/copilot/how-tos/copilot-cli/customize-copilot/add-mcp-servers',
      kind: 'vendor',
      seen: '2026-11',
    },
  ],
  adding: {
    steps:
      'Type /mcp add in Copilot CLI: server type HTTP, the address, Ctrl+S. Or in ~/.copilot/mcp-config.json:',
    toCopy: ({ name, url }) =>
      JSON.stringify({ mcpServers: { [name]: { type: 'http', url, tools: ['*'] } } }, null, 2),
  },
  redirects: { hosts: [], loopback: true },
  identification: {
    order: ['document', 'registration', 'typed-in'],
    document: { ids: ['https://github.com/copilot/cli/client-metadata.json'], needsNone: false },
  },
  tokens: { ...specification.tokens, authenticates: ['none'] },
}
