/** Gemini Enterprise: an administrator types in a client that was made for it. */
import { specification } from '../engines.ts'
import { type ClientProfile, requirements } from '../profile.ts'

/** Gemini Enterprise. */
export const geminiEnterprise: ClientProfile = {
  ...specification,
  id: 'gemini-enterprise',
  name: 'Gemini Enterprise',
  runs: 'vendor-cloud',
  sources: [
    {
      what: 'https://developers.google.com/connected-apps/mcp/oauth',
      kind: 'vendor',
      seen: '2026-10',
    },
  ],
  adding: { steps: 'An administrator types in the id and secret of a client made for it here.' },
  redirects: {
    hosts: ['vertexaisearch.cloud.google.com'],
    uris: ['https://vertexaisearch.cloud.google.com/oauth-redirect'],
    loopback: false,
  },
  identification: { order: ['typed-in'] },
  tokens: {
    ...specification.tokens,
    authenticates: ['client_secret_post', 'client_secret_basic'],
  },
  requires: [
    'public-address',
    ...specification.requires.filter((name) => requirements[name] !== 'register'),
  ],
}
