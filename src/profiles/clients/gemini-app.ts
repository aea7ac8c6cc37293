/**
 * Gemini's Connected apps, as Google documents them. It looks for the metadata appended to the issuer's path,
 * both kinds, and nowhere else. No redirect URI is published.
 */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** The Gemini app. */
export const geminiApp: ClientProfile = {
  ...specification,
  id: 'gemini-app',
  name: 'Gemini app',
  runs: 'vendor-cloud',
  sources: [
    {
      what: 'https://developers.google.com/connected-apps/mcp/oauth',
      kind: 'vendor',
      seen: '2026-11',
    },
    {
      what: 'https://github.com/firecrawl/firecrawl-mcp-server/issues/345',
      kind: 'report',
      seen: '2026-10',
    },
    { what: 'https://support.google.com/gemini/answer/17209137', kind: 'vendor', seen: '2026-11' },
  ],
  adding: {
    steps:
      'On the web at gemini.google.com: Settings & help → Connected Apps, then under “Custom apps for Spark” add the address.',
  },
  redirects: { hosts: [], loopback: false },
  identification: { order: ['registration', 'typed-in'] },
  discovery: {
    ...specification.discovery,
    serverMetadata: ['oauth-appended', 'openid-appended'],
  },
  problems: [
    'An issuer with a path has to serve its metadata after that path: /realms/one/.well-known/oauth-authorization-server. The place of RFC 8414, before the path, is not tried.',
  ],
  requires: ['public-address', ...specification.requires, 'response-type-code'],
  failures: {
    register:
      'Automatic registration with this server failed. Please enter the OAuth client ID and client secret',
  },
}
