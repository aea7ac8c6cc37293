/** A page that tells one thing: "you are set up", "you are signed out". */
import type { Answer } from '../../platform/exchange.ts'
import { html } from '../../platform/html.ts'
import { renderPage } from './layout.ts'
import { type LinkView, renderLink } from './link.ts'

/** What a notice shows. */
export interface NoticeView {
  readonly siteName: string
  readonly title: string
  readonly paragraphs: readonly string[]
  readonly link?: LinkView
}

/** Renders a notice. */
export function renderNoticePage(view: NoticeView, status = 200): Answer {
  const body = html`<h1>${view.title}</h1>
${view.paragraphs.map((text) => html`<p>${text}</p>`)}
${view.link && renderLink(view.link)}`
  return renderPage({ title: view.title, body, siteName: view.siteName }, { status })
}
