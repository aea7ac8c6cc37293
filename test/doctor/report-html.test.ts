/** The report as a page: it tells everything, and nothing that a server answered is more than text in it. */
import { describe, expect, it } from 'vitest'
import { renderHtmlReport } from '../../src/doctor/report-html.ts'
import { sha256 } from '../../src/platform/crypto.ts'
import { hostile, ordinary } from './report-fixture.ts'

describe('the report as a page', () => {
  const page = renderHtmlReport(ordinary)

  it('says who connects, who does not, and what their users see', () => {
    expect(page).toContain('1 of 3 clients cannot connect. 1 fault and 1 risk found.')
    expect(page).toContain('“<bdi>Something went wrong. MCP server does not implement OAuth</bdi>”')
    expect(page).toContain('<a href="#finding-1">finding 1</a>')
    expect(page).toContain('somebody has to type a client id into it')
    expect(page).toContain('Claude, Claude Code')
  })

  it('says of each finding what was seen, why, and what to change, with request and answer', () => {
    const { title, seen, why, fix } = ordinary.findings[1] ?? {}
    for (const text of [title, seen, why, fix]) expect(page).toContain(text)
    expect(page).toContain('<dt>In Gatehouse</dt><dd><code>publicUrl</code></dd>')
    expect(page).toMatch(/<pre>HTTP 200\ncontent-type: text\/html\n/)
    expect(page).toContain('&lt;title&gt;Notes&lt;/title&gt;')
  })

  it('says when, where, and by which version, and what was left behind', () => {
    expect(page).toContain('2026-11-21 08:33 UTC · 23 requests sent')
    expect(page).toContain('gatehouse doctor 0.1.0')
    expect(page).toContain('a1b2c3d4')
    expect(page).toContain('Zed: the visit registered nothing')
  })

  it('is one file that loads nothing and lets nothing run', () => {
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? []
    const hash = Buffer.from(sha256(style), 'base64url').toString('base64')
    const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
    expect(page).toContain(policy.replaceAll("'", '&#39;'))
    expect(page).not.toMatch(/<script|\ssrc=|url\(|@import|<link|\sstyle=/)
  })
})

describe('the report on a hostile server', () => {
  const page = renderHtmlReport(hostile)

  it('has no element and no attribute but its own (CN-11)', () => {
    expect(page).not.toMatch(/<script|<img|<svg|<[^>]*\son\w+=/i)
    const tags = new Set([...page.matchAll(/<\/?([a-z][a-z0-9]*)/g)].map(([, name]) => name))
    expect(
      [...tags].filter((tag) => /script|img|svg|iframe|object|embed|form/.test(tag ?? '')),
    ).toEqual([])
  })

  it('writes out what would hide or turn a text around', () => {
    expect(page).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b\u0000\u001b]/)
    expect(page).toContain('\\u202egnp.exe')
  })

  it('cuts long bodies and fields', () => {
    expect(page.length).toBeLessThan(80_000)
    expect(page).toMatch(/… \d+ more characters/)
  })
})
