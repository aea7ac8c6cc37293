/** One request and its answer, folded away until somebody wants to see. */
import { type Html, html } from '../../platform/html.ts'
import type { Observation } from '../observation.ts'
import { show, showLines } from './text.ts'

/** Longest body that is shown, in characters, and longest value of a header field. */
const bodyShown = 4000
const fieldShown = 1000
const fieldsShown = 60

/** A request and what came of it. */
export function renderObservation({ request, response, failure, milliseconds }: Observation): Html {
  const outcome = response === undefined ? 'no answer' : String(response.status)
  return html`<details>
<summary><code>${show(request.method)} <bdi>${show(request.url)}</bdi></code> <span class="status">${outcome}, ${Math.round(milliseconds)} ms</span></summary>
<pre>${show(request.method)} <bdi>${show(request.url)}</bdi>
${renderFields(request.headers)}${renderBody(request.body)}</pre>
${
  response &&
  html`<pre>HTTP ${response.status}
${renderFields(response.headers)}${renderBody(response.body, response.json)}</pre>`
}
${failure && html`<p>No answer: ${show(failure.detail)} (${failure.kind}).</p>`}
</details>
`
}

function renderFields(headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(
    ([name, value]) => `${show(name)}: ${show(value.slice(0, fieldShown))}\n`,
  )
  const rest = lines.length - fieldsShown
  return lines.slice(0, fieldsShown).join('') + (rest > 0 ? `… ${rest} more fields\n` : '')
}

/** JSON is laid out, so that one can read it. */
function renderBody(body: string | undefined, json?: unknown): string {
  if (body === undefined || body === '') return ''
  const isObject = typeof json === 'object' && json !== null
  const text = isObject ? JSON.stringify(json, undefined, 2) : body
  return `\n${showLines(text, bodyShown)}`
}
