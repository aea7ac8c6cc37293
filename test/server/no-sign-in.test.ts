import { afterEach, describe, expect, it } from 'vitest'
import { sessions } from '../../src/storage/records/session.ts'
import { hiddenOf, type Site, startSite, tamperFlow } from '../helpers/site.ts'
import { verifiesThat } from '../verifies.ts'

let site: Site | undefined
afterEach(async () => {
  await site?.close()
  site = undefined
})

const local = { issuer: 'http://localhost:8787', noSignIn: true }

async function start(options: Parameters<typeof startSite>[0] = local): Promise<Site> {
  site = await startSite(options)
  return site
}

describe('without sign-in', () => {
  verifiesThat('A7', 'one click and there is a code', async () => {
    const running = await start()
    const page = await running.browser().open(running.authorizeUrl())
    expect(page.text).toContain('No sign-in is set up here')
    expect(page.text).not.toContain('You sign in next')
    expect(page.text).not.toContain('name="remember"')
    const browser = running.browser()
    const back = await browser.press(
      await browser.open(running.authorizeUrl()),
      'decision',
      'allow',
    )
    expect(back.url.searchParams.get('iss')).toBe('http://localhost:8787')
    expect(await running.findGrantedScope(back)).toBe('notes:read')
    expect(await sessions.list(running.gatehouse.context.store)).toEqual([])
  })

  it('it is still a click: another website cannot make it, and Deny is Deny (CN-05)', async () => {
    const running = await start()
    const browser = running.browser()
    const page = await browser.open(running.authorizeUrl())
    const fields = Object.entries({ ...hiddenOf(page), decision: 'allow', scope: 'notes:read' })
    const foreign = await browser.post(`${running.issuer}/consent`, fields, {
      'sec-fetch-site': 'cross-site',
    })
    expect(foreign.status).toBe(403)
    const silent = await browser.open(running.authorizeUrl({ prompt: 'none' }))
    expect(silent.url.searchParams.has('code')).toBe(false)
    const back = await browser.press(page, 'decision', 'deny')
    expect(back.url.searchParams.get('error')).toBe('access_denied')
  })

  it('everybody is the same user, and there is no other way in', async () => {
    const running = await start()
    const subjects = []
    for (let i = 0; i < 2; i += 1) {
      await running.walk(running.browser(), 'client')
      subjects.push(running.audit.findLast(({ event }) => event === 'consent.allowed')?.userId)
    }
    expect(new Set(subjects).size).toBe(1)
    const browser = running.browser()
    const page = await browser.open(running.authorizeUrl())
    await tamperFlow(running, { step: 'sign-in' })
    const fields = Object.entries({
      ...hiddenOf(page),
      email: 'a@example.com',
      password: 'x'.repeat(12),
    })
    expect((await browser.post(`${running.issuer}/sign-in`, fields)).status).toBeGreaterThanOrEqual(
      400,
    )
  })
})

describe('an issuer that is not this computer', () => {
  const issuers = [
    'https://mcp.example.com',
    'https://10.0.0.1',
    'https://localhost.example.com',
    'https://127.0.0.1.nip.io',
  ]
  it.each(issuers)('is refused: %s (A7)', async (issuer) => {
    await expect(startSite({ issuer, noSignIn: true })).rejects.toThrow(TypeError)
    await expect(startSite({ issuer, noSignIn: true })).rejects.toThrow(/let anyone in/)
  })

  it.each(['http://127.0.0.1:8787', 'http://[::1]:8787', 'https://localhost'])(
    'is accepted when it is: %s',
    async (issuer) => {
      await start({ issuer, noSignIn: true })
    },
  )

  verifiesThat('A7', 'unless a setting says what it does', async () => {
    const running = await start({
      issuer: 'https://mcp.example.com',
      noSignIn: true,
      letAnyoneIn: true,
    })
    const browser = running.browser()
    const page = await browser.open(running.authorizeUrl(), { 'x-forwarded-for': '203.0.113.7' })
    expect((await browser.press(page, 'decision', 'allow')).url.searchParams.has('code')).toBe(true)
  })
})

describe('what came through a proxy or tunnel', () => {
  const headers = [
    ['x-forwarded-for', '203.0.113.7'],
    ['x-forwarded-host', 'abc.trycloudflare.com'],
    ['x-forwarded-proto', 'https'],
    ['forwarded', 'for=203.0.113.7'],
    ['cf-connecting-ip', '203.0.113.7'],
    ['cf-ray', '8f'],
    ['x-real-ip', '203.0.113.7'],
    ['true-client-ip', '203.0.113.7'],
    ['via', '1.1 proxy'],
    ['tailscale-user-login', 'ada@example.com'],
  ] as const

  it.each(headers)('is refused everywhere: %s (A7)', async (name, value) => {
    const running = await start()
    const paths: [string, RequestInit][] = [
      ['/', { headers: { accept: 'text/html' } }],
      [running.authorizeUrl(), { headers: { accept: 'text/html' } }],
      [
        '/token',
        {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: '',
        },
      ],
      [
        '/register',
        { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' },
      ],
      ['/mcp', { method: 'POST' }],
    ]
    for (const [path, init] of paths) {
      const given = { ...(init.headers as Record<string, string> | undefined), [name]: value }
      const answer = await running.send(path, { ...init, headers: given })
      expect(answer.status, path).toBe(403)
      expect(await answer.text(), path).toMatch(/sign-in/)
    }
  })

  it('is nothing special where people sign in', async () => {
    const running = await start({})
    const all = Object.fromEntries(headers)
    const answer = await running.send(running.authorizeUrl(), {
      headers: { accept: 'text/html', ...all },
    })
    expect(answer.status).toBe(200)
  })
})
