/**
 * The document around every page, and the response headers that protect it.
 *
 * No script, no foreign resource, one stylesheet allowed by its hash (catalogue CN-09, CN-10, CN-11,
 * CN-18, AZ-27). A page that a stranger can frame, cache or script does not leave from here.
 */
import { sha256 } from '../../platform/crypto.ts'
import type { Answer } from '../../platform/exchange.ts'
import { type Html, html, renderHtml, toStyleElement } from '../../platform/html.ts'
import { stylesheet } from './stylesheet.ts'

/** What a page shows, and where its forms may end up. */
export interface PageView {
  /** Of the document; the site's name is added. */
  title: string
  /** Inside `<main>`: begins with the page's `<h1>` or a figure above it. */
  body: Html
  siteName: string
  /**
   * Whether the journey goes on to another site from here: the answer to a form redirects to the
   * identity provider or the client, or a link does. Default false.
   *
   * Chromium enforces `form-action` over the whole redirect chain, so the directive is left out then
   * (CN-10); and a client that opened us in a pop-up needs its opener again when it is sent back.
   */
  leavesSite?: boolean
}

/** CSP wants ordinary base64 with padding; 32 bytes need exactly one `=`. */
const styleHash = `${sha256(stylesheet).replaceAll('-', '+').replaceAll('_', '/')}=`

const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${styleHash}'`,
  "img-src 'self' data:",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const fixedHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'x-robots-tag': 'noindex',
}

const stayingHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': `${contentSecurityPolicy}; form-action 'self'`,
  'cross-origin-opener-policy': 'same-origin',
}

const leavingHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': contentSecurityPolicy,
}

const styleElement = toStyleElement(stylesheet)

/** The gate: two posts, an arch, an open way through. Drawn in the text's colour. */
const mark = html`<svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false"><path fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" d="M3 21h18M5 21V9.5a7 7 0 0 1 14 0V21M9.5 21v-9a2.5 2.5 0 0 1 5 0v9"/></svg>`

/** The same mark as an icon; an icon of the page's own spares the browser a request for one. */
const icon =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 32 32%22%3E%3Crect width=%2232%22 height=%2232%22 rx=%227%22 fill=%22%230d6a5f%22/%3E%3Cg transform=%22translate(4 4)%22 fill=%22none%22 stroke=%22%23fff%22 stroke-width=%222%22 stroke-linecap=%22round%22 stroke-linejoin=%22round%22%3E%3Cpath d=%22M3 21h18M5 21V9.5a7 7 0 0 1 14 0V21M9.5 21v-9a2.5 2.5 0 0 1 5 0v9%22/%3E%3C/g%3E%3C/svg%3E'

function toDocument(view: PageView): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${view.title} · ${view.siteName}</title>
<link rel="icon" href="${icon}">
${styleElement}
</head>
<body>
<div class="page">
<header class="site">${mark}<span class="site-name"><bdi>${view.siteName}</bdi></span></header>
<main>
${view.body}
</main>
<footer class="colophon">Protected by Gatehouse</footer>
</div>
</body>
</html>
`
}

/** Renders a whole page. Headers given are added; those of the layout cannot be weakened by them. */
export function renderPage(
  view: PageView,
  init: { status?: number; headers?: Record<string, string> } = {},
): Answer {
  const protection = view.leavesSite ? leavingHeaders : stayingHeaders
  const headers = { ...init.headers, ...fixedHeaders, ...protection }
  return { status: init.status ?? 200, headers, body: renderHtml(toDocument(view)) }
}
