/** Le Chat of Mistral. Its `resource` may end in a slash that the metadata does not have. */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Le Chat. */
export const leChat: ClientProfile = {
  ...specification,
  id: 'le-chat',
  name: 'Le Chat',
  alsoCalled: ['Mistral'],
  runs: 'vendor-cloud',
  sources: [
    {
      what: 'https://docs.mistral.ai/le-chat/knowledge-integrations/connectors/mcp-connectors',
      kind: 'vendor',
      seen: '2026-10',
    },
    {
      what: 'https://www.cakewalk.security/docs/ai-agent-access/connections-and-integrations/agent-platforms/mistral-ai',
      kind: 'report',
      seen: '2026-10',
    },
    {
      what: 'https://help.mistral.ai/en/articles/393572-configuring-a-custom-connector',
      kind: 'vendor',
      seen: '2026-11',
    },
  ],
  adding: {
    steps:
      'An administrator: Intelligence → Connectors → Add Connector → Custom MCP Connector, then a name and the address as connection server.',
  },
  redirects: {
    hosts: ['callback.mistral.ai'],
    uris: ['https://callback.mistral.ai/v1/integrations_auth/oauth2_callback'],
    loopback: false,
  },
  identification: { order: ['registration', 'typed-in'] },
  authorization: { ...specification.authorization, resourceEndsInSlash: true },
  requires: ['public-address', ...specification.requires],
}
