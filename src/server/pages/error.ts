/** The error page: what happened, what to do about it, and what to quote when asking for help. */
import type { Answer } from '../../platform/exchange.ts'
import { type Html, html } from '../../platform/html.ts'
import { renderPage } from './layout.ts'
import { type LinkView, renderLink } from './link.ts'

/** What the error page shows. */
export interface ErrorView {
  readonly siteName: string
  readonly status: number
  readonly title: string
  readonly message: string
  /** What the person can do. */
  readonly hint?: string
  /** What the maker of the app needs to know: our own words about the request. */
  readonly detail?: string
  /** OAuth error code. */
  readonly code: string
  readonly requestId: string
  /** A way on: for an unvouched client's error, back to the client, its host named in the text (P2). */
  readonly link?: LinkView
}

function renderFacts({ detail, code, requestId }: ErrorView): Html {
  return html`<dl class="facts">
${detail !== undefined && html`<dt>Details</dt><dd>${detail}</dd>`}
<dt>Error</dt><dd class="code">${code}</dd>
<dt>Reference</dt><dd class="code">${requestId}</dd>
</dl>`
}

/** Renders the error page; `headers` adds to the layout's, such as `Retry-After`. */
export function renderErrorPage(view: ErrorView, headers: Record<string, string> = {}): Answer {
  const body = html`<h1>${view.title}</h1>
<p>${view.message}</p>
${view.hint !== undefined && html`<p>${view.hint}</p>`}
${view.link && renderLink(view.link)}
${renderFacts(view)}`
  return renderPage(
    { title: view.title, body, siteName: view.siteName, leavesSite: view.link !== undefined },
    { status: view.status, headers },
  )
}
