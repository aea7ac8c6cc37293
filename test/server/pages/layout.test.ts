import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { html } from '../../../src/platform/html.ts'
import { toResponse } from '../../../src/platform/web-exchange.ts'
import { renderPage } from '../../../src/server/pages/layout.ts'
import { samples } from './samples.ts'

const view = { title: 'A page', body: html`<h1>A page</h1>`, siteName: 'Field Notes' }

/** The hash of the stylesheet as it stands in the document. */
async function hashStyle(response: Response): Promise<string> {
  const [, css = ''] = /<style>([^<]*)<\/style>/.exec(await response.text()) ?? []
  return createHash('sha256').update(css).digest('base64')
}

describe('renderPage', () => {
  it('allows nothing but its own stylesheet and forms (CN-09, CN-11, CN-18, AZ-27)', async () => {
    const response = toResponse(renderPage(view))
    const headers = Object.fromEntries(response.headers)
    expect(headers).toEqual({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${await hashStyle(response)}'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'`,
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
      'x-robots-tag': 'noindex',
    })
  })

  it('omits form-action where the journey leaves the site, and nothing else of the policy (CN-10)', () => {
    const staying = renderPage(view).headers['content-security-policy']
    const leaving = renderPage({ ...view, leavesSite: true }).headers['content-security-policy']
    expect(staying).toBe(`${leaving}; form-action 'self'`)
  })

  it('adds headers but lets none weaken the protection', () => {
    const init = { status: 503, headers: { 'retry-after': '2', 'x-frame-options': 'ALLOWALL' } }
    const response = toResponse(renderPage(view, init))
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('2')
    expect(response.headers.get('x-frame-options')).toBe('DENY')
  })

  it('says its language and title, and has exactly one heading of the first rank', async () => {
    for (const render of Object.values(samples)) {
      const text = await render().text()
      expect(text).toMatch(/^<!doctype html>\n<html lang="en">/)
      expect(text).toMatch(/<title>[^<]+ · [^<]+<\/title>/)
      expect(text.match(/<h1/g)).toHaveLength(1)
    }
  })

  it('has no script, no inline style and no foreign resource on any page (CN-11, AZ-27)', async () => {
    for (const render of Object.values(samples)) {
      const text = await render().text()
      const withoutValues = text.replace(/"[^"]*"/g, '""')
      expect(withoutValues).not.toMatch(/<script|<iframe|<img|<[^>]+ (?:style|src|on\w+)=/i)
      expect(text.match(/<link[^>]*>/g)).toEqual([expect.stringMatching(/ href="data:image\/svg/)])
    }
  })
})
