/** GitHub, played on loopback, with two people who have an account. */
import { github } from '../../src/identity/presets/github.ts'
import type { Upstream } from '../../src/identity/upstream.ts'
import { app, createGitHubEmulator } from './github.ts'

/** Starts one that knows the callback of this issuer; people sign in as `octocat` or `hubot`. */
export async function startGitHub(
  issuer: string,
): Promise<{ readonly origin: string; readonly upstream: Upstream; close(): Promise<void> }> {
  const emulator = await createGitHubEmulator([`${issuer}/callback/github`])
  // Another site than `localhost`, as the real one is.
  const origin = `http://127.0.0.1:${new URL(emulator.url).port}`
  const upstream = github({ ...app, endpoints: { web: origin, api: origin } })
  return { origin, upstream, close: () => emulator.close() }
}
