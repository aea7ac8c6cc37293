/**
 * Microsoft Copilot Studio. Each connector has a redirect URI of its own on one host. It appends the path of
 * the MCP server when it looks for metadata.
 */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Copilot Studio. */
export const copilotStudio: ClientProfile = {
  ...specification,
  id: 'copilot-studio',
  name: 'Microsoft Copilot Studio',
  alsoCalled: ['Copilot Studio'],
  runs: 'vendor-cloud',
  sources: [
    {
      what: 'https://learn.microsoft.com/en-us/microsoft-copilot-studio/mcp-add-existing-server-to-agent',
      kind: 'vendor',
      seen: '2026-10',
    },
    {
      what: 'https://github.com/HelpCode-ai/anythingmcp/releases/tag/v0.2.4',
      kind: 'report',
      seen: '2026-10',
    },
    {
      what: 'http://agentifyanchor.github.io/blog/posts/2025-12-30-building-a-production-ready-mcp-server-for-copilot-with-dynamic-client-registration',
      kind: 'report',
      seen: '2025-12',
    },
  ],
  adding: {
    steps: 'In the agent: add a tool, Model Context Protocol, OAuth 2.0, Dynamic discovery.',
  },
  problems: [
    'Each connector has a redirect URI of its own: register without a fixed list, or read it in the wizard.',
  ],
  redirects: {
    hosts: ['global.consent.azure-apim.net'],
    uris: ['https://global.consent.azure-apim.net/redirect'],
    loopback: false,
  },
  identification: {
    order: ['registration', 'typed-in'],
    registration: {
      client_name: 'Copilot Studio',
      redirect_uris: ['https://global.consent.azure-apim.net/redirect/cr123-notes'],
    },
  },
  requires: ['public-address', ...specification.requires],
}
