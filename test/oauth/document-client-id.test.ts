import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isDocumentClientId, toDocumentHost } from '../../src/oauth/document-client-id.ts'

describe('a client id that is a metadata document', () => {
  it.each([
    'https://claude.ai/oauth/mcp-oauth-client-metadata',
    'https://chatgpt.com/oauth/codex/4-bzS8rt42zJ/client.json',
    'https://nousresearch.github.io/hermes-agent/docs/oauth/client-metadata.json',
    'https://client.example:8443/c?v=1',
    'https://xn--bcher-kva.example/client',
    'https://client.example/a%20b',
  ])('is %s', (id) => {
    expect(isDocumentClientId(id)).toBe(true)
  })

  it.each([
    ['http', 'http://client.example/c'],
    ['another scheme', 'ftp://client.example/c'],
    ['upper-case scheme', 'HTTPS://client.example/c'],
    ['upper-case host', 'https://Client.example/c'],
    ['no path', 'https://client.example'],
    ['the root', 'https://client.example/'],
    ['the root with a query', 'https://client.example?c'],
    ['a fragment', 'https://client.example/c#x'],
    ['an empty fragment', 'https://client.example/c#'],
    ['userinfo', 'https://a@client.example/c'],
    ['password', 'https://a:b@client.example/c'],
    ['empty userinfo', 'https://@client.example/c'],
    ['dot segment', 'https://client.example/a/../c'],
    ['single dot segment', 'https://client.example/./c'],
    ['encoded dot segment', 'https://client.example/a/%2e%2E/c'],
    ['backslash', 'https://client.example\\c'],
    ['backslash in the path', 'https://client.example/a\\c'],
    ['space', 'https://client.example/a c'],
    ['leading space', ' https://client.example/c'],
    ['tab', 'https://client.exa\tmple/c'],
    ['newline at the end', 'https://client.example/c\n'],
    ['one slash', 'https:/client.example/c'],
    ['three slashes', 'https:///client.example/c'],
    ['default port', 'https://client.example:443/c'],
    ['port out of range', 'https://client.example:65536/c'],
    ['port with zeros', 'https://client.example:08443/c'],
    ['trailing dot', 'https://client.example./c'],
    ['Unicode host', 'https://bücher.example/c'],
    ['Unicode path', 'https://client.example/ü'],
    ['one label', 'https://localhost/c'],
    ['IPv4', 'https://127.0.0.1/c'],
    ['hexadecimal IPv4', 'https://0x7f.1/c'],
    ['decimal IPv4', 'https://2130706433/c'],
    ['octal IPv4', 'https://0177.0.0.1/c'],
    ['IPv6', 'https://[::1]/c'],
    ['mapped IPv6', 'https://[::ffff:7f00:1]/c'],
    ['percent-encoded host', 'https://client%2eexample/c'],
    ['too long', `https://client.example/${'c'.repeat(400)}`],
    ['too long once it is escaped', `https://client.example/${'/'.repeat(200)}`],
    ['an ordinary id', 'mcp_0123456789abcdef'],
    ['nothing', ''],
  ])('is none with %s (CM-01)', (_, id) => {
    expect(isDocumentClientId(id)).toBe(false)
  })

  it('has one spelling: what a URL parser would repair is another text (CM-01, CM-02)', () => {
    fc.assert(
      fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (url) => {
        if (!isDocumentClientId(url)) return
        expect(new URL(url).href).toBe(url)
        expect(new URL(url).protocol).toBe('https:')
        expect(new URL(url).hash).toBe('')
        expect(new URL(url).pathname).not.toBe('/')
      }),
      { numRuns: 500 },
    )
  })

  it('is never found in arbitrary text that a parser reads otherwise (CM-01)', () => {
    const odd = fc.constantFrom('\\', '\t', '\n', ' ', '..', '%2e', '@', '#', ':', '//', '[', 'Ⅷ')
    fc.assert(
      fc.property(fc.array(fc.oneof(odd, fc.domain(), fc.string())), (parts) => {
        const id = `https://${parts.join('/')}`
        if (!isDocumentClientId(id)) return
        expect(new URL(id).href).toBe(id)
        expect(new URL(id).host).toBe(id.split('/')[2])
        expect(id).toMatch(/^[!-~]+$/)
      }),
      { numRuns: 500 },
    )
  })

  it('is shown by its host, with the port (CM-15)', () => {
    expect(toDocumentHost('https://xn--bcher-kva.example:8443/c')).toBe(
      'xn--bcher-kva.example:8443',
    )
  })
})
