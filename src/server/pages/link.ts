/** The one prominent link of a notice or an error page. */
import { type Html, html } from '../../platform/html.ts'

/** A way on. */
export interface LinkView {
  /** A path of ours, or an absolute address with any scheme that cannot run script. */
  readonly href: string
  readonly text: string
  /** Whether it is what most people will want to do next. */
  readonly primary?: boolean
}

/** Schemes whose addresses run or show content in a page's own name. */
const refusedSchemes: ReadonlySet<string> = new Set([
  'about:',
  'blob:',
  'data:',
  'file:',
  'filesystem:',
  'javascript:',
  'vbscript:',
  'view-source:',
])

/** Whether an address may stand in `href`: escaping does not make `javascript:` harmless (RD-10). */
export function isSafeHref(href: string): boolean {
  const url = URL.parse(href, 'https://relative.invalid')
  return url !== null && !refusedSchemes.has(url.protocol)
}

/** The link as a button, or nothing when its address is not safe. */
export function renderLink(link: LinkView): Html | undefined {
  if (!isSafeHref(link.href)) return undefined
  const className = link.primary === true ? 'button primary' : 'button'
  return html`<p class="onward"><a class="${className}" href="${link.href}" rel="noreferrer"><bdi>${link.text}</bdi></a></p>`
}
