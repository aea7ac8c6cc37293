/** The table of clients: who connects, who does not, and what their users see. */
import { type Html, html } from '../../platform/html.ts'
import type { Step } from '../../profiles/profile.ts'
import type { HtmlReport, ShownVerdict } from './html-report.ts'
import { show } from './text.ts'

const outcomes: Readonly<Record<ShownVerdict['outcome'], string>> = {
  connects: '✔ connects',
  stumbles: '✘ cannot connect',
  unknown: '? unknown',
}

/** What a client is doing at a step. */
const steps: Readonly<Record<Step, string>> = {
  reach: 'reaching the server',
  discover: 'looking for the sign-in',
  register: 'registering',
  authorize: 'opening the sign-in page',
  token: 'fetching a token',
  use: 'using its token',
  refresh: 'renewing its token',
}

/** The verdicts; nothing where no client was played. */
export function renderVerdicts({ verdicts, findings }: HtmlReport): Html | false {
  if (verdicts.length === 0) return false
  const numbers = new Map(findings.map(({ id }, index) => [id, index + 1]))
  return html`<section aria-labelledby="clients">
<h2 id="clients">Clients</h2>
<div class="wide"><table><thead><tr><th scope="col">Client</th><th scope="col">Verdict</th><th scope="col">Where it stops</th><th scope="col">What its user sees</th></tr></thead>
<tbody>
${verdicts.map((verdict) => renderVerdict(verdict, numbers))}
</tbody></table></div>
<p class="hint">A client connects when it came to the page where a person signs in.</p>
</section>`
}

function renderVerdict(verdict: ShownVerdict, numbers: ReadonlyMap<string, number>): Html {
  const { client, outcome, step, finding, words, reason } = verdict
  const number = finding === undefined ? undefined : numbers.get(finding)
  const where = step === undefined ? (reason ?? '') : steps[step]
  const link = number !== undefined && html` (<a href="#finding-${number}">finding ${number}</a>)`
  return html`<tr><th scope="row">${show(client.name)}</th><td class="${outcome}">${outcomes[outcome]}</td><td>${show(where)}${link}</td><td>${words !== undefined && html`“<bdi>${show(words)}</bdi>”`}</td></tr>
`
}
