/** What protects every page, whatever it says, and how each kind of caller is told of an error. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unavailable } from '../../src/errors.ts'
import type { Limits } from '../../src/platform/ports.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { noLimits, testClock } from '../helpers/gatehouse.ts'
import { hiddenOf, type Site, startSite } from '../helpers/site.ts'

let site: Site
let isDown = false
beforeAll(async () => {
  const clock = testClock()
  const store = memoryStore({ clock })
  const get: typeof store.get = async (keys) => {
    if (isDown) throw unavailable('store_unavailable')
    return store.get(keys)
  }
  site = await startSite({ clock, store: { ...store, get } })
})
afterAll(() => site.close())

const html = { accept: 'text/html,application/xhtml+xml' }

/** Every page there is, by how it is reached. */
const pages: [string, () => Promise<Response>][] = [
  ['home', () => site.send('/', { headers: html })],
  ['approve', () => reach('approve')],
  ['sign-in', () => reach('sign-in')],
  ['confirm', () => reach('confirm')],
  ['a wrong password', () => reachWrongPassword()],
  ['set-up', async () => site.send('/setup?token=x', { headers: html })],
  ['unknown client', () => site.send('/authorize?client_id=x', { headers: html })],
  [
    'error with a way back',
    () => site.send(site.authorizeUrl({ response_type: 'token' }), { headers: html }),
  ],
  ['no flow', () => site.send('/consent', { headers: html })],
  ['callback of nobody', () => site.send('/callback/x?state=y', { headers: html })],
  ['not found', () => site.send('/nothing/here', { headers: html })],
  ['wrong method', () => site.send('/authorize', { method: 'DELETE', headers: html })],
  ['wrong content type', () => site.send('/consent', { method: 'POST', body: 'x', headers: html })],
  [
    'wrong host',
    () => site.gatehouse.fetch(new Request('https://evil.example/', { headers: html })),
  ],
]

/** The page as it is, not as the browser follows it. */
async function reach(stop: 'approve' | 'sign-in' | 'confirm'): Promise<Response> {
  const browser = site.browser()
  const page = await site.walk(browser, stop)
  return new Response(page.text, { status: page.status, headers: page.headers })
}

async function reachWrongPassword(): Promise<Response> {
  const browser = site.browser()
  const signIn = await site.walk(browser, 'sign-in')
  const page = await browser.press(signIn, '', '', { email: 'x@example.com', password: 'wrong' })
  return new Response(page.text, { status: page.status, headers: page.headers })
}

describe('every page', () => {
  it.each(pages)(
    'cannot be framed, cached, scripted or leak where it was: %s (CN-09, CN-18, AZ-27)',
    async (_, open) => {
      const { headers, status } = await open()
      expect(status).not.toBe(500)
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('content-security-policy')).toMatch(
        /default-src 'none'.*frame-ancestors 'none'/,
      )
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|script-src/)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('access-control-allow-origin')).toBeNull()
    },
  )

  it.each(pages)('has no script and nothing from elsewhere: %s (CN-11, AZ-27)', async (_, open) => {
    const text = await (await open()).text()
    expect(text).not.toMatch(/<script|<iframe|<object|\son\w+=|javascript:/i)
    expect(text).not.toMatch(/<(?:img|link|source)[^>]*(?:src|href)="https?:/i)
  })
})

describe('every redirect', () => {
  it('is a 303 that nobody keeps and that tells nobody where it came from (CN-17, AZ-27)', async () => {
    const browser = site.browser()
    const confirm = await site.walk(browser, 'confirm')
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
    const fields = new URLSearchParams({ ...hiddenOf(confirm), decision: 'allow' })
    const answers = [
      await site.send('/authorize', {
        method: 'POST',
        headers: html,
        body: new URL(site.authorizeUrl()).searchParams,
      }),
      await site.send('/consent', {
        method: 'POST',
        headers: { ...html, cookie, 'content-type': 'application/x-www-form-urlencoded' },
        body: fields.toString(),
      }),
    ]
    for (const { status, headers } of answers) {
      expect(status).toBe(303)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
    }
    expect(answers[1]?.headers.get('location')).toContain('https://client.example/callback?code=')
  })
})

describe('an error', () => {
  it('has a reference that is in the log too, and nothing else of ours (OP-05)', async () => {
    const page = await (await site.send('/authorize?client_id=nobody', { headers: html })).text()
    const reference = /Reference<\/dt><dd class="code">([\w-]+)</.exec(page)?.[1]
    expect(site.log.lines.at(-1)?.fields).toMatchObject({
      request_id: reference,
      reason: 'unknown_client',
    })
    expect(page).not.toMatch(/unknown_client|node_modules|at \w+ \(/)
  })

  it('is JSON, never cached, for whoever did not ask for a page', async () => {
    for (const accept of ['application/json', '*/*', '']) {
      const answer = await site.send('/authorize?client_id=nobody', { headers: { accept } })
      expect(answer.headers.get('content-type'), accept).toBe('application/json')
      expect(answer.headers.get('cache-control')).toBe('no-store')
    }
  })

  it('of the store is a page that can be tried again, at every step (P5)', async () => {
    for (const stop of ['approve', 'sign-in', 'confirm'] as const) {
      const browser = site.browser()
      const page = await site.walk(browser, stop)
      isDown = true
      const shown = await browser.open(page.url)
      const posted = await browser.press(page, 'decision', 'deny')
      isDown = false
      for (const each of [shown, posted]) {
        expect(each.status, stop).toBe(503)
        expect(each.headers.get('retry-after')).toBe('2')
        expect(each.text).toContain('Nothing is lost')
      }
      expect((await browser.press(page, 'decision', 'deny')).url.searchParams.get('error')).toBe(
        'access_denied',
      )
    }
  })

  it('of ours tells people nothing but a reference, and the log everything (OP-05)', async () => {
    const spend: Limits['spend'] = async (limit) => {
      if (limit === 'authorize') throw new Error('secret detail at db.internal')
    }
    const broken = await startSite({ limits: { ...noLimits, spend } })
    const page = await broken.browser().open(broken.authorizeUrl())
    expect(page.status).toBe(500)
    expect(page.text).not.toContain('db.internal')
    expect(broken.log.lines.at(-1)?.level).toBe('error')
    await broken.close()
  })

  it('of a method names those that are answered', async () => {
    const answers = await Promise.all(
      ['/authorize', '/consent', '/callback/github'].map((path) =>
        site.send(path, { method: 'PUT' }),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual([405, 405, 405])
    expect(answers.map(({ headers }) => headers.get('allow'))).toEqual([
      'GET, HEAD, POST',
      'GET, HEAD, POST',
      'GET, HEAD',
    ])
  })

  it('is no preflight: pages are for browsers that are here (A10)', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
    for (const path of ['/authorize', '/consent', '/sign-in', '/callback/github', '/setup']) {
      const answer = await site.send(path, { method: 'OPTIONS', headers })
      expect(answer.headers.get('access-control-allow-origin'), path).toBeNull()
    }
  })
})

describe('a body', () => {
  it.each(['/authorize', '/consent', '/sign-in', '/setup'])(
    'is bounded before it is read: %s',
    async (path) => {
      const answer = await site.send(path, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...html },
        body: `flow=${'x'.repeat(40_000)}`,
      })
      expect(answer.status).toBe(413)
    },
  )

  it.each(['/authorize', '/consent', '/sign-in', '/setup'])('may be nonsense: %s', async (path) => {
    for (const body of [
      '',
      '&&&',
      '%',
      '%ff%fe',
      'flow=%00',
      'flow=a&flow=b',
      'a'.repeat(1000),
      '=&='.repeat(99),
    ]) {
      const answer = await site.send(path, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...html },
        body,
      })
      expect(answer.status, body).toBeGreaterThanOrEqual(400)
      expect(answer.status, body).toBeLessThan(500)
    }
  })
})
