/**
 * `gatehouse doctor --report FILE.html`: the report as one page for a colleague who was not there.
 *
 * It holds what servers answered, and servers may be hostile: everything goes through the escaping tag,
 * hidden characters are written out, long bodies are cut, there is no script, and the policy of the page
 * allows none and fetches nothing.
 */
import { sha256 } from '../platform/crypto.ts'
import { type Html, html, renderHtml, toStyleElement } from '../platform/html.ts'
import { documentsShownWords } from './report.ts'
import { renderFinding, type ShownFinding } from './report-html/findings.ts'
import type { HtmlReport } from './report-html/html-report.ts'
import { renderLoginSteps } from './report-html/login-steps.ts'
import { stylesheet } from './report-html/stylesheet.ts'
import { count, show, showTime } from './report-html/text.ts'
import { renderVerdicts } from './report-html/verdicts.ts'

const styleHash = `${sha256(stylesheet).replaceAll('-', '+').replaceAll('_', '/')}=`
const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`
const styleElement = toStyleElement(stylesheet)

/** The whole page as text. */
export function renderHtmlReport(report: HtmlReport): string {
  const title = `${show(report.url)} · Gatehouse doctor`
  return renderHtml(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${title}</title>
${styleElement}
</head>
<body>
<div class="page">
${renderHead(report)}
<main>
${renderVerdicts(report)}
${report.findings.length > 0 && renderFindings(report)}
${report.login && renderLoginSteps(report.login)}
${report.facts && renderFacts(report.facts)}
${renderLeftBehind(report)}
</main>
<footer>Written by gatehouse doctor ${show(report.version)}. Secrets are masked. Nothing on this page is fetched from elsewhere.</footer>
</div>
</body>
</html>
`)
}

function renderHead({ url, visitedAt, requests, verdicts, findings }: HtmlReport): Html {
  const sent = requests === undefined ? '' : ` · ${count(requests, 'request')} sent`
  return html`<header>
<p class="kind">Gatehouse doctor</p>
<h1><bdi>${show(url)}</bdi></h1>
<p class="when">${showTime(visitedAt)} UTC${sent}</p>
<p class="sum">${summarize(verdicts, findings)}</p>
</header>`
}

/** The answer to the first question of everyone who opens the page. */
function summarize(verdicts: HtmlReport['verdicts'], findings: readonly ShownFinding[]): string {
  const faults = findings.filter(({ severity }) => severity === 'fault').length
  const risks = findings.filter(({ severity }) => severity === 'risk').length
  const what = [
    ...(faults > 0 ? [count(faults, 'fault')] : []),
    ...(risks > 0 ? [count(risks, 'risk')] : []),
  ].join(' and ')
  const found = what === '' ? 'Nothing is wrong.' : `${what} found.`
  if (verdicts.length === 0) return found
  const stumbling = verdicts.filter(({ outcome }) => outcome === 'stumbles').length
  const clients = count(verdicts.length, 'client')
  if (stumbling === 0) return `None of ${clients} is kept from connecting. ${found}`
  return `${stumbling} of ${clients} cannot connect. ${found}`
}

function renderFindings({ findings }: HtmlReport): Html {
  return html`<section aria-labelledby="findings">
<h2 id="findings">Findings</h2>
${findings.map((finding, index) => renderFinding(finding, index + 1))}
</section>`
}

function renderFacts(facts: NonNullable<HtmlReport['facts']>): Html {
  return html`<section aria-labelledby="facts">
<h2 id="facts">What was looked at</h2>
<table class="facts"><tbody>
${facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td><bdi>${show(value)}</bdi></td></tr>`)}
</tbody></table>
</section>`
}

function renderLeftBehind({ leftBehind = [], documentsShown = [] }: HtmlReport): Html | false {
  if (leftBehind.length + documentsShown.length === 0) return false
  const items = leftBehind.map(
    ({ client, clientId = 'a client whose id could not be read' }) =>
      html`<li><code><bdi>${show(clientId)}</bdi></code> (as ${show(client)})</li>`,
  )
  return html`<section aria-labelledby="left">
<h2 id="left">Left behind</h2>
${
  items.length > 0 &&
  html`<p>These registrations could not be removed again, because the server offers no way to (RFC 7592). They hold no token and give nobody access.</p>
<ul>${items}</ul>`
}
${
  documentsShown.length > 0 &&
  html`<p>${show(documentsShown.map(({ client }) => client).join(', '))}: ${documentsShownWords}</p>`
}
</section>`
}
