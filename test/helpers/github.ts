/** An emulated GitHub with three people, a line to it that can be cut, and someone who signs in there. */
import { createEmulator } from 'emulate'
import { type GitHubOptions, github } from '../../src/identity/presets/github.ts'
import type { Upstream } from '../../src/identity/upstream.ts'

/** What the app at GitHub is known by. */
export const app = { clientId: 'Iv1.gatehouse', clientSecret: 'emulated-secret-of-ours' }

/** GitHub, and what happened on the line to it. */
export interface EmulatedGitHub {
  readonly origin: string
  /** Gatehouse's connection to it. */
  upstream(changes?: Partial<GitHubOptions>): Upstream
  /** Plays the person at GitHub's page. Returns where it sends the browser: our callback with a code. */
  signIn(authorizationUrl: URL, login: string): Promise<URL>
  /** What Gatehouse has received from GitHub: every access token is in it. */
  readonly received: string[]
  /** While true, nothing answers. */
  isDown: boolean
  close(): Promise<void>
}

/** Starts GitHub itself, with `octocat`, `hubot` and `nameless`, for an app that has these callbacks. */
export function createGitHubEmulator(callbacks: readonly string[]) {
  return createEmulator({
    service: 'github',
    port: 0,
    seed: {
      github: {
        users: [
          { login: 'octocat', name: 'The Octocat', email: 'octocat@example.com' },
          { login: 'hubot', name: 'Hubot', email: 'hubot@example.com' },
          { login: 'nameless', name: '' },
        ],
        oauth_apps: [
          {
            client_id: app.clientId,
            client_secret: app.clientSecret,
            name: 'Gatehouse',
            redirect_uris: [...callbacks],
          },
        ],
      },
    },
  })
}

/** Starts one that sends people back to these callbacks. */
export async function startGitHub(callbacks: readonly string[]): Promise<EmulatedGitHub> {
  const emulator = await createGitHubEmulator(callbacks)
  const received: string[] = []
  const site: EmulatedGitHub = {
    origin: emulator.url,
    received,
    isDown: false,
    upstream: (changes = {}) =>
      github({
        ...app,
        endpoints: { web: emulator.url, api: emulator.url },
        fetch: line,
        ...changes,
      }),
    signIn: pickOnGitHub,
    close: () => emulator.close(),
  }
  const line: typeof fetch = async (input, init) => {
    if (site.isDown) throw new TypeError('fetch failed')
    const response = await fetch(input, init)
    received.push(await response.clone().text())
    return response
  }
  return site
}

/** The access tokens among what was received. */
export function findTokens({ received }: EmulatedGitHub): string[] {
  return received.flatMap((text) => text.match(/gho_[\w-]+/g) ?? [])
}

/** Picks a person on the emulator's page and follows its form by one step. */
export async function pickOnGitHub(authorizationUrl: URL, login: string): Promise<URL> {
  const page = await fetch(authorizationUrl)
  const forms = (await page.text()).split('<form').slice(1)
  const form = forms.find((text) => text.includes(`name="login" value="${login}"`)) ?? ''
  const fields = [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)]
  const answer = await fetch(new URL('/login/oauth/callback', authorizationUrl), {
    method: 'POST',
    body: new URLSearchParams(fields.map(([, name = '', value = '']) => [name, value])),
    redirect: 'manual',
  })
  return new URL(answer.headers.get('location') ?? '')
}
