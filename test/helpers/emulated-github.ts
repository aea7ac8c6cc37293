/** GitHub, played on loopback, with two people who have an account. */
import { createEmulator } from 'emulate'
import { github } from '../../src/identity/presets/github.ts'
import type { Upstream } from '../../src/identity/upstream.ts'

const app = { clientId: 'Iv1.gatehouse', clientSecret: 'emulated-secret' }

/** Starts one that knows the callback of this issuer; people sign in as `octocat` or `hubot`. */
export async function startGitHub(
  issuer: string,
): Promise<{ readonly origin: string; readonly upstream: Upstream; close(): Promise<void> }> {
  const emulator = await createEmulator({
    service: 'github',
    port: 0,
    seed: {
      github: {
        users: [
          { login: 'octocat', name: 'The Octocat', email: 'octocat@example.com' },
          { login: 'hubot', name: 'Hubot', email: 'hubot@example.com' },
        ],
        oauth_apps: [
          {
            client_id: app.clientId,
            client_secret: app.clientSecret,
            name: 'Gatehouse',
            redirect_uris: [`${issuer}/callback/github`],
          },
        ],
      },
    },
  })
  // Another site than `localhost`, as the real one is.
  const origin = `http://127.0.0.1:${new URL(emulator.url).port}`
  const upstream = github({ ...app, endpoints: { web: origin, api: origin } })
  return { origin, upstream, close: () => emulator.close() }
}
