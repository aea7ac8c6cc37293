/**
 * The Code tab of Claude's desktop app, and `/mcp` inside it: Claude Code that has its codes sent to the app.
 * Connectors of the desktop app are hosted; they are the profile of Claude.
 */
import type { ClientProfile } from '../profile.ts'
import { claudeCode } from './claude-code.ts'

/** Claude Desktop, its Code tab. */
export const claudeDesktop: ClientProfile = {
  ...claudeCode,
  id: 'claude-desktop',
  name: 'Claude Desktop',
  sources: [
    {
      what: 'https://github.com/anthropics/claude-code/issues/93671',
      kind: 'report',
      seen: '2026-09',
    },
    { what: 'https://github.com/RevenueCat/ai-toolkit/issues/58', kind: 'report', seen: '2026-09' },
  ],
  adding: { steps: 'In the Code tab, as in Claude Code.' },
  problems: [
    'Servers that take https and loopback only refuse its redirect URI, and with a metadata document that URI is not in the document.',
  ],
  redirects: {
    hosts: ['claude.ai', 'claude.com'],
    schemes: ['claude'],
    uris: ['claude://claude.ai/mcp-auth-callback/sdk'],
    loopback: true,
  },
  identification: {
    ...claudeCode.identification,
    registration: {
      client_name: 'Claude Code (notes)',
      redirect_uris: ['claude://claude.ai/mcp-auth-callback/sdk'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  },
  failures: {
    ...claudeCode.failures,
    register: 'Redirect URI must use HTTPS or a local loopback address',
  },
}
