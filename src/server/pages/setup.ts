/** The set-up page: the first owner chooses an e-mail address and a password. */
import { shortestPassword } from '../../identity/local.ts'
import type { Answer } from '../../platform/exchange.ts'
import { html } from '../../platform/html.ts'
import { renderAlert, renderField, renderHidden } from './forms.ts'
import { renderPage } from './layout.ts'

/** What the set-up page shows. */
export interface SetupView {
  readonly siteName: string
  /** Why the last attempt failed. */
  readonly error?: string
  /** What the person typed last time. */
  readonly email?: string
  readonly form: {
    readonly action: string
    /** The one-time token of the set-up link. */
    readonly token: string
    readonly csrf: string
  }
}

/** Renders the set-up page. Fields posted: `token`, `csrf`, `email`, `password`. */
export function renderSetupPage(view: SetupView, status = 200): Answer {
  const { action, token, csrf } = view.form
  const invalid = view.error !== undefined
  const body = html`<h1>Set up your account</h1>
<p class="lead">You are the owner of <bdi>${view.siteName}</bdi>. Choose how you will sign in when an app asks to connect.</p>
${renderAlert(view.error)}
<form class="stack" method="post" action="${action}">
${renderHidden({ token, csrf })}
${renderField({ name: 'email', label: 'E-mail', type: 'email', autocomplete: 'username', value: view.email, invalid })}
${renderField({
  name: 'password',
  label: 'Password',
  type: 'password',
  autocomplete: 'new-password',
  hint: `At least ${shortestPassword} characters. A few words you can remember are good; one from a password manager is better.`,
  minLength: shortestPassword,
  invalid,
})}
<button class="button primary" type="submit">Create account</button>
</form>
<p class="fine">This page works once. Later accounts are added with <code>gatehouse users add</code>.</p>`
  return renderPage({ title: 'Set up', body, siteName: view.siteName }, { status })
}
