import { describe, expect, it } from 'vitest'
import { findLookAlike, isHomeOf } from '../../src/profiles/look-alike.ts'
import { profiles } from '../../src/profiles/registry.ts'

describe('look-alike names', () => {
  it.each([
    ['ChatGPT', 'ChatGPT'],
    ['chat gpt', 'ChatGPT'],
    ['Chat-GPT (official)', 'ChatGPT'],
    ['ChatGРT', 'ChatGPT'],
    ['СhatGPT', 'ChatGPT'],
    ['𝐂𝐡𝐚𝐭𝐆𝐏𝐓', 'ChatGPT'],
    ['ChätGPT', 'ChatGPT'],
    ['OpenAI', 'ChatGPT'],
    ['0penAI Connector', 'ChatGPT'],
    ['Сlaude', 'Claude'],
    ['CIaude', 'Claude'],
    ['C1aude', 'Claude'],
    ['CLAUDE.AI', 'Claude'],
    ['Ｃｌａｕｄｅ', 'Claude'],
    ['Claude Code (notes)', 'Claude Code'],
    ['Cursоr', 'Cursor'],
    ['VS Code', 'Visual Studio Code'],
    ['VlSUAL STUD1O C0DE', 'Visual Studio Code'],
    ['Grok', 'Grok'],
    ['Zed', 'Zed'],
    ['Gernini CLI', 'Gemini CLI'],
  ])('warns that %s looks like %s when its codes go elsewhere (CR-11)', (name, known) => {
    expect(findLookAlike(name, ['evil.example'])).toBe(known)
  })

  it.each([
    ['ChatGPT', ['chatgpt.com']],
    ['Claude', ['claude.ai', 'claude.com']],
    ['Claude Code (notes)', ['localhost:51234']],
    ['Claude Code (notes)', ['claude']],
    ['Cursor', ['cursor', 'localhost:8787', 'www.cursor.com']],
    ['Visual Studio Code', ['vscode.dev', 'insiders.vscode.dev', '127.0.0.1', '127.0.0.1:33418']],
    ['Codex', ['127.0.0.1:4000', '[::1]:4000']],
    ['Gemini CLI MCP Client', ['localhost:7777']],
    ['MCP CLI Proxy', ['localhost:3334']],
  ])('is silent when %s sends its codes to %j, its own', (name, hosts) => {
    expect(findLookAlike(name, hosts)).toBeUndefined()
  })

  it.each([
    'Notes',
    'Example Client',
    'My sampler',
    'LibreChat',
    'n8n',
    'Chat',
    '',
    '日本語',
    '🙂',
  ])('is silent about %j, which is like nobody', (name) => {
    expect(findLookAlike(name, ['notes.example'])).toBeUndefined()
  })

  it('warns when any one host is foreign, look-alike hosts included', () => {
    expect(findLookAlike('ChatGPT', ['chatgpt.com', 'evil.example'])).toBe('ChatGPT')
    for (const host of ['chatgpt.com.evil.example', 'xchatgpt.com', 'localhost:1', 'chatgpt']) {
      expect(findLookAlike('ChatGPT', [host])).toBe('ChatGPT')
    }
    expect(findLookAlike('Codex', ['localhost.evil.example:1'])).toBe('Codex')
  })

  it('says nothing of a client without redirects', () => {
    expect(findLookAlike('ChatGPT', [])).toBeUndefined()
  })

  it('takes every client with a home of its own for itself, by every name', () => {
    const originals = profiles.filter(({ variantOf }) => variantOf === undefined)
    for (const { name, alsoCalled = [], redirects } of originals) {
      const { hosts, schemes = [], loopback } = redirects
      if (hosts.length + schemes.length === 0 && !loopback) continue
      for (const called of [name, ...alsoCalled]) {
        expect(findLookAlike(called, ['evil.example'])).toBe(name)
        expect(findLookAlike(called, [...hosts, ...schemes])).toBeUndefined()
        expect(findLookAlike(called, ['localhost:9']) === undefined).toBe(loopback)
      }
    }
  })
})

describe('a document of a known client', () => {
  it.each([
    ['Claude Code', 'claude.ai'],
    ['Codex', 'chatgpt.com'],
    ['Cursor', 'cursor.com'],
    ['Gemini CLI', 'anywhere.example'],
  ])('of %s may stand on %s (CM-15)', (name, host) => {
    expect(isHomeOf(name, host)).toBe(true)
  })

  it.each(['evil.example', 'claude.ai.evil.example', 'claude.ai:8443', 'chatgpt.com'])(
    'of Claude Code does not stand on %s (CM-15)',
    (host) => {
      expect(isHomeOf('Claude Code', host)).toBe(false)
    },
  )

  it("of ChatGPT stands where its profile's variant has one (CM-15)", () => {
    expect(isHomeOf('ChatGPT', 'chatgpt.com')).toBe(true)
    expect(isHomeOf('ChatGPT', 'evil.example')).toBe(false)
  })
})
