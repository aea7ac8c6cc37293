/** One finding: what was seen, who stumbles over it, why, what to change, and the requests that show it. */
import { type Html, html } from '../../platform/html.ts'
import type { Finding, Severity } from '../finding.ts'
import { renderObservation } from './observations.ts'
import { show } from './text.ts'

/** A finding, with the clients that stumble over it where that was found out. */
export interface ShownFinding extends Finding {
  readonly clients?: readonly { readonly name: string; readonly words?: string }[]
}

const severities: Readonly<Record<Severity, string>> = {
  fault: 'Fault',
  risk: 'Risk',
  note: 'Note',
}

/** More requests than these show nothing new. */
const evidenceShown = 6

/** A finding as an article, `#finding-<number>`. */
export function renderFinding(finding: ShownFinding, number: number): Html {
  const { id, severity, title, seen, why, fix, gatehouse, clients = [] } = finding
  return html`<article class="finding ${severity}" id="finding-${number}">
<h3><span class="badge">${severities[severity]}</span> ${number}. ${show(title)}</h3>
<dl>
<dt>Seen</dt><dd>${show(seen)}</dd>
${clients.length > 0 && html`<dt>${severity === 'fault' ? 'Who stumbles' : 'Whom it concerns'}</dt><dd>${renderClients(clients)}</dd>`}
<dt>Why it matters</dt><dd>${show(why)}</dd>
<dt>What to change</dt><dd class="fix">${show(fix)}</dd>
${gatehouse !== undefined && html`<dt>In Gatehouse</dt><dd><code>${show(gatehouse)}</code></dd>`}
</dl>
${finding.evidence.slice(0, evidenceShown).map(renderObservation)}
<p class="id">${show(id)}</p>
</article>
`
}

/** Those whose users see the same words, together. */
function renderClients(clients: NonNullable<ShownFinding['clients']>): Html {
  const byWords = Map.groupBy(clients, ({ words }) => words)
  const items = [...byWords].map(([words, same]) => {
    const names = same.map(({ name }) => show(name)).join(', ')
    const said = words !== undefined && html`: “<bdi>${show(words)}</bdi>”`
    return html`<li>${names}${said}</li>`
  })
  return html`<ul>${items}</ul>`
}
