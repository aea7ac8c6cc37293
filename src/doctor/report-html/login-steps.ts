/** The login, step by step. */
import { type Html, html } from '../../platform/html.ts'
import { explainIdentity } from '../login/identity.ts'
import { type LoginVisit, listLoginSteps } from '../login/login-visit.ts'
import { renderObservation } from './observations.ts'
import { show } from './text.ts'

/** Every request of a login, folded, under the name of its step. */
export function renderLoginSteps(visit: LoginVisit): Html {
  const { plan, callback, ended, use } = visit
  const steps = listLoginSteps(visit).map(
    ({ name, observation }) => html`<h3>${name}</h3>
${renderObservation(observation)}`,
  )
  const came = callback
    ? html`<p>The browser came back to <code><bdi>${show(callback.url)}</bdi></code>.</p>`
    : ended !== undefined &&
      html`<p>The browser did not come back: ${ended === 'timed-out' ? 'the time was up' : 'the login was interrupted'}.</p>`
  const tools = use?.toolCount
  return html`<section aria-labelledby="login">
<h2 id="login">Login as ${show(plan.client.name)}</h2>
<p>${show(explainIdentity(plan))}</p>
${visit.authorizationUrl !== undefined && html`<p>The person was sent to <code><bdi>${show(visit.authorizationUrl)}</bdi></code>.</p>`}
${came}
${tools !== undefined && html`<p>The token lists ${tools} ${tools === 1 ? 'tool' : 'tools'}.</p>`}
${steps}
</section>`
}
