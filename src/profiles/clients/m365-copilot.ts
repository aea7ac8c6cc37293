/** Plugins of Microsoft 365 Copilot: a client in the developer portal's vault, or registration. */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Microsoft 365 Copilot. */
export const m365Copilot: ClientProfile = {
  ...specification,
  id: 'm365-copilot',
  name: 'Microsoft 365 Copilot',
  runs: 'vendor-cloud',
  sources: [
    {
      what: 'https://learn.microsoft.com/en-us/plugins/plugin-authentication-oauth',
      kind: 'vendor',
      seen: '2026-10',
    },
    {
      what: 'https://learn.microsoft.com/en-us/plugins/build-mcp-plugins',
      kind: 'vendor',
      seen: '2026-11',
    },
  ],
  adding: {
    steps:
      'In the Microsoft 365 Agents Toolkit: Create a New Agent/App → Declarative Agent → Add an Action → Start with an MCP Server, then paste the address.',
  },
  redirects: {
    hosts: ['teams.microsoft.com'],
    uris: ['https://teams.microsoft.com/api/platform/v1.0/oAuthRedirect'],
    loopback: false,
  },
  identification: { order: ['typed-in', 'registration'] },
  tokens: {
    ...specification.tokens,
    authenticates: ['client_secret_post', 'client_secret_basic'],
  },
  requires: ['public-address', ...specification.requires],
}
