/** The sign-in page: e-mail and password, identity providers, or both. */
import type { Answer } from '../../platform/exchange.ts'
import { type Html, html } from '../../platform/html.ts'
import { type FlowForm, renderAlert, renderField, renderHidden } from './forms.ts'
import { renderPage } from './layout.ts'

/** What the sign-in page shows. */
export interface SignInView {
  readonly siteName: string
  /** Whom the person is about to connect, from `toClientLabel`: never a bare unvouched name. */
  readonly clientName?: string
  /** Whether people can sign in with e-mail and password. */
  readonly local: boolean
  /** Identity providers, in the order of their buttons. */
  readonly upstreams: readonly { id: string; label: string }[]
  /** What the person typed last time, or is expected to sign in as. */
  readonly login?: string
  /** Why the last attempt failed. */
  readonly error?: string
  readonly form: FlowForm
}

function renderForm(view: SignInView, className: string, content: Html): Html {
  const { action, flow, csrf } = view.form
  return html`<form class="${className}" method="post" action="${action}">
${renderHidden({ flow, csrf })}
${content}
</form>`
}

function renderProviders(view: SignInView): Html | false {
  if (view.upstreams.length === 0) return false
  const isOnlyWay = view.upstreams.length === 1 && !view.local
  const className = isOnlyWay ? 'button primary' : 'button'
  return renderForm(
    view,
    'stack',
    html`${view.upstreams.map(
      ({ id, label }) =>
        html`<button class="${className}" type="submit" name="upstream" value="${id}">Continue with ${label}</button>`,
    )}`,
  )
}

/** There is no way to reset it here: that would need a mail server. */
const forgotten = html`<p class="hint">Forgotten your password? The owner of this server can give you a new one.</p>`

function renderLocal(view: SignInView): Html | false {
  if (!view.local) return false
  const invalid = view.error !== undefined
  const email = renderField({
    name: 'email',
    label: 'E-mail',
    type: 'email',
    autocomplete: 'username',
    value: view.login,
    invalid,
  })
  const password = renderField({
    name: 'password',
    label: 'Password',
    type: 'password',
    autocomplete: 'current-password',
    invalid,
  })
  return renderForm(
    view,
    'stack',
    html`${renderAlert(view.error)}${email}${password}${invalid && forgotten}<button class="button primary" type="submit">Sign in</button>`,
  )
}

/** Renders the sign-in page. Fields posted: `flow`, `csrf`, and `email` + `password`, `upstream`, or `decision=deny`. */
export function renderSignInPage(view: SignInView, status = 200): Answer {
  const both = view.local && view.upstreams.length > 0
  const body = html`<h1>Sign in to <bdi>${view.siteName}</bdi></h1>
${view.clientName !== undefined && html`<p class="lead">You are connecting <bdi>${view.clientName}</bdi>. It will not see your password.</p>`}
${!view.local && renderAlert(view.error)}
${renderProviders(view)}
${both && html`<p class="or"><span>or</span></p>`}
${renderLocal(view)}
${renderForm(view, 'aside', html`<button class="link" type="submit" name="decision" value="deny">Cancel</button>`)}`
  return renderPage(
    { title: 'Sign in', body, siteName: view.siteName, leavesSite: true },
    { status },
  )
}
