import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseForm } from '../../src/oauth/params.ts'
import {
  isTrustedRedirect,
  matchRedirectUri,
  parseRedirectUri,
  parseState,
  redirectHost,
  redirectKind,
  toRedirectLocation,
  trustRedirect,
} from '../../src/oauth/redirect-uri.ts'
import { profiles } from '../../src/profiles/registry.ts'
import { refusalOf } from './refusal.ts'

/** What real clients register or ask for, and further spellings that are right. */
const real = [
  ...profiles.flatMap(({ redirects, identification }) => [
    ...(identification.registration?.redirect_uris ?? []),
    ...(redirects.uris ?? []),
    ...(redirects.used ? [redirects.used] : []),
  ]),
  'http://127.0.0.1:33418',
  'http://127.8.9.10:1/cb',
  'http://[::1]:8080/cb?x=1',
  'grokbot://mcp/oauth/callback',
  'vscode-insiders://saoudrizwan.claude-dev/cb',
  'com.example.app:/oauth',
  'com.example.app:///oauth',
  'https://webui.example/oauth/clients/mcp:notes:1/callback',
  'https://global.consent.azure-apim.net/redirect/slug-5f%20x',
  'https://xn--bcher-kva.example:8443/cb?tenant=a&b=%2F',
  'https://Example.COM',
]

const refused: Record<string, string[]> = {
  'CR-01, schemes': [
    'javascript:alert(1)',
    'JaVaScRiPt://x/%0aalert(1)',
    'javascript:/x',
    'data:text/html,x',
    'data:/x',
    'vbscript:/x',
    'file:///etc/passwd',
    'blob:https://x/y',
    'blob:/x',
    'about:blank',
    'about:/x',
    'ws://localhost/cb',
    'wss://x/cb',
    'ftp://x/cb',
    'view-source:/x',
    'intent://x/#Intent;end',
    'urn:ietf:wg:oauth:2.0:oob',
    'mailto:a@b.example',
    'myapp:callback',
    'myapp:',
  ],
  'CR-01, characters': [
    ' https://x.example/cb',
    'https://x.example/cb ',
    '\x01https://x.example/cb',
    'java\tscript:/x',
    'https://x.example/c\nb',
    'https://x.example/c\rb',
    '\u00a0https://x.example/cb',
    'https://x.example/é',
    'https://bücher.example/cb',
    'https://x.example/%zz',
    'https://x.example/"',
    'https://x.example/<b>',
    'https://x.example/\0',
  ],
  'CR-03': [
    'https://x.example/cb#',
    'https://x.example/cb#f',
    'cursor://x/cb#',
    'https://good.example@evil.example/cb',
    'http://localhost@evil.example/cb',
    'cursor://user@x/cb',
    'https:///cb',
    'https:/x.example/cb',
    'https:x.example/cb',
    'https://',
    'https://:443/cb',
    '//x.example/cb',
    '/cb',
    'x.example/cb',
    '',
  ],
  'CR-04': ['https://*.example/cb', 'https://*/cb', 'http://localhost:*/cb', 'cursor://*/cb'],
  'CR-05': [
    'https://x.example/a/../cb',
    'https://x.example/./cb',
    'https://x.example/..',
    'https://x.example/a/%2e%2e/cb',
    'https://x.example/a/.%2E/cb',
    'https://x.example/%2e',
    'https://x.example\\@evil.example/cb',
    'https://x.example/a\\..\\cb',
    'https://x.example/cb;p=1',
    'https://x.example/..;/cb',
    'cursor://x:/cb',
    'com.app:/../cb',
  ],
  'RD-05, hosts': [
    'http://example.com/cb',
    'http://192.168.1.5/cb',
    'http://0.0.0.0/cb',
    'http://localhost.evil.example/cb',
    'http://localhostx/cb',
    'http://localhost./cb',
    'http://127.0.0.1.evil.example/cb',
    'http://127.1/cb',
    'http://0x7f.0.0.1/cb',
    'http://2130706433/cb',
    'http://127.0.0.256/cb',
    'http://[::ffff:127.0.0.1]/cb',
    'http://[0:0:0:0:0:0:0:1]/cb',
    'https://%65vil.example/cb',
    'https://x.example:99999/cb',
    'https://x.example:/cb',
    'https://x.example:0443/cb',
    'https://x example/cb',
  ],
}

describe('registered redirect URI', () => {
  it.each(real)('accepts %s unchanged', (uri) => {
    expect(parseRedirectUri(uri)).toBe(uri)
  })

  for (const [row, uris] of Object.entries(refused)) {
    it.each(uris)(`refuses %j (${row})`, (uri) => {
      expect(refusalOf(() => parseRedirectUri(uri)).code).toBe('invalid_redirect_uri')
    })
  }

  it.each<unknown>([null, undefined, 7, {}, { toString: 1 }, ['https://x.example/cb']])(
    'refuses %j, which is no string (CR-07)',
    (value) => {
      expect(refusalOf(() => parseRedirectUri(value)).code).toBe('invalid_redirect_uri')
    },
  )

  it('takes 2 KB and no more (CR-08)', () => {
    const longest = `https://x.example/${'a'.repeat(2048 - 18)}`
    expect(parseRedirectUri(longest)).toBe(longest)
    expect(refusalOf(() => parseRedirectUri(`${longest}a`)).code).toBe('invalid_redirect_uri')
  })

  it('names the URI, with nothing in it that could break a log or a page (CR-11)', () => {
    expect(refusalOf(() => parseRedirectUri('ftp://x.example/cb')).description).toBe(
      'Redirect URI ftp://x.example/cb has the reserved scheme ftp',
    )
    expect(refusalOf(() => parseRedirectUri('https://x.example/#')).description).toBe(
      'Redirect URI https://x.example/# has a fragment',
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { description } = refusalOf(() => parseRedirectUri(`#${text}`))
        expect(description).toMatch(/^[\x20\x21\x23-\x5B\x5D-\x7E]{1,300}$/)
      }),
    )
  })

  it('accepts nothing that a browser would send elsewhere', () => {
    const words = 'https http javascript cursor localhost 127.0.0.1 [::1] a.example 0x7f é'
    const signs = ': / // @ # ? \\ . .. %2e * ; & [ 81'
    const piece = fc.constantFrom('\t', ' ', ...words.split(' '), ...signs.split(' '))
    const start = fc.constantFrom('https://', 'http://', 'cursor:/', 'javascript:', 'https:', '')
    fc.assert(
      fc.property(start, fc.array(piece, { maxLength: 8 }), (scheme, pieces) => {
        const uri = scheme + pieces.join('')
        try {
          parseRedirectUri(uri)
        } catch {
          return
        }
        const url = new URL(uri)
        expect(url.protocol).not.toBe('javascript:')
        const slashless = url.href.replace(`//${url.host}/`, `//${url.host}`)
        expect([url.href, slashless]).toContain(uri)
        expect(url.username + url.password + url.hash).toBe('')
        if (url.protocol === 'http:') {
          expect(url.hostname).toMatch(/^(localhost|127(\.\d+){3}|\[::1\])$/)
        }
      }),
      { numRuns: 3000 },
    )
  })
})

describe('requested redirect URI', () => {
  const mismatch = (requested: string | undefined, ...registered: string[]): string | undefined =>
    refusalOf(() => matchRedirectUri(requested, registered)).reason

  it('is compared byte for byte (RD-02)', () => {
    const registered = 'https://x.example/cb?a=1'
    expect(matchRedirectUri(registered, ['https://y.example/', registered])).toBe(registered)
    for (const other of [
      'https://X.example/cb?a=1',
      'HTTPS://x.example/cb?a=1',
      'https://x.example:443/cb?a=1',
      'https://x.example:8443/cb?a=1',
      'https://x.example/cb/?a=1',
      'https://x.example/%63b?a=1',
      'https://x.example/cb?a=1&b=2',
      'https://x.example/cb',
      'https://x.example/cb?a=1#',
      'https://x.example@evil.example/cb?a=1',
    ]) {
      expect(mismatch(other, registered)).toBe('redirect_uri_mismatch')
    }
  })

  it.each(['localhost', '127.0.0.1', '127.0.0.2', '[::1]'])(
    'may use any port on %s (RD-04)',
    (host) => {
      const wanted = `http://${host}:49152/cb?x=1`
      expect(matchRedirectUri(wanted, [`http://${host}/cb?x=1`])).toBe(wanted)
      expect(matchRedirectUri(wanted, [`http://${host}:7/cb?x=1`])).toBe(wanted)
      expect(matchRedirectUri(`http://${host}/cb`, [`http://${host}:7/cb`])).toBe(
        `http://${host}/cb`,
      )
    },
  )

  it('keeps the loopback hosts apart, and their look-alikes out (RD-03, RD-05)', () => {
    const hosts = ['localhost', '127.0.0.1', '127.0.0.2', '[::1]', 'LOCALHOST', 'localhost.']
    for (const asked of hosts) {
      for (const registered of hosts.filter((host) => host !== asked)) {
        expect(mismatch(`http://${asked}:1/cb`, `http://${registered}:2/cb`)).toBeDefined()
      }
    }
    expect(mismatch('http://localhost.evil.example:1/cb', 'http://localhost/cb')).toBeDefined()
    expect(mismatch('http://localhost:1@evil.example/cb', 'http://localhost/cb')).toBeDefined()
    expect(mismatch('http://localhost:99999/cb', 'http://localhost/cb')).toBeDefined()
    expect(mismatch('http://localhost:/cb', 'http://localhost/cb')).toBeDefined()
    expect(mismatch('https://localhost:1/cb', 'https://localhost/cb')).toBeDefined()
    expect(mismatch('https://localhost:1/cb', 'http://localhost/cb')).toBeDefined()
  })

  it('keeps path and query exact on loopback (RD-06)', () => {
    for (const tail of ['/cb/', '/CB', '/cb/x', '/cb?x', '/cb#', '', '/']) {
      expect(mismatch(`http://localhost:1${tail}`, 'http://localhost/cb')).toBeDefined()
    }
  })

  it('takes an empty loopback path for a slash, as VS Code mixes them', () => {
    const wanted = 'http://127.0.0.1:33418'
    expect(matchRedirectUri(wanted, ['http://127.0.0.1/'])).toBe(wanted)
    expect(matchRedirectUri(`${wanted}/`, ['http://127.0.0.1'])).toBe(`${wanted}/`)
    expect(mismatch('https://x.example', 'https://x.example/')).toBeDefined()
  })

  it('may be left out when exactly one is registered (RD-07)', () => {
    expect(matchRedirectUri(undefined, ['https://x.example/cb'])).toBe('https://x.example/cb')
    expect(mismatch(undefined, 'https://x.example/cb', 'https://y.example/cb')).toBe(
      'redirect_uri_missing',
    )
    expect(mismatch(undefined)).toBe('redirect_uri_missing')
  })

  it('never interprets a registered string as a pattern (CR-04)', () => {
    expect(mismatch('http://localhost:1/cb', 'http://localhost:*/cb')).toBeDefined()
    expect(mismatch('https://a.example/cb', 'https://.*/cb')).toBeDefined()
  })

  it('matches exactly the same URI with another loopback port', () => {
    const host = fc.constantFrom('localhost', '127.0.0.1', '[::1]', 'a.example', '127.0.0.1.evil')
    const part = fc.record({
      scheme: fc.constantFrom('http', 'https'),
      host,
      port: fc.constantFrom('', ':80', ':443', ':5000', ':*'),
      rest: fc.constantFrom('/cb', '/cb/', '/CB', '/cb?a', '/x'),
    })
    type Part = { scheme: string; host: string; port: string; rest: string }
    const write = (uri: Part): string => `${uri.scheme}://${uri.host}${uri.port}${uri.rest}`
    const isFree = (uri: Part): boolean =>
      uri.scheme === 'http' && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(uri.host)
    fc.assert(
      fc.property(part, part, (asked, registered) => {
        const sameBut = { ...asked, port: registered.port }
        const portsFree = isFree(asked) && asked.port !== ':*' && registered.port !== ':*'
        const expected =
          write(asked) === write(registered) || (portsFree && write(sameBut) === write(registered))
        const call = (): string => matchRedirectUri(write(asked), [write(registered)])
        if (expected) expect(call()).toBe(write(asked))
        else expect(refusalOf(call).reason).toBe('redirect_uri_mismatch')
      }),
      { numRuns: 2000 },
    )
  })
})

describe('where a redirect URI leads', () => {
  it.each([
    ['https://chatgpt.com/cb', 'https', 'chatgpt.com'],
    ['https://localhost:9/cb', 'https', 'localhost:9'],
    ['https://xn--laude-7we.example/cb', 'https', 'xn--laude-7we.example'],
    ['http://localhost:8787/cb', 'loopback', 'localhost:8787'],
    ['http://[::1]/cb', 'loopback', '[::1]'],
    ['cursor://anysphere.cursor-mcp/cb', 'private-use', 'cursor'],
    ['com.example.app:/cb', 'private-use', 'com.example.app'],
  ])('%s is %s at %s', (uri, kind, host) => {
    expect(redirectKind(uri)).toBe(kind)
    expect(redirectHost(uri)).toBe(host)
  })
})

describe('trusted redirect', () => {
  const uri = 'https://x.example/cb'
  const client = { redirectUris: [uri, 'http://localhost/cb'], vouched: false }

  it('is made for a registered URI alone (AZ-02)', () => {
    expect(trustRedirect(uri, client, 's')).toEqual({
      uri,
      state: 's',
      kind: 'https',
      vouched: false,
    })
    expect(refusalOf(() => trustRedirect('https://evil.example', client, 's')).redirect).toBe(
      undefined,
    )
  })

  it('is vouched for by the owner, or by being this machine', () => {
    expect(trustRedirect('http://localhost:5/cb', client, undefined).vouched).toBe(true)
    expect(trustRedirect(uri, { ...client, vouched: true }, undefined).vouched).toBe(true)
    const app = { redirectUris: ['cursor://x/cb'], vouched: false }
    expect(trustRedirect('cursor://x/cb', app, undefined).vouched).toBe(false)
  })

  it('cannot be forged, copied or changed (AZ-03)', () => {
    const target = trustRedirect(uri, client, 's')
    expect(isTrustedRedirect(target)).toBe(true)
    expect(isTrustedRedirect({ ...target })).toBe(false)
    expect(isTrustedRedirect(null)).toBe(false)
    expect(isTrustedRedirect(uri)).toBe(false)
    expect(() => Object.assign(target, { uri: 'https://evil.example' })).toThrow(TypeError)
    expect(() => toRedirectLocation({ ...target }, {})).toThrow(TypeError)
  })
})

describe('redirect location', () => {
  const locate = (
    uri: string,
    params: Record<string, string | undefined>,
    state?: string,
  ): string =>
    toRedirectLocation(trustRedirect(uri, { redirectUris: [uri], vouched: false }, state), params)

  it('appends what is given, and the state last', () => {
    expect(
      locate('https://x.example/cb', { code: 'c', iss: 'https://h', none: undefined }, 's'),
    ).toBe('https://x.example/cb?code=c&iss=https%3A%2F%2Fh&state=s')
    expect(locate('http://127.0.0.1:5', { code: 'c' })).toBe('http://127.0.0.1:5?code=c')
    expect(locate('com.app:/cb', { code: 'c' })).toBe('com.app:/cb?code=c')
  })

  it('keeps the query of the URI byte for byte (AZ-22)', () => {
    expect(locate('https://x.example/cb?a=%2f+b&&c&a=?d', { code: 'c' })).toBe(
      'https://x.example/cb?a=%2f+b&&c&a=?d&code=c',
    )
    expect(locate('https://x.example/cb?', { code: 'c' })).toBe('https://x.example/cb?code=c')
  })

  it('leaves exactly one iss, whatever the URI brought along (AZ-21, RFC 9207)', () => {
    const uri = 'https://x.example/cb?iss=evil&k=1&i%73s=evil&code=x&error=y&state=z'
    const answer = new URL(locate(uri, { code: 'c', iss: 'https://h' }, 's')).searchParams
    expect([...answer]).toEqual([
      ['k', '1'],
      ['code', 'c'],
      ['iss', 'https://h'],
      ['state', 's'],
    ])
  })

  it('gives the state back as it came, and breaks no header with it (AZ-14)', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
    const odd = fc.constantFrom('a b+c%20&=#?', '\r\nSet-Cookie: x', '{"a":"é"}', '%00', "'()*!~")
    fc.assert(
      fc.property(
        fc.oneof(text, odd).filter((s) => !s.includes('\uFFFD') && !s.includes('\0')),
        (sent) => {
          const state = parseState(parseForm(new URLSearchParams({ state: sent }).toString()))
          const location = locate('https://x.example/cb', { code: 'c' }, state)
          expect(location).toMatch(/^[\x21-\x7E]+$/)
          expect(new URL(location).searchParams.getAll('state')).toEqual([sent])
          expect(decodeURIComponent(location.split('&state=')[1] ?? '')).toBe(sent)
        },
      ),
    )
  })
})

describe('state', () => {
  it('may be absent, and has 1024 bytes after decoding at most (AZ-14)', () => {
    expect(parseState(parseForm(''))).toBeUndefined()
    expect(parseState(parseForm(`state=${'%61'.repeat(1024)}`))).toHaveLength(1024)
    expect(parseState(parseForm(`state=${'é'.repeat(512)}`))).toHaveLength(512)
    for (const state of ['a'.repeat(1025), 'é'.repeat(513)]) {
      expect(refusalOf(() => parseState(parseForm(`state=${state}`))).code).toBe('invalid_request')
    }
  })

  it('must not be repeated (AZ-10)', () => {
    expect(refusalOf(() => parseState(parseForm('state=a&state=a'))).code).toBe('invalid_request')
  })
})
