import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { html, renderHtml, toStyleElement } from '../../src/platform/html.ts'

/** Text biased towards what breaks markup. */
const hostileText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('<', '>', '"', "'", '&', '/', '=', '`', ' ', 'x', '\n', '\0'),
  }),
  fc.constantFrom('</title><script>', '" onload="x', "' onload='x", '<!--', ']]>', '&lt;', '{{x}}'),
)

/** What a parser makes of escaped text. */
function unescape(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

describe('html', () => {
  it('lets no interpolated text become a tag or end an attribute (AZ-19, CN-11)', () => {
    fc.assert(
      fc.property(hostileText, hostileText, (attribute, content) => {
        const text = renderHtml(html`<p title="${attribute}">${content}</p>`)
        const [, inAttribute = '', inContent = ''] =
          /^<p title="([^"]*)">([^<]*)<\/p>$/.exec(text) ?? []
        for (const escaped of [inAttribute, inContent]) expect(escaped).not.toMatch(/[<>"']/)
        expect(unescape(inAttribute)).toBe(attribute)
        expect(unescape(inContent)).toBe(content)
      }),
      { numRuns: 2000 },
    )
  })

  it('escapes once, however deeply text is nested', () => {
    fc.assert(
      fc.property(fc.array(hostileText, { maxLength: 5 }), (texts) => {
        const items = texts.map((text) => html`<li>${text}</li>`)
        const nested = renderHtml(html`<ul>${items}</ul>`)
        const expected = texts.map((text) => renderHtml(html`<li>${text}</li>`)).join('')
        expect(nested).toBe(`<ul>${expected}</ul>`)
      }),
    )
  })

  it('renders undefined, false and empty lists as nothing, and zero as zero', () => {
    expect(renderHtml(html`<p>${undefined}${false}${[]}${0}</p>`)).toBe('<p>0</p>')
  })

  it('takes no object from outside for markup, however it looks', () => {
    const forged = JSON.parse('{"markup":"<script>","Symbol(markup)":"<script>"}')
    expect(() => renderHtml(html`<p>${forged}</p>`)).toThrow(TypeError)
  })

  it('refuses a stylesheet that could end its element', () => {
    expect(() => toStyleElement('a{content:"</style><script>"}')).toThrow(TypeError)
  })
})
