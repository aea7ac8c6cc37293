/** Amp. */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Amp. */
export const amp: ClientProfile = {
  ...specification,
  id: 'amp',
  name: 'Amp',
  alsoCalled: ['Amp MCP Client'],
  runs: 'own-machine',
  sources: [
    {
      what: 'Registrations of Amp, as an operator published them',
      kind: 'capture',
      seen: '2026-10',
    },
    { what: 'https://github.com/docfork/docfork README', kind: 'report', seen: '2026-11' },
  ],
  adding: {
    steps: 'In a terminal, then start Amp, which opens the browser:',
    toCopy: ({ name, url }) => `amp mcp add ${name} ${url}`,
  },
  redirects: { hosts: [], loopback: true },
  identification: {
    order: ['registration', 'typed-in'],
    registration: {
      client_name: 'Amp MCP Client (notes)',
      redirect_uris: ['http://localhost:41592/oauth/callback'],
    },
  },
}
