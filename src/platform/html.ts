/**
 * The escaping template tag that every page is written with, and every report.
 *
 * Whatever is interpolated is text: it is escaped for element content and for quoted attributes alike.
 * Only this file can make markup out of a string, and it makes it only out of templates in the source
 * and of a stylesheet (catalogue AZ-19, CN-11).
 */

const markup = Symbol('markup')

/** A piece of markup. Only {@link html} and {@link toStyleElement} make one. */
export interface Html {
  readonly [markup]: string
}

/** What a template may interpolate. `undefined` and `false` render as nothing. */
export type HtmlValue = string | number | Html | readonly HtmlValue[] | undefined | false

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
}

function isHtml(value: object): value is Html {
  return markup in value
}

function toMarkup(value: HtmlValue): string {
  if (value === undefined || value === false) return ''
  if (typeof value === 'string') return escape(value)
  if (typeof value === 'number') return String(value)
  if (isHtml(value)) return value[markup]
  return value.map(toMarkup).join('')
}

/**
 * Template tag for markup. Interpolate into element content or into attribute values in double quotes;
 * nowhere else is the escaping enough (tag names, unquoted values, `href` of unchecked addresses).
 */
export function html(template: TemplateStringsArray, ...values: HtmlValue[]): Html {
  const text = template.reduce(
    (before, part, index) => `${before}${toMarkup(values[index - 1])}${part}`,
  )
  return { [markup]: text }
}

/**
 * A `<style>` element, the one place where text goes out unescaped.
 *
 * @throws TypeError when the stylesheet contains `<`, with which it could end the element
 */
export function toStyleElement(css: string): Html {
  if (css.includes('<')) throw new TypeError('A stylesheet must not contain "<"')
  return { [markup]: `<style>${css}</style>` }
}

/** The finished text of a piece of markup. */
export function renderHtml(value: Html): string {
  return value[markup]
}
