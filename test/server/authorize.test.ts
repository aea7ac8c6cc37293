import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unavailable } from '../../src/errors.ts'
import { createLimits } from '../../src/operate/limits.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { flows } from '../../src/storage/records/flow.ts'
import { testClock } from '../helpers/gatehouse.ts'
import { registerClient } from '../helpers/oauth-client.ts'
import { answerOf, loadAgain, preregister, type Site, startSite } from '../helpers/site.ts'
import { verifiesThat } from '../verifies.ts'

const html = { headers: { accept: 'text/html' } }
const json = { headers: { accept: 'application/json' } }

let site: Site
beforeAll(async () => {
  site = await startSite()
})
afterAll(() => site.close())

const ask = (url: string, init: RequestInit = html) => site.send(url, init)

describe('any other error', () => {
  const errors: [string, Record<string, string | undefined>, string][] = [
    ['no response_type (AZ-06)', { response_type: undefined }, 'invalid_request'],
    ['response_type=token (AZ-06)', { response_type: 'token' }, 'unsupported_response_type'],
    [
      'response_type=code token (AZ-06)',
      { response_type: 'code token' },
      'unsupported_response_type',
    ],
    [
      'no challenge (AZ-07)',
      { code_challenge: undefined, code_challenge_method: undefined },
      'invalid_request',
    ],
    ['an empty challenge (AZ-11)', { code_challenge: '' }, 'invalid_request'],
    ['plain (AZ-08)', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['no method (AZ-08)', { code_challenge_method: undefined }, 'invalid_request'],
    ['an unknown method (AZ-08)', { code_challenge_method: 'S512' }, 'invalid_request'],
    ['a short challenge (AZ-09)', { code_challenge: 'abc' }, 'invalid_request'],
    ['response_mode=fragment (AZ-13)', { response_mode: 'fragment' }, 'invalid_request'],
    ['response_mode=form_post (AZ-13)', { response_mode: 'form_post' }, 'invalid_request'],
    [
      'an unknown resource (AZ-17)',
      { resource: 'https://mcp.example.com/other' },
      'invalid_target',
    ],
    [
      'a resource with a fragment (AZ-17)',
      { resource: 'https://mcp.example.com/mcp#x' },
      'invalid_target',
    ],
    ['a longer resource (AZ-18)', { resource: 'https://mcp.example.com/mcpx' }, 'invalid_target'],
    ['a long scope (AZ-16)', { scope: 'x'.repeat(1025) }, 'invalid_scope'],
    ['a scope with a quote (AZ-16)', { scope: 'a"b' }, 'invalid_scope'],
    ['prompt=none without a session (AZ-05)', { prompt: 'none' }, 'login_required'],
  ]
  const targets = ['https://house.example/cb?tenant=1', 'http://localhost:9000/cb']

  describe.each(errors)('%s', (_, extra, code) => {
    it.each(targets)(
      'goes back with state and one iss where it is vouched for: %s (D8, AZ-21)',
      async (target) => {
        const client = target.startsWith('https')
          ? await preregister(site, [target])
          : await registerClient(site.send, { redirect_uris: [target] })
        const back = await ask(site.authorizeUrl(extra, client))
        expect(back.status).toBe(303)
        const location = back.headers.get('location') ?? ''
        expect(location.startsWith(target)).toBe(true)
        const answer = answerOf(location)
        expect(answer.filter(([name]) => name === 'iss')).toEqual([['iss', site.issuer]])
        expect(answer.filter(([name]) => name === 'state')).toEqual([['state', 'state-123']])
        expect(answer.filter(([name]) => name === 'error')).toEqual([['error', code]])
        expect(answer.some(([name]) => name === 'code')).toBe(false)
      },
    )

    it('is a page that names the host where nobody vouches, with the way back (D24, D25)', async () => {
      const page = await ask(site.authorizeUrl(extra))
      expect(page.status).toBe(400)
      expect(page.headers.get('location')).toBeNull()
      const text = await page.text()
      expect(text).toContain('Go back to client.example')
      const href = /href="(https:\/\/client\.example[^"]*)"/
        .exec(text)?.[1]
        ?.replaceAll('&amp;', '&')
        .replaceAll('&#39;', "'")
      const answer = Object.fromEntries(answerOf(href ?? null))
      expect(answer).toMatchObject({ error: code, state: 'state-123', iss: site.issuer })
    })

    verifiesThat('D31', `JSON for programs: ${code}`, async () => {
      const answer = await ask(site.authorizeUrl(extra), json)
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({ error: code })
    })
  })

  it('says state once only, and none when it was given twice (AZ-10)', async () => {
    const client = await preregister(site, ['https://house.example/cb'])
    const back = await ask(`${site.authorizeUrl({}, client)}&state=other`)
    const answer = answerOf(back.headers.get('location'))
    expect(answer.map(([name]) => name).sort()).toEqual(['error', 'error_description', 'iss'])
  })

  it('never uses characters in a description that RFC 6749 forbids there', async () => {
    const client = await preregister(site, ['https://house.example/cb'])
    const back = await ask(site.authorizeUrl({ response_type: undefined }, client))
    const [, description = ''] =
      answerOf(back.headers.get('location')).find(([name]) => name === 'error_description') ?? []
    expect(description).toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/)
    const unknown = await ask(site.authorizeUrl({ client_id: 'a"b\\c\u00e9' }), json)
    const body = (await unknown.json()) as { error_description: string }
    expect(body.error_description).toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/)
  })

  it('is written to the audit log with its reason (OP-04)', async () => {
    await ask(site.authorizeUrl({ code_challenge: undefined, code_challenge_method: undefined }))
    expect(site.audit).toContainEqual(
      expect.objectContaining({
        event: 'authorize.refused',
        outcome: 'refused',
        reason: 'pkce_required',
        requestId: expect.stringMatching(/./),
        peer: 'unknown',
      }),
    )
  })

  verifiesThat('S4', 'the exact answer', async () => {
    const bare = site.authorizeUrl({ code_challenge: undefined, code_challenge_method: undefined })
    const answer = await ask(bare, { headers: { accept: '*/*' } })
    expect(await answer.text()).toBe(
      '{"error":"invalid_request","error_description":"PKCE code_challenge and code_challenge_method=S256 are required"}',
    )
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })
})

describe('a good request', () => {
  it('keeps the query of the redirect URI, and puts in one iss of its own (AZ-21, AZ-22)', async () => {
    const uri = 'https://house.example/cb?a=%2f&iss=https%3A%2F%2Fevil.example&b='
    const client = await preregister(site, [uri])
    const back = await ask(site.authorizeUrl({ response_type: 'token' }, client))
    const location = back.headers.get('location') ?? ''
    expect(location.startsWith('https://house.example/cb?a=%2f&b=&error=')).toBe(true)
    expect(new URL(location).searchParams.getAll('iss')).toEqual([site.issuer])
  })

  const states = ['x'.repeat(1024), 'ä→🦊', '%41%', 'a+b c&d=e', '\r\nSet-Cookie: x=1', '<b>']
  it.each(states)('gives the state back as it came: %j (AZ-14)', async (state) => {
    const back = await site.walk(site.browser(), 'client', { state })
    expect(back.url.searchParams.getAll('state')).toEqual([state])
    expect(back.headers.get('set-cookie') ?? '').not.toContain('x=1')
  })

  it('has no state in its answer when it had none, and refuses a long one (AZ-14)', async () => {
    const back = await site.walk(site.browser(), 'client', { state: undefined })
    expect(back.url.searchParams.has('state')).toBe(false)
    const long = await ask(site.authorizeUrl({ state: 'x'.repeat(1025) }), json)
    expect(await long.json()).toMatchObject({ error: 'invalid_request' })
  })

  it('may have parameters nobody knows, and empty ones (AZ-11)', async () => {
    const url = site.authorizeUrl({
      foo: 'bar',
      response_mode: '',
      prompt: '',
      scope: '',
      request: 'x',
    })
    expect((await ask(`${url}&scope=&foo=baz`)).status).toBe(200)
  })

  it('may come without PKCE from a confidential client that the owner exempted (H5)', async () => {
    const bare = { code_challenge: undefined, code_challenge_method: undefined }
    const exempt = await preregister(site, ['https://house.example/cb'], {
      pkce: 'optional',
      confidential: true,
    })
    expect((await ask(site.authorizeUrl(bare, exempt))).status).toBe(200)
    const publicClient = await preregister(site, ['https://house.example/cb'], { pkce: 'optional' })
    const refused = await ask(site.authorizeUrl(bare, publicClient))
    expect(refused.headers.get('location')).toContain('error=invalid_request')
  })

  it('may be posted (AZ-23)', async () => {
    const browser = site.browser()
    const fields = [...new URL(site.authorizeUrl()).searchParams] as [string, string][]
    const page = await browser.post(`${site.issuer}/authorize`, fields, {
      'sec-fetch-site': 'cross-site',
    })
    expect(page.text).toContain('Connect')
    // Loading that page again posts nothing (CN-17).
    expect(page.url.pathname).toBe('/consent')
    const typed = await site.send('/authorize', {
      method: 'POST',
      body: 'x',
      headers: { accept: 'text/html' },
    })
    expect(typed.status).toBe(415)
  })
})

describe('the first page', () => {
  it('is the answer itself, and the same as at its own address (CN-01)', async () => {
    const browser = site.browser()
    const page = await browser.open(site.authorizeUrl())
    expect(page.url.pathname).toBe('/authorize')
    const again = await loadAgain(browser, page)
    expect(again.text).toBe(page.text)
    const policy = 'content-security-policy'
    expect(page.headers.get(policy)).toContain("frame-ancestors 'none'")
    for (const name of [policy, 'cache-control', 'referrer-policy', 'x-frame-options']) {
      expect(page.headers.get(name)).toBe(again.headers.get(name))
    }
  })

  it('can be answered only by the browser that got it (CN-05, AZ-24)', async () => {
    const page = await site.browser().open(site.authorizeUrl())
    const other = site.browser()
    const answered = await other.press(page, 'decision', 'allow')
    expect(answered.status).toBe(400)
    expect(answered.text).toContain('This began in another browser')
  })
})

describe('asking without meaning it', () => {
  it('HEAD tells the status and stores nothing (AZ-23)', async () => {
    const known = await flows.list(site.gatehouse.context.store)
    const answer = await ask(site.authorizeUrl(), { method: 'HEAD', ...html })
    expect(answer.status).toBeLessThan(400)
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(await flows.list(site.gatehouse.context.store)).toEqual(known)
    expect(
      (await ask(site.authorizeUrl({ client_id: 'x' }), { method: 'HEAD', ...html })).status,
    ).toBe(400)
  })

  it('asking again burns nothing: the first request can still be answered (AZ-23)', async () => {
    const browser = site.browser()
    const first = await browser.open(site.authorizeUrl())
    await site.browser().open(site.authorizeUrl())
    await browser.open(site.authorizeUrl())
    expect((await browser.press(first, 'decision', 'allow')).url.pathname).toBe('/sign-in')
  })
})

describe('limits and faults', () => {
  it('answers 429 with Retry-After to a flood for one client, and others go on (X8)', async () => {
    const limits = createLimits({ overrides: { authorize: { points: 2, seconds: 60 } } })
    const limited = await startSite({ limits })
    const other = await registerClient(limited.send)
    const statuses = []
    for (let i = 0; i < 3; i += 1)
      statuses.push((await limited.send(limited.authorizeUrl(), html)).status)
    expect(statuses).toEqual([200, 200, 429])
    const last = await limited.send(limited.authorizeUrl(), html)
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await limited.send(limited.authorizeUrl({}, other), html)).status).toBe(200)
    await limited.close()
  })

  it('is a page to be tried again while the store is away, even for a vouched client (P5)', async () => {
    const clock = testClock()
    const store = memoryStore({ clock })
    let down = false
    const commit: typeof store.commit = async (change) => {
      if (down) throw unavailable('store_unavailable')
      return store.commit(change)
    }
    const shaky = await startSite({ clock, store: { ...store, commit } })
    const client = await preregister(shaky, ['https://house.example/cb'])
    down = true
    const page = await shaky.send(shaky.authorizeUrl({}, client), html)
    expect(page.status).toBe(503)
    expect(page.headers.get('retry-after')).toBe('2')
    expect(await page.text()).toContain('Nothing is lost')
    down = false
    expect((await shaky.send(shaky.authorizeUrl({}, client), html)).status).toBe(200)
    await shaky.close()
  })
})
