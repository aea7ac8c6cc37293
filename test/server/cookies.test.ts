/** Cookies and the Host header: what is set, what is believed, and that no header changes either. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findCookie, formatCookie, listFlowCookies } from '../../src/server/cookies.ts'
import { createBrowser } from '../helpers/browser.ts'
import { registerClient } from '../helpers/oauth-client.ts'
import { ada, type Site, startSite, takeStep } from '../helpers/site.ts'
import { verifiesThat } from '../verifies.ts'

const issuer = 'https://mcp.example.com'
const value = 'abcdefghijklmnopqrstuvwxyz0123456789-_ABCDE'
const requestWith = (cookie: string) => new Request(issuer, { headers: { cookie } })

describe('reading a cookie', () => {
  const name = '__Host-gatehouse-session'
  const good = [`${name}=${value}`, `a=1; ${name}=${value}; b=2`, `\t${name}=${value} ;x`]
  it.each(good)('finds it: %j', (header) => {
    expect(findCookie(requestWith(header), 'session', issuer)).toBe(value)
  })
  const bad: [string, string][] = [
    ['twice', `${name}=${value}; ${name}=${value}`],
    ['twice, one empty', `${name}=; ${name}=${value}`],
    ['another case', `__host-gatehouse-session=${value}`],
    ['without the prefix', `gatehouse-session=${value}`],
    ['a longer name', `x${name}=${value}`],
    ['NBSP before the name', `\u00a0${name}=${value}`],
    ['quoted', `${name}="${value}"`],
    ['a comma in it', `${name}=${value},x`],
    ['too short', `${name}=abc`],
    ['too long', `${name}=${'a'.repeat(129)}`],
    ['no value', name],
    ['a huge header', `x=${'y'.repeat(20_000)}; ${name}=${value}`],
  ]
  it.each(bad)('takes it for absent: %s (EN-07)', (_, header) => {
    expect(findCookie(requestWith(header), 'session', issuer)).toBeUndefined()
  })

  it('lists the flows of a browser as it sends them, and nothing else', () => {
    const [a, b] = ['A'.repeat(22), 'B'.repeat(22)]
    const header = `__Host-gatehouse-flow-${b}=${value}; x=1; __Host-gatehouse-flow-${a}=${value}; __Host-gatehouse-flow-short=1`
    expect(listFlowCookies(requestWith(header), issuer)).toEqual([`flow-${b}`, `flow-${a}`])
  })
})

describe('writing a cookie', () => {
  it('is host-locked, httponly, secure and lax on https (EN-04, EN-05, EN-08)', () => {
    expect(formatCookie('trip', value, { issuer }, 60)).toBe(
      `__Host-gatehouse-trip=${value}; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60`,
    )
  })
  it('has another name on a loopback http issuer, where browsers refuse the prefix (EN-04)', () => {
    expect(formatCookie('trip', value, { issuer: 'http://localhost:8787' })).toBe(
      `gatehouse-trip=${value}; Path=/; HttpOnly; SameSite=Lax`,
    )
  })
  it('has the flags of development on such an issuer alone (S6)', () => {
    const developmentCookies = { secure: true, sameSite: 'none' } as const
    expect(
      formatCookie('trip', value, { issuer: 'http://localhost:8787', developmentCookies }),
    ).toBe(`gatehouse-trip=${value}; Path=/; HttpOnly; SameSite=None; Secure`)
    expect(formatCookie('trip', value, { issuer, developmentCookies: { secure: false } })).toBe(
      `__Host-gatehouse-trip=${value}; Path=/; HttpOnly; SameSite=Lax; Secure`,
    )
  })
})

let site: Site
beforeEach(async () => {
  site = await startSite()
})
afterEach(() => site.close())

const spoofed: Record<string, string> = {
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'http',
  'x-forwarded-port': '81',
  'x-forwarded-prefix': '/evil',
  'x-original-url': '/evil',
  forwarded: 'host=evil.example;proto=http',
}

describe('behind a proxy that ends TLS', () => {
  verifiesThat('A10', 'cookies and redirects as well (EN-02, EN-04)', async () => {
    for (const headers of [{}, spoofed]) {
      const inner = new URL(site.authorizeUrl().replace('https:', 'http:'))
      const answer = await site.gatehouse.fetch(
        new Request(new URL(inner.pathname, inner), {
          method: 'POST',
          headers: { accept: 'text/html', ...headers },
          body: inner.searchParams,
        }),
      )
      expect(answer.status).toBe(303)
      expect(answer.headers.get('location')).toMatch(/^\/consent\?flow=/)
      for (const line of answer.headers.getSetCookie()) {
        expect(line).toMatch(/^__Host-.*; Secure/)
        expect(line).not.toMatch(/domain/i)
      }
    }
  })

  it('never lets a header decide what a page or an answer says (EN-02, DI-04)', async () => {
    const browser = createBrowser(site.issuer, site.gatehouse.fetch)
    const page = await browser.open(`${site.issuer}/`, spoofed)
    expect(page.text).not.toContain('evil.example')
    const back = await site.walk(browser, 'client')
    expect(back.url.searchParams.get('iss')).toBe(issuer)
  })
})

describe('another name than ours', () => {
  const hosts = [
    'evil.example',
    'mcp.example.com.evil.example',
    'evilmcp.example.com',
    '10.0.0.1',
    'localhost.evil.example',
  ]
  it.each(hosts)('gets no page: %s (EN-01, RS-13)', async (host) => {
    const path = site.authorizeUrl().replace(issuer, `https://${host}`)
    for (const url of [
      path,
      `https://${host}/`,
      `https://${host}/setup?token=x`,
      `https://${host}/nothing`,
    ]) {
      const answer = await site.gatehouse.fetch(
        new Request(url, { headers: { accept: 'text/html' } }),
      )
      expect(answer.status, url).toBe(421)
      expect(answer.headers.getSetCookie()).toEqual([])
    }
  })

  it('is answered when it is this computer, on any port', async () => {
    for (const host of ['localhost:9999', '127.0.0.1', '[::1]:8787']) {
      const answer = await site.gatehouse.fetch(
        new Request(`http://${host}/`, { headers: { accept: 'text/html' } }),
      )
      expect(answer.status, host).toBe(200)
    }
  })
})

describe('on a loopback http issuer', () => {
  it('the whole journey works with cookies of the other names', async () => {
    const local = await startSite({ issuer: 'http://localhost:8787' })
    const browser = local.browser()
    const back = await local.walk(browser, 'client')
    expect(back.url.searchParams.has('code')).toBe(true)
    expect([...browser.cookies.keys()]).toEqual(['gatehouse-session'])
    await local.close()
  })
})

describe('what a journey leaves behind', () => {
  it('is the session alone: the cookies of the flow are taken back', async () => {
    const browser = site.browser()
    await site.walk(browser, 'client')
    const denied = await browser.open(site.authorizeUrl())
    await browser.press(denied, 'decision', 'deny')
    expect([...browser.cookies.keys()]).toEqual(['__Host-gatehouse-session'])
  })

  it('is nothing readable: every value is random', async () => {
    const browser = site.browser()
    const signIn = await site.walk(browser, 'sign-in')
    await browser.press(signIn, '', '', ada)
    for (const each of browser.cookies.values()) expect(each).toMatch(/^[\w-]{43}$/)
  })

  it('does not mix up clients that ask at the same time in one browser (CN-08)', async () => {
    const other = await registerClient(site.send, {
      client_name: 'Second',
      redirect_uris: ['https://second.example/cb'],
    })
    const browser = await site.signedIn()
    const pages = await Promise.all([
      browser.open(site.authorizeUrl()),
      browser.open(site.authorizeUrl({}, other)),
    ])
    const backs = []
    for (const page of pages.reverse()) backs.push((await takeStep(browser, page)).url.host)
    expect(backs).toEqual(['second.example', 'client.example'])
  })
})
