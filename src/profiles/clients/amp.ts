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
  ],
  redirects: { hosts: [], loopback: true },
  identification: {
    order: ['registration', 'typed-in'],
    registration: {
      client_name: 'Amp MCP Client (notes)',
      redirect_uris: ['http://localhost:41592/oauth/callback'],
    },
  },
}
