/**
 * The consent page: who asks, where the code will go, what for, and as whom (catalogue §6, CN-12).
 *
 * Three stages of one page. `approve`: nobody is signed in; the person looks before the identity
 * provider is contacted (CN-01). `consent`: the same with a session. `confirm`: after the sign-in, once
 * more and shorter, naming the account. It works without script and decides nothing by itself.
 */
import type { Answer } from '../../platform/exchange.ts'
import { type Html, html } from '../../platform/html.ts'
import {
  type ClientView,
  type RedirectView,
  renderClient,
  toClientLabel,
  toDestination,
} from './client-label.ts'
import { renderWarnings } from './consent-warnings.ts'
import { type FlowForm, noDefaultButton, renderHidden } from './forms.ts'
import { renderPage } from './layout.ts'

/** One permission and the sentence that explains it. */
export interface ScopeView {
  readonly name: string
  readonly description: string
  readonly checked: boolean
  /** Whether the client comes back for it, having been allowed other things before. */
  readonly isNew?: boolean
  /** The sentences of the narrower permissions that it includes, whether or not they have a tick of their own. */
  readonly includes?: readonly string[]
}

/** What the consent page shows. */
export interface ConsentView {
  readonly stage: 'approve' | 'consent' | 'confirm'
  readonly siteName: string
  readonly client: ClientView
  readonly redirect: RedirectView
  /** At `confirm`: those the person left ticked. */
  readonly scopes: readonly ScopeView[]
  /** Whether it gets a refresh token. */
  readonly staysConnected: boolean
  /** Who is signed in; undefined at `approve` and without sign-in. */
  readonly user: { readonly login: string; readonly name?: string } | undefined
  /** No-sign-in mode: this page is the whole ceremony. */
  readonly oneClick: boolean
  /** Whether the choice may be remembered; never for loopback and private-use redirects (CN-21). */
  readonly canRemember: boolean
  readonly form: FlowForm
}

/** The first letter or digit of a name. Never a symbol: a name of "✔" must not draw a seal. */
function toInitial(text: string): string {
  return /[\p{L}\p{N}]/u.exec(text)?.[0].toUpperCase() ?? '?'
}

function renderPair({ client, siteName }: ConsentView): Html {
  const unnamed = client.name === undefined || client.lookAlike !== undefined
  return html`<div class="pair" aria-hidden="true"><span class="tile">${unnamed ? '?' : toInitial(client.name ?? '')}</span><span class="dots"></span><span class="tile own">${toInitial(siteName)}</span></div>`
}

/** Beyond this many characters a heading is set smaller, so that a long name does not fill the screen. */
const longHeading = 64

function renderHeading(view: ConsentView): Html {
  const client = renderClient(view.client, view.redirect)
  const site = html`<bdi>${view.siteName}</bdi>`
  const length = toClientLabel(view.client, view.redirect).length + view.siteName.length
  const size = length > longHeading && html` class="long"`
  if (view.stage === 'confirm') return html`<h1${size}>Let ${client} use ${site}?</h1>`
  return html`<h1${size}>Connect ${client} to ${site}?</h1>`
}

function renderStanding({ client }: ConsentView): Html | undefined {
  if (client.vouched) return undefined
  if (client.publishedAt !== undefined) {
    return html`<p class="standing">Published by <b><bdi>${client.publishedAt}</bdi></b>; nobody here has verified it.</p>`
  }
  if (client.name === undefined) return html`<p class="standing">This app is not verified.</p>`
  return html`<p class="standing">This app chose its name itself; it is not verified.</p>`
}

function renderAccount({ user }: ConsentView): Html | undefined {
  if (user === undefined) return undefined
  const named = user.name !== undefined && user.name !== user.login
  return html`<div class="account">
<span class="tile small" aria-hidden="true">${toInitial(user.name ?? user.login)}</span>
<p><span class="muted">Signed in as${named && html` <bdi>${user.name}</bdi>`}</span><br><b><bdi>${user.login}</bdi></b></p>
<button class="link" type="submit" name="decision" value="switch">Use another account</button>
</div>`
}

function renderDestination({ redirect }: ConsentView): Html {
  const className = redirect.kind === 'https' ? 'host' : 'host sentence'
  return html`<section class="block" aria-labelledby="where">
<h2 id="where">Where access goes</h2>
<p class="${className}"><bdi>${toDestination(redirect)}</bdi>${redirect.owner !== undefined && html` <span class="badge">${redirect.owner}’s own site</span>`}</p>
<p class="code uri"><bdi>${redirect.uri}</bdi></p>
</section>`
}

function renderScope(scope: ScopeView, index: number): Html {
  const id = `scope-${index}`
  return html`<li><label class="check" for="${id}">
<input id="${id}" type="checkbox" name="scope" value="${scope.name}"${scope.checked && html` checked`}>
<span>${scope.description}${renderNew(scope)} <span class="code muted">${scope.name}</span>${renderIncluded(scope)}</span>
</label></li>`
}

/** What a second consent is about: the rest was allowed before (MCP authorization, Step-Up). */
function renderNew({ isNew }: ScopeView): Html | false {
  return isNew === true && html` <strong class="new">new</strong>`
}

/** Without this, whoever unticks the narrower permission would believe it was not given. */
function renderIncluded({ includes = [] }: ScopeView): Html | false {
  return includes.length > 0 && html`<span class="included">Includes: ${includes.join('; ')}</span>`
}

function renderScopes(view: ConsentView): Html {
  const lasting = view.staysConnected
    ? 'It stays connected while you are away, until you disconnect it.'
    : 'The access ends by itself; then it has to ask you again.'
  const note = html`<p class="hint">${lasting}</p>`
  if (view.stage === 'confirm') {
    const approved = view.scopes.filter((scope) => scope.checked)
    return html`<section class="block" aria-labelledby="what">
<h2 id="what">It will be able to</h2>
<ul class="granted">${approved.map((scope) => html`<li>${scope.description}${renderNew(scope)}${renderIncluded(scope)}</li>`)}</ul>
${note}
</section>`
  }
  return html`<fieldset class="block">
<legend>What it may do</legend>
<ul class="checks">${view.scopes.map(renderScope)}</ul>
${note}
</fieldset>`
}

function renderDecision(view: ConsentView): Html {
  const leadsToSignIn = view.stage === 'approve' && !view.oneClick
  return html`${
    view.canRemember &&
    view.stage !== 'approve' &&
    html`<label class="check remember" for="remember">
<input id="remember" type="checkbox" name="remember" value="yes">
<span>Remember this choice <span class="hint">The same app, asking for the same, need not ask you again.</span></span>
</label>`
  }
${view.oneClick && html`<p class="hint">No sign-in is set up here: everyone who uses this computer may do this.</p>`}
<div class="actions">
<button class="button" type="submit" name="decision" value="deny">Deny</button>
<button class="button primary" type="submit" name="decision" value="allow">${leadsToSignIn ? 'Continue' : 'Allow'}</button>
</div>
${leadsToSignIn && html`<p class="hint centred">You sign in next. Nothing is shared before that.</p>`}`
}

function renderDetails({ client }: ConsentView): Html {
  return html`<details class="more">
<summary>About this app</summary>
<dl>
<dt>Name it gives</dt><dd><bdi>${client.name ?? 'None'}</bdi></dd>
<dt>Verified by the owner</dt><dd>${client.vouched ? 'Yes' : 'No'}</dd>
${client.publishedAt !== undefined && html`<dt>Published by</dt><dd><bdi>${client.publishedAt}</bdi></dd>`}
${client.uri !== undefined && html`<dt>Website it gives</dt><dd class="code"><bdi>${client.uri}</bdi></dd>`}
<dt>Client ID</dt><dd class="code"><bdi>${client.id}</bdi></dd>
</dl>
</details>`
}

/**
 * Renders the consent page. Fields posted: `flow`, `csrf`, `decision` (`allow`, `deny` or `switch`),
 * one `scope` for each tick (none at `confirm`), and `remember=yes`.
 */
export function renderConsentPage(view: ConsentView): Answer {
  const { action, flow, csrf } = view.form
  const body = html`${renderPair(view)}
${renderHeading(view)}
${renderStanding(view)}
${renderWarnings(view)}
<form method="post" action="${action}">
${noDefaultButton}
${renderHidden({ flow, csrf })}
${view.stage === 'confirm' && renderAccount(view)}
${renderDestination(view)}
${renderScopes(view)}
${view.stage !== 'confirm' && renderAccount(view)}
${renderDecision(view)}
</form>
${view.stage !== 'confirm' && renderDetails(view)}`
  const title = view.stage === 'confirm' ? 'Confirm access' : 'Connect an app'
  return renderPage({ title, body, siteName: view.siteName, leavesSite: true })
}
