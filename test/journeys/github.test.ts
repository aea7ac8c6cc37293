/**
 * The whole journey through GitHub, walked by hand, over a store on disk: with a restart between every two
 * steps, and with every secret of it looked for where none may be.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../../src/operate/log.ts'
import { systemClock } from '../../src/platform/clock.ts'
import type { LogFields } from '../../src/platform/ports.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { Store } from '../../src/storage/store.ts'
import { type Browser, createBrowser, type Page } from '../helpers/browser.ts'
import { masterKey, startTestGatehouse, type TestGatehouse } from '../helpers/gatehouse.ts'
import { type EmulatedGitHub, findTokens, startGitHub } from '../helpers/github.ts'
import {
  authorizePath,
  challenge,
  type Registered,
  redeem,
  refresh,
  registerClient,
  verifier,
} from '../helpers/oauth-client.ts'
import { ada, hiddenOf, takeStep } from '../helpers/site.ts'
import { verifiesThat } from '../verifies.ts'

const issuer = 'https://mcp.example.com'
let github: EmulatedGitHub
let folder: string
let running: { store: Store; site: TestGatehouse } | undefined
beforeAll(async () => {
  github = await startGitHub([`${issuer}/callback/github`])
})
afterAll(() => github.close())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-github-'))
})
afterEach(async () => {
  await stop()
  await rm(folder, { recursive: true, force: true })
})

async function stop(): Promise<void> {
  await running?.site.close()
  await running?.store.close()
  running = undefined
}

/** Starts over the same folder: all that a new process would have. */
async function restart(
  signIn: readonly ('github' | 'password')[] = ['github'],
): Promise<TestGatehouse> {
  await stop()
  const store = await sqliteStore({ path: join(folder, 'gatehouse.db'), clock: systemClock })
  const site = await startTestGatehouse({
    store,
    localSignIn: signIn.includes('password'),
    upstreams: signIn.includes('github') ? [github.upstream()] : [],
    clock: { now: systemClock.now, advance: () => {} },
  })
  running = { store, site }
  return site
}

/** Sends to whichever instance runs now. */
const send = (path: string, init?: RequestInit) => {
  if (!running) throw new Error('Nothing is running')
  return running.site.send(path, init)
}
const newBrowser = (): Browser =>
  createBrowser(issuer, (request) => {
    if (!running) throw new Error('Nothing is running')
    return running.site.gatehouse.fetch(request)
  })

describe('signing in through GitHub', () => {
  verifiesThat('H1', 'nor does one between any two steps of a sign-in (UP-24, HA-01)', async () => {
    await restart()
    const client = await registerClient(send)
    await restart()
    const browser = newBrowser()
    const approve = await browser.open(issuer + authorizePath(client))
    expect(approve.text).toContain('Test client')
    await restart()
    const away = await takeStep(browser, approve)
    expect(away.url.origin).toBe(github.origin)
    await restart()
    const callback = await github.signIn(away.url, 'octocat')
    const confirm = await browser.open(callback, { 'sec-fetch-site': 'cross-site' })
    expect(confirm.text).toContain('octocat')
    await restart()
    const back = await takeStep(browser, confirm)
    await restart()
    const tokens = await redeem(send, client, back.url.searchParams.get('code') ?? '')
    expect(tokens.status).toBe(200)
    await restart()
    const refreshed = await refresh(send, client, tokens.body.refresh_token)
    expect(refreshed.status).toBe(200)
    await restart()
    const again = await browser.open(issuer + authorizePath(client))
    expect(again.text).toContain('octocat')
  })

  verifiesThat(
    'H1',
    'nor does one in the middle of a sign-in with a password (UP-24)',
    async () => {
      const site = await restart(['password'])
      await site.gatehouse.context.users.addLocal(ada.email, ada.password, 'owner')
      const client = await registerClient(send)
      const browser = newBrowser()
      let page: Page = await browser.open(issuer + authorizePath(client))
      for (const path of ['/authorize', '/sign-in', '/consent']) {
        expect(page.url.pathname).toBe(path)
        await restart(['password'])
        page = await takeStep(browser, page)
      }
      expect(page.url.searchParams.get('code')).toMatch(/./)
    },
  )
})

/** Everything that left the server, as text. */
function record(browser: Browser): { browser: Browser; seen: string[] } {
  const seen: string[] = []
  const keep = (page: Page): Page => {
    seen.push(page.url.href, page.text, [...page.headers].join('\n'))
    return page
  }
  return {
    seen,
    browser: {
      ...browser,
      open: async (...args) => keep(await browser.open(...args)),
      press: async (...args) => keep(await browser.press(...args)),
    },
  }
}

describe('secrets', () => {
  verifiesThat(
    'H3',
    'not in any answer, page, token, log line, audit line or record (UP-23)',
    async () => {
      github.received.length = 0
      const site = await restart()
      const client = await registerClient(send)
      const { browser, seen } = record(newBrowser())
      const away = await takeStep(browser, await browser.open(issuer + authorizePath(client)))
      const confirm = await browser.open(await github.signIn(away.url, 'octocat'))
      const back = await takeStep(browser, confirm)
      const tokens = await redeem(send, client, back.url.searchParams.get('code') ?? '')
      const claims = Buffer.from(
        tokens.body.access_token?.split('.')[1] ?? '',
        'base64url',
      ).toString()
      const stored = await site.gatehouse.context.store.list('', { limit: 1000 })

      const [token = 'none', ...more] = findTokens(github)
      expect(token).toMatch(/^gho_/)
      expect(more).toEqual([])
      const everything = inspect([seen, tokens.body, claims, site.log.lines, site.audit, stored], {
        depth: 20,
        maxStringLength: null,
        maxArrayLength: null,
      })
      expect(everything).not.toContain(token)
      expect(everything).not.toContain('emulated-secret-of-ours')
    },
  )

  it('are in no log and no audit line, at the most talkative level (OP-03)', async () => {
    const written: string[] = []
    const site = await restart(['github', 'password'])
    const client = await registerClient(send, { token_endpoint_auth_method: 'client_secret_post' })
    const secrets = await walkEverything(site, client)
    const log = createLog({
      level: 'debug',
      format: 'json',
      destination: { write: (line: string) => written.push(line) },
    })
    for (const { level, message, fields } of site.log.lines)
      log[level as 'info'](message, fields as LogFields)

    expect(site.log.lines.length).toBeGreaterThan(3)
    expect(site.audit.length).toBeGreaterThan(8)
    const raw = inspect([site.log.lines, site.audit], {
      depth: 20,
      maxStringLength: null,
      maxArrayLength: null,
    })
    for (const [name, secret] of Object.entries(secrets)) {
      expect(secret.length, name).toBeGreaterThan(7)
      expect(raw.includes(secret), `${name} in what was logged`).toBe(false)
      expect(written.join('').includes(secret), `${name} in what was written`).toBe(false)
    }
  })
})

/** Signs in both ways with mistakes in between. Returns every secret that was used. */
async function walkEverything(
  site: TestGatehouse,
  client: Registered,
): Promise<Record<string, string>> {
  const setupLink = (await site.gatehouse.createSetupLink()) ?? ''
  const browser = newBrowser()
  await browser.press(await browser.open(setupLink), '', '', ada)
  const approve = await browser.open(
    issuer + authorizePath(client, { state: 'state-of-the-client' }),
  )
  const choose = await takeStep(browser, approve)
  const guess = { ...hiddenOf(choose, 'upstream', 'github'), ...ada, password: 'a-wrong-guess' }
  const wrong = await browser.post(`${issuer}/sign-in`, Object.entries(guess))
  expect(wrong.text).toContain('password is wrong')
  const away = await browser.press(wrong, 'upstream', 'github')
  const callback = await github.signIn(away.url, 'octocat')
  await newBrowser().open(callback)
  const confirm = await browser.open(callback)
  await browser.open(callback)
  const cookies = Object.fromEntries(
    [...browser.cookies].map(([name, value]) => [`cookie ${name}`, value]),
  )
  const { csrf = '' } = hiddenOf(confirm)
  const back = await takeStep(browser, confirm)
  const code = back.url.searchParams.get('code') ?? ''
  await redeem(send, client, code, { code_verifier: 'x'.repeat(43) })
  await redeem(send, client, code, { client_secret: 'a-wrong-client-secret' })
  const tokens = await redeem(send, client, code)
  await redeem(send, client, code)
  const next = await refresh(send, client, tokens.body.refresh_token)
  await send(
    `/authorize?client_id=${client.client_id}&redirect_uri=https://evil.example/&state=state-of-the-client`,
  )
  return {
    ...cookies,
    csrf,
    code,
    verifier,
    challenge,
    setupToken: new URL(setupLink).searchParams.get('token') ?? '',
    password: ada.password,
    wrongPassword: 'a-wrong-guess',
    clientSecret: client.client_secret ?? '',
    wrongClientSecret: 'a-wrong-client-secret',
    state: 'state-of-the-client',
    accessToken: tokens.body.access_token ?? '',
    refreshToken: tokens.body.refresh_token ?? '',
    nextRefreshToken: next.body.refresh_token ?? '',
    upstreamState: callback.searchParams.get('state') ?? '',
    upstreamCode: callback.searchParams.get('code') ?? '',
    upstreamToken: findTokens(github).at(-1) ?? '',
    upstreamSecret: 'emulated-secret-of-ours',
    masterKey: Buffer.from(masterKey).toString('base64url'),
  }
}
