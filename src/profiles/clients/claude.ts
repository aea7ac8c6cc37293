/**
 * Claude as Anthropic hosts it: the web, connectors of the desktop app, the phone apps. Every new connection
 * is a new registration. It takes the first authorization server only, and forgets what it read after about
 * five minutes.
 */
import { alwaysRequired, specifiedDiscovery } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Claude, hosted. */
export const claude: ClientProfile = {
  id: 'claude',
  name: 'Claude',
  alsoCalled: ['Anthropic'],
  runs: 'vendor-cloud',
  engine: 'own',
  revisions: ['2025-11-25', '2025-06-18', '2025-03-26'],
  sources: [
    {
      what: 'https://claude.com/docs/connectors/building/authentication',
      kind: 'vendor',
      seen: '2026-10',
    },
    {
      what: 'https://support.claude.com/en/articles/11503834-building-custom-connectors-via-remote-mcp-servers (HTTP+SSE as well)',
      kind: 'vendor',
      seen: '2026-11',
    },
    {
      what: 'https://github.com/privacyfence/privacyfence tests/fixtures/ai_clients/claude-ai',
      kind: 'capture',
      seen: '2026-09',
    },
    {
      what: 'https://github.com/anthropics/claude-ai-mcp/issues/1043',
      kind: 'report',
      seen: '2026-10',
    },
    {
      what: 'https://github.com/anthropics/claude-ai-mcp/issues/85',
      kind: 'vendor',
      seen: '2026-10',
    },
  ],
  adding: {
    steps: 'Settings → Connectors → Add custom connector, then paste the address.',
  },
  problems: [
    'It remembers what it read of a server for about five minutes, for everybody.',
    'It comes from 160.79.104.0/21 alone, and rules against bots keep it out.',
    'Now and then it never asks for a token after the callback, or never refreshes. Nothing on this side mends that; tokens that live longer hide it.',
    'Its metadata document is at times behind a challenge page for data centres.',
  ],
  redirects: {
    hosts: ['claude.ai', 'claude.com'],
    schemes: ['claude'],
    uris: ['https://claude.ai/api/mcp/auth_callback', 'https://claude.com/api/mcp/auth_callback'],
    loopback: false,
  },
  identification: {
    order: ['document', 'registration', 'typed-in'],
    document: { ids: ['https://claude.ai/oauth/mcp-oauth-client-metadata'], needsNone: true },
    registration: {
      client_name: 'Claude',
      application_type: 'web',
      redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    prefersMethods: ['client_secret_post'],
    registersScope: true,
  },
  discovery: { ...specifiedDiscovery, serverMetadata: ['oauth', 'openid'] },
  authorization: {
    resource: 'url',
    scope: ['challenge', 'resource-metadata'],
    addsOfflineAccess: true,
    stepUp: 'challenge',
  },
  tokens: {
    authenticates: ['client_secret_post', 'none', 'client_secret_basic'],
    timeoutSeconds: 10,
    refreshesSecondsBefore: 300,
    refreshesInParallel: true,
  },
  requires: [
    ...alwaysRequired,
    'public-address',
    'ipv4-address',
    'port-443',
    'no-redirect-on-mcp',
    'unauthorized-401',
    'resource-metadata',
    'metadata-is-json',
    'resource-equals-url',
    'server-metadata',
    's256-listed',
    'token-for-public-client',
    'refresh-token-given',
    'refresh-in-parallel',
  ],
  failures: {
    reach: "Couldn't reach the MCP server",
    discover: "Couldn't register with …'s sign-in service",
    register: "Couldn't register with …'s sign-in service",
    authorize: 'Authorization with the MCP server failed',
    token: 'Authorization with the MCP server failed',
    use: 'Authorization with the MCP server failed',
    refresh: 'Connection has expired',
    of: {
      'port-443': "Couldn't register with …'s sign-in service",
      'no-redirect-on-mcp': 'Authorization with the MCP server failed',
      'way-to-a-client-id': "Automatic client registration isn't supported by …",
      'refresh-in-parallel': 'mcp_unauthorized_after_token_refresh',
    },
  },
}
