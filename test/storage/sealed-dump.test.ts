/**
 * What a thief of the database gets, after everything that people and clients do was done once: every
 * byte of it is searched for every secret that was ever issued, drawn or typed in, in all its spellings.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Random, systemRandom } from '../../src/platform/crypto.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { flows } from '../../src/storage/records/flow.ts'
import { signingKeys } from '../../src/storage/records/key.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { Store } from '../../src/storage/store.ts'
import { type Browser, createBrowser, findForm, type Page } from '../helpers/browser.ts'
import {
  masterKey,
  startTestGatehouse,
  type TestGatehouse,
  testClock,
} from '../helpers/gatehouse.ts'
import { type EmulatedGitHub, findTokens, startGitHub } from '../helpers/github.ts'
import {
  authorizePath,
  type Registered,
  redeem,
  refresh,
  registerClient,
} from '../helpers/oauth-client.ts'
import { ada, hiddenOf, takeStep } from '../helpers/site.ts'
import { verifiesThat } from '../verifies.ts'
import { createFolder } from './fixtures.ts'

const issuer = 'https://mcp.example.com'
const octocat = { login: 'octocat', name: 'The Octocat', email: 'octocat@example.com' }
const clock = testClock()

let github: EmulatedGitHub
beforeAll(async () => {
  github = await startGitHub([`${issuer}/callback/github`])
})
afterAll(() => github.close())

/** Secrets by what they are. */
type Secrets = Record<string, string>

/** A Gatehouse that writes down all randomness of 256 bits it draws: each draw is a secret. */
async function startRecorded(store: Store): Promise<{ site: TestGatehouse; drawn: string[] }> {
  const drawn: string[] = []
  const random: Random = (bytes) => {
    const text = systemRandom(bytes)
    if (bytes === 32) drawn.push(text)
    return text
  }
  const upstreams = [github.upstream()]
  const site = await startTestGatehouse({ store, clock, random, upstreams, localSignIn: true })
  return { site, drawn }
}

const codeOf = (page: Page): string => page.url.searchParams.get('code') ?? ''

/** Allows and ticks "remember". */
function remember(browser: Browser, page: Page): Promise<Page> {
  const { fields } = findForm(page, 'decision', 'allow')
  return browser.post(`${issuer}/consent`, [...fields, ['decision', 'allow'], ['remember', 'yes']])
}

/** Ada sets up her account, signs in with a password, lets the client in for good, comes back. */
async function walkAsAda({ site, client }: Walk, browser: Browser): Promise<Secrets> {
  const setupLink = (await site.gatehouse.createSetupLink()) ?? ''
  const unusedLink = (await site.gatehouse.createSetupLink()) ?? ''
  await browser.press(await browser.open(unusedLink), '', '', ada)
  const open = () => browser.open(issuer + authorizePath(client), { 'sec-fetch-site': 'none' })
  const choose = await takeStep(browser, await open())
  const signIn = { ...hiddenOf(choose, 'upstream', 'github'), ...ada }
  const page = await browser.post(`${issuer}/sign-in`, Object.entries(signIn))
  const { csrf = '' } = hiddenOf(page)
  const back = await remember(browser, page)
  const tokens = await redeem(site.send, client, codeOf(back))
  const next = await refresh(site.send, client, tokens.body.refresh_token)
  const repeated = await refresh(site.send, client, tokens.body.refresh_token)
  expect(repeated.body.refresh_token).toBe(next.body.refresh_token)
  const unredeemed = await open()
  return {
    csrf,
    setupToken: new URL(setupLink).searchParams.get('token') ?? '',
    secondSetupToken: new URL(unusedLink).searchParams.get('token') ?? '',
    code: codeOf(back),
    unredeemedCode: codeOf(unredeemed),
    accessToken: tokens.body.access_token ?? '',
    nextAccessToken: next.body.access_token ?? '',
    refreshToken: tokens.body.refresh_token ?? '',
    nextRefreshToken: next.body.refresh_token ?? '',
  }
}

/** Octocat signs in through GitHub; then somebody else has left for GitHub and is still there. */
async function walkAsOctocat(
  { site, client }: Walk,
  browser: Browser,
  other: Browser,
): Promise<Secrets> {
  const leave = async (who: Browser): Promise<URL> => {
    const choose = await takeStep(who, await who.open(issuer + authorizePath(client)))
    return (await who.press(choose, 'upstream', 'github')).url
  }
  const callback = await github.signIn(await leave(browser), octocat.login)
  const back = await takeStep(browser, await browser.open(callback))
  const tokens = await redeem(site.send, client, codeOf(back))
  const away = await leave(other)
  return {
    upstreamCode: callback.searchParams.get('code') ?? '',
    upstreamState: callback.searchParams.get('state') ?? '',
    pendingUpstreamState: away.searchParams.get('state') ?? '',
    upstreamToken: findTokens(github).at(-1) ?? '',
    upstreamSecret: 'emulated-secret-of-ours',
    octocatsCode: codeOf(back),
    octocatsAccessToken: tokens.body.access_token ?? '',
    octocatsRefreshToken: tokens.body.refresh_token ?? '',
  }
}

interface Walk {
  readonly site: TestGatehouse
  readonly client: Registered
}

/** Everything once. Returns every secret there was. */
async function walkEverything(store: Store): Promise<Secrets> {
  const { site, drawn } = await startRecorded(store)
  const client = await registerClient(site.send, {
    token_endpoint_auth_method: 'client_secret_post',
  })
  const browsers = [1, 2, 3].map(() => createBrowser(issuer, site.gatehouse.fetch))
  const [adas, octocats, others] = browsers as [Browser, Browser, Browser]
  const secrets = {
    clientSecret: client.client_secret ?? '',
    ...(await walkAsAda({ site, client }, adas)),
    ...(await walkAsOctocat({ site, client }, octocats, others)),
    ...(await findKeys(store)),
    ...Object.fromEntries(drawn.map((text, at) => [`random ${at}`, text])),
    ...Object.fromEntries(
      browsers.flatMap((one, at) =>
        [...one.cookies].map(([name, text]) => [`${name} ${at}`, text]),
      ),
    ),
    password: ada.password,
    email: ada.email,
    octocatsEmail: octocat.email,
    octocatsLogin: octocat.login,
    octocatsName: octocat.name,
    masterKey: Buffer.from(masterKey).toString('base64url'),
  }
  const inProgress = await flows.list(store)
  expect(inProgress.filter(({ value }) => value.upstream !== undefined)).toHaveLength(1)
  await site.close()
  return secrets
}

/** The private parts of the signing keys, opened with the master key. */
async function findKeys(store: Store): Promise<Secrets> {
  const sealer = await createSealer({ store, masterKey, clock })
  const keys = await signingKeys.list(store)
  return Object.fromEntries(
    keys.map(({ key, value }) => {
      const jwk = JSON.parse(sealer.open('signing-key', key, value.sealedPrivateJwk)) as {
        d: string
      }
      return [key, jwk.d]
    }),
  )
}

/** The parts of a secret that are secrets by themselves. */
function toParts(secret: string): string[] {
  const [, , signature] = secret.split('.')
  const random = /^gh[cr]_(?:[\w-]{22}_)?([\w-]{43})/.exec(secret)?.[1]
  return [secret, signature, random].filter((part) => part !== undefined)
}

/** The bytes that would give a secret away: plain, in base64 at any offset, in hex, decoded, hashed without a key. */
function toTraces(secret: string): Buffer[] {
  const plain = toParts(secret).flatMap((part) => {
    const isEncoded = /^[\w-]{43,}$/.test(part)
    return [Buffer.from(part), ...(isEncoded ? [Buffer.from(part, 'base64url')] : [])]
  })
  const spelled = plain.flatMap((bytes) => [
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...[0, 1, 2].flatMap((offset) => toBase64(bytes, offset)),
  ])
  return [...plain, ...spelled.map((text) => Buffer.from(text))]
}

/** How base64 and base64url write the bytes when so many others come before them. */
function toBase64(bytes: Buffer, offset: number): string[] {
  const shifted = Buffer.concat([Buffer.alloc(offset), bytes])
  const whole = shifted.subarray(0, shifted.length - (shifted.length % 3))
  const skipped = offset === 0 ? 0 : 4
  return (['base64', 'base64url'] as const).map((name) => whole.toString(name).slice(skipped))
}

/** What an address or a name hashes to without a key: anyone could try addresses against it. */
function toPlainHashes(text: string): Buffer[] {
  return ['sha256', 'sha1', 'md5'].flatMap((name) => {
    const digest = createHash(name).update(text).digest()
    return [
      digest,
      ...(['hex', 'base64', 'base64url'] as const).map((as) => Buffer.from(digest.toString(as))),
    ]
  })
}

function findIn(bytes: Buffer, secrets: Secrets): string[] {
  const personal = ['email', 'octocatsEmail', 'octocatsLogin', 'octocatsName', 'password']
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const hashes = personal.includes(name) ? toPlainHashes(secret) : []
    return [...toTraces(secret), ...hashes].some((trace) => bytes.includes(trace)) ? [name] : []
  })
}

function expectNoEmpty(secrets: Secrets): void {
  expect(Object.keys(secrets).length).toBeGreaterThan(40)
  for (const [name, secret] of Object.entries(secrets))
    expect(secret.length, name).toBeGreaterThan(6)
}

describe('a dump of the store, without the master key', () => {
  verifiesThat(
    'H5',
    'the files of a SQLite database, its write-ahead log among them, show none of the secrets (SG-14)',
    async () => {
      const folder = createFolder()
      const store = await sqliteStore({ path: join(folder, 'gatehouse.db'), clock })
      const secrets = await walkEverything(store)
      expectNoEmpty(secrets)
      const readAll = () =>
        Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))))
      expect(readFileSync(join(folder, 'gatehouse.db-wal')).includes('sealedSuccessor')).toBe(true)
      expect(findIn(readAll(), secrets)).toEqual([])
      await store.close()
      expect(readAll().includes('sealedSuccessor')).toBe(true)
      expect(findIn(readAll(), secrets)).toEqual([])
    },
  )

  verifiesThat(
    'H5',
    'the keys and values of any store show none of the secrets (SG-14)',
    async () => {
      const store = memoryStore({ clock })
      const secrets = await walkEverything(store)
      expectNoEmpty(secrets)
      const dump = Buffer.from(JSON.stringify(await store.list('', { limit: 10_000 })))
      for (const kind of [
        'client/',
        'user/',
        'session/',
        'flow/',
        'code/',
        'family/',
        'consent/',
        'key/',
        'link/',
      ]) {
        expect(dump.includes(`"key":"${kind}`), kind).toBe(true)
      }
      expect(findIn(dump, secrets)).toEqual([])
    },
  )

  it('would be found out: the search sees a secret in every spelling', () => {
    const secret = `ghc_${systemRandom(32)}`
    const random = Buffer.from(secret.slice(4), 'base64url')
    const spellings = [
      secret,
      secret.slice(4),
      Buffer.from(secret).toString('hex'),
      Buffer.from(`{"code":"${secret}"}`).toString('base64'),
      Buffer.from(`{"a":"${secret}"}`).toString('base64url'),
      Buffer.from(`["${secret}"]`).toString('base64url'),
      random.toString('hex').toUpperCase(),
      random.toString('base64'),
    ]
    for (const text of [...spellings.map((one) => Buffer.from(`..${one}..`)), random]) {
      expect(findIn(Buffer.from(text), { secret })).toEqual(['secret'])
    }
    const hash = createHash('sha256').update(ada.email).digest('base64url')
    expect(findIn(Buffer.from(hash), { email: ada.email })).toEqual(['email'])
    expect(findIn(Buffer.from('..nothing..'), { secret, email: ada.email })).toEqual([])
  })
})
