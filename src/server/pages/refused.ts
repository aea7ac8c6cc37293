/** The page for somebody who signed in and may not enter: as whom, whom to ask, and the ways on. */
import type { Answer } from '../../platform/exchange.ts'
import { html } from '../../platform/html.ts'
import { renderPage } from './layout.ts'
import { type LinkView, renderLink } from './link.ts'

/** What the page shows. */
export interface RefusedView {
  readonly siteName: string
  readonly title: string
  /** Which account was used, and where. */
  readonly account: string
  readonly message: string
  readonly hint?: string
  /** Whom to ask: a name, an e-mail address or a page. */
  readonly contact?: string
  /** Leads to the sign-in once more. */
  readonly retry: LinkView
  /** Leads back to the app, which is told. Absent when it may not be told. */
  readonly back?: LinkView
  readonly requestId: string
}

/** Renders the page. */
export function renderRefusedPage(view: RefusedView): Answer {
  const { title, siteName, contact } = view
  const body = html`<h1>${title}</h1>
<p>${view.message}</p>
<p><bdi>${view.account}</bdi>.</p>
${view.hint !== undefined && html`<p>${view.hint}</p>`}
${renderLink(view.retry)}
${view.back && renderLink(view.back)}
<dl class="facts">
${contact !== undefined && html`<dt>Whom to ask</dt><dd><bdi>${contact}</bdi></dd>`}
<dt>Error</dt><dd class="code">access_denied</dd>
<dt>Reference</dt><dd class="code">${view.requestId}</dd>
</dl>`
  const leavesSite = view.back !== undefined
  return renderPage({ title, body, siteName, leavesSite }, { status: 403 })
}
