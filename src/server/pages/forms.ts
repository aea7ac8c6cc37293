/** The parts that the forms of several pages share. */
import { type Html, html } from '../../platform/html.ts'

/** Where a step of the browser's journey is posted, and what ties it to this browser (CN-05). */
export interface FlowForm {
  readonly action: string
  /** Id of the flow record. */
  readonly flow: string
  /** Anti-forgery token of this rendering. */
  readonly csrf: string
}

/** A labelled text input. */
export interface FieldView {
  readonly name: string
  readonly label: string
  readonly type: 'email' | 'password' | 'text'
  /** HTML autofill token, such as `current-password`. */
  readonly autocomplete: string
  readonly value?: string | undefined
  /** A sentence below the label. */
  readonly hint?: string
  readonly minLength?: number
  /** Whether the person should look at it again. */
  readonly invalid?: boolean
}

/** Hidden inputs, one for each member. */
export function renderHidden(values: Readonly<Record<string, string>>): Html[] {
  return Object.entries(values).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
}

/** A labelled input with its hint, both announced together. */
export function renderField(field: FieldView): Html {
  const hintId = `${field.name}-hint`
  const hint = field.hint !== undefined && html`<p class="hint" id="${hintId}">${field.hint}</p>`
  return html`<div class="field">
<label for="${field.name}">${field.label}</label>
<input id="${field.name}" name="${field.name}" type="${field.type}" autocomplete="${field.autocomplete}" autocapitalize="none" spellcheck="false" required maxlength="1024"${field.minLength !== undefined && html` minlength="${field.minLength}"`}${field.value !== undefined && html` value="${field.value}"`}${hint && html` aria-describedby="${hintId}"`}${field.invalid === true && html` aria-invalid="true"`}>
${hint}
</div>`
}

/** What went wrong with the last attempt, as a sentence; read out at once by screen readers. */
export function renderAlert(text: string | undefined): Html | undefined {
  if (text === undefined) return undefined
  return html`<p class="alert" role="alert">${text.replace(/\.?$/, '.')}</p>`
}

/**
 * The first submit button of a form is the one that Enter presses. This one closes the dialog around
 * the form, and there is none: Enter in a checkbox decides nothing, only a button that was chosen does.
 * (Chromium passes over a disabled button when Enter comes from a checkbox.)
 */
export const noDefaultButton = html`<button type="submit" formmethod="dialog" hidden></button>`
