/** Antigravity of Google. */
import { specification } from '../engines.ts'
import type { ClientProfile } from '../profile.ts'

/** Antigravity. */
export const antigravity: ClientProfile = {
  ...specification,
  id: 'antigravity',
  name: 'Antigravity',
  runs: 'own-machine',
  sources: [
    { what: 'https://github.com/koala73/worldmonitor/pull/8305', kind: 'report', seen: '2026-10' },
  ],
  redirects: {
    hosts: ['antigravity.google'],
    uris: ['https://antigravity.google/oauth-callback'],
    loopback: true,
  },
  identification: { order: ['registration', 'typed-in'] },
  requires: [...specification.requires],
}
