/**
 * ChatGPT: connectors and Apps SDK apps, which are one thing since the "Plugins" of 2026. It registers once
 * per connector and uses that client for all its users. It tells an app's tool apart from its connection, so
 * that it can ask for more scopes later.
 */
import { alwaysRequired, specifiedDiscovery } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

const menu = 'Settings → Apps → Create app'

/** ChatGPT as it registers itself. */
export const chatgpt: ClientProfile = {
  id: 'chatgpt',
  name: 'ChatGPT',
  alsoCalled: ['OpenAI'],
  runs: 'vendor-cloud',
  engine: 'own',
  revisions: ['2026-07-28', '2025-11-25'],
  sources: [
    {
      what: 'https://developers.openai.com/plugins/build/auth',
      kind: 'vendor',
      seen: '2026-10',
    },
    {
      what: 'https://developers.openai.com/plugins/deploy/troubleshooting',
      kind: 'vendor',
      seen: '2026-10',
    },
    {
      what: 'https://developers.openai.com/api/docs/guides/developer-mode (HTTP+SSE as well)',
      kind: 'vendor',
      seen: '2026-11',
    },
    {
      what: 'https://github.com/privacyfence/privacyfence tests/fixtures/ai_clients/chatgpt',
      kind: 'capture',
      seen: '2026-09',
    },
    { what: 'https://community.openai.com/t/1366784', kind: 'capture', seen: '2026-09' },
    {
      what: 'https://github.com/nowledge-co/community/issues/496',
      kind: 'report',
      seen: '2026-10',
    },
  ],
  adding: {
    steps: `Settings → Apps → Advanced settings: switch on Developer mode. Then ${menu}, paste the address and choose OAuth.`,
    menu,
  },
  problems: [
    'It keeps what it read when the connector was made: after a change of the metadata, delete the connector and create it again.',
    'Without issuer-bound callbacks (`iss`) its redirect URI is https://chatgpt.com/connector/oauth/ and an id of the connector.',
    'One registration serves all its users: when it is gone, all of them are turned away with `invalid_client`.',
  ],
  redirects: {
    hosts: ['chatgpt.com', 'chat.openai.com'],
    uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
    loopback: false,
  },
  identification: {
    order: ['registration', 'typed-in'],
    registration: {
      application_type: 'native',
      client_name: 'ChatGPT',
      redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    prefersMethods: ['client_secret_post'],
  },
  discovery: { ...specifiedDiscovery, serverMetadata: ['oauth', 'openid'], triesEachServer: true },
  authorization: {
    resource: 'metadata',
    scope: ['challenge', 'resource-metadata', 'server-metadata'],
    invents: ['openid', 'email'],
    addsOfflineAccess: true,
    stepUp: 'tool-result',
  },
  tokens: {
    authenticates: ['client_secret_post', 'none', 'client_secret_basic'],
    refreshesSecondsBefore: 0,
    refreshesInParallel: true,
  },
  requires: [
    ...alwaysRequired,
    'public-address',
    'no-redirect-on-mcp',
    'unauthorized-401',
    'resource-metadata',
    'metadata-is-json',
    'server-metadata',
    'issuer-present',
    'issuer-equals-link',
    's256-listed',
    'iss-if-advertised',
    'calls-without-session',
    'refresh-token-given',
  ],
  failures: {
    reach: 'Error creating connector',
    discover: 'Something went wrong with setting up the connection',
    register: 'Failed to resolve OAuth client',
    authorize: 'Something went wrong with setting up the connection',
    token: 'There was a problem connecting. Try again later',
    use: 'No app actions available',
    refresh: 'Reconnect',
    of: {
      'public-address': 'Error creating connector … Unsafe URL',
      'server-metadata': 'MCP server … does not implement OAuth',
      'way-to-a-client-id': "… doesn't support RFC 7591 Dynamic Client Registration",
    },
  },
}
