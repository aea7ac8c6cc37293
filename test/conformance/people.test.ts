/** What people and owners rely on, from the consent page to the list of who may enter. */
import { afterEach, describe, expect } from 'vitest'
import { github } from '../../src/identity/presets/github.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { createBrowser, type Page } from '../helpers/browser.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import { authorizePath, redeem, registerClient } from '../helpers/oauth-client.ts'
import { createPerson } from '../helpers/person.ts'
import { verifies } from '../verifies.ts'

let running: TestGatehouse
afterEach(() => running.close())

const upstreamToken = 'gho_the_upstream_token'

/** GitHub as far as sign-in needs it, for the person with this login. */
function createGitHub(login: string, seen: string[], answer?: Response): typeof fetch {
  const users: Record<string, unknown> = {
    '/login/oauth/access_token': { access_token: upstreamToken, token_type: 'bearer', scope: '' },
    '/user': { id: 7, login, name: 'Ada' },
    '/user/emails': [{ email: 'ada@example.com', primary: true, verified: true }],
  }
  return async (input, init) => {
    const { pathname } = new URL(new Request(input, init).url)
    seen.push(pathname)
    return answer?.clone() ?? Response.json(users[pathname] ?? {})
  }
}

/** A Gatehouse where people sign in with GitHub and only `ada` may enter. */
async function startWithGitHub(login: string, seen: string[] = [], answer?: Response) {
  const options = { clientId: 'id', clientSecret: 'secret', allowedLogins: ['ada'] }
  running = await startTestGatehouse({
    upstreams: [github({ ...options, fetch: createGitHub(login, seen, answer) })],
  })
  const client = await registerClient(running.send)
  const browser = createBrowser(running.issuer, running.gatehouse.fetch)
  return { client, browser }
}

/** Approves, leaves for GitHub and comes back with a code. */
async function signIn(login: string, answer?: Response) {
  const { client, browser } = await startWithGitHub(login, [], answer)
  const page = await browser.open(running.issuer + authorizePath(client))
  const away = await browser.press(page, 'decision', 'allow')
  const state = away.url.searchParams.get('state') ?? ''
  const back = await browser.open(`${running.issuer}/callback/github?code=abc&state=${state}`)
  return { client, browser, away, back }
}

describe('sign-in through GitHub', () => {
  verifies('H3', async () => {
    const { client, browser, away, back } = await signIn('ada')
    expect(away.url.origin).toBe('https://github.com')
    const done = await browser.press(back, 'decision', 'allow')
    const tokens = await redeem(running.send, client, done.url.searchParams.get('code') ?? '')
    expect(tokens.status).toBe(200)
    const told = [back.text, done.url.href, JSON.stringify(tokens.body), running.log.lines]
    expect(JSON.stringify([told, running.audit])).not.toContain(upstreamToken)
  })

  verifies('R3', async () => {
    const { back } = await signIn('ada', Response.json({ error: 'bad_verification_code' }))
    expect(back.url.origin).toBe(running.issuer)
    expect(back.status).toBeGreaterThanOrEqual(400)
    expect(back.text).toContain('GitHub')
  })

  verifies('R4', async () => {
    const { back } = await signIn('mallory')
    expect(back.status).toBe(403)
    expect(back.text).toContain('mallory')
    expect(await running.gatehouse.context.users.any()).toBe(false)
  })

  verifies('D59', async () => {
    const seen: string[] = []
    const { client, browser } = await startWithGitHub('ada', seen)
    const other = await registerClient(running.send, { client_name: 'Another client' })
    for (const asking of [client, other]) {
      const page = await browser.open(running.issuer + authorizePath(asking))
      expect(page.url.origin).toBe(running.issuer)
      expect(page.text).toContain('client.example')
    }
    expect(seen).toEqual([])
  })
})

describe('redirect URIs', () => {
  verifies('D22', async () => {
    running = await startTestGatehouse()
    for (const uri of ['http://client.example/callback', 'ftp://client.example/callback']) {
      await expect(registerClient(running.send, { redirect_uris: [uri] })).rejects.toThrow(
        'invalid_redirect_uri',
      )
    }
    await registerClient(running.send, { redirect_uris: ['http://127.0.0.1:1/callback'] })
    const insecure = startTestGatehouse({ issuer: 'http://mcp.example.com' })
    await expect(insecure).rejects.toThrow(TypeError)
  })

  verifies('D23', async () => {
    running = await startTestGatehouse()
    const client = await registerClient(running.send)
    const near = ['/callback/', '/Callback', '/callback?x=1', '/callback#', '/other']
    for (const path of near) {
      const redirect_uri = `https://client.example${path}`
      const response = await running.send(authorizePath(client, { redirect_uri }))
      expect(response.status).toBe(400)
      expect(response.headers.get('location')).toBeNull()
    }
  })

  verifies('D28', async () => {
    running = await startTestGatehouse()
    const open = async (uri: string): Promise<Page> => {
      const client = await registerClient(running.send, { redirect_uris: [uri] })
      const browser = createBrowser(running.issuer, running.gatehouse.fetch)
      return browser.open(running.issuer + authorizePath(client))
    }
    expect((await open('https://client.example/callback')).text).toContain('client.example')
    const loopback = await open('http://127.0.0.1:3118/callback')
    expect(loopback.text).toContain('127.0.0.1')
    expect(loopback.text).toContain('this computer')
  })
})

describe('what lasts', () => {
  verifies('R6', async () => {
    const clock = testClock()
    const store = memoryStore({ clock })
    running = await startTestGatehouse({ clock, store })
    const client = await registerClient(running.send)
    const browser = createBrowser(running.issuer, (request) => running.gatehouse.fetch(request))
    const page = await browser.open(running.issuer + authorizePath(client))
    await running.close()

    running = await startTestGatehouse({ clock, store })
    expect((await running.send(authorizePath(client))).status).toBe(200)
    clock.advance(601)
    expect((await browser.press(page, 'decision', 'allow')).status).toBe(400)
    expect(running.audit.map(({ event }) => event)).toContain('authorize.started')
  })

  verifies('S6', async () => {
    running = await startTestGatehouse()
    const person = await createPerson(running)
    const { sessions } = running.gatehouse.context
    const cookies: string[] = []
    for (let i = 0; i < 6; i++) cookies.push(await sessions.open(person.userId))
    const live = await Promise.all(cookies.map((cookie) => sessions.find(cookie)))
    expect(live.map(Boolean)).toEqual([false, true, true, true, true, true])
    running.clock.advance(86_401)
    expect(await sessions.find(cookies.at(-1))).toBeUndefined()
  })
})
