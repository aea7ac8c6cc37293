/**
 * Every refusal a person may meet, in plain words: what happened and what to do.
 *
 * Keyed first by the reason of the `OAuthError`, then by its code. Nothing here repeats what a stranger
 * sent, but for the identifiers that our own descriptions quote (catalogue AZ-19).
 */

/** The words of one error page. */
export interface ErrorText {
  readonly title: string
  readonly message: string
  readonly hint?: string
  /** What the maker of the app needs to know, in the protocol's words. */
  readonly detail?: string
}

const startAgain = 'Go back to the app and connect again.'
const forTheMakers = 'This is for the makers of the app to mend.'
const nobodyGotIn = 'Nobody has got any access.'

const clientTexts: Readonly<Record<string, ErrorText>> = {
  unknown_client: {
    title: 'Client Not Registered',
    message: 'This server does not know the app that sent you here, or no longer does.',
    hint: 'In the app, remove this connection and add it again; the app then registers anew. If the app was set up by hand, ask the owner of this server for its client ID.',
    detail: 'Unregistered client_id',
  },
  document_unreadable: {
    title: 'This app could not be verified',
    message:
      'The app says who it is on a web page of its makers, and this server could not read that page just now, so nothing was sent anywhere.',
    hint: 'Wait a minute and connect again. If it happens again, the makers of the app must mend that page; the log of this server says what it found.',
  },
  document_invalid: {
    title: 'This app could not be verified',
    message:
      'The app says who it is on a web page of its makers, and what stands there breaks the rules for it, so nothing was sent anywhere.',
    hint: forTheMakers,
  },
  redirect_uri_mismatch: {
    title: 'The app gave an address it never registered',
    message:
      'The app asked for access to be sent to an address that is not on its list (redirect_uri), so nothing was sent anywhere.',
    hint: 'In the app, remove this connection and add it again. If it was set up by hand, the owner of this server must register the exact address that the app uses.',
  },
  redirect_uri_missing: {
    title: 'The app did not say where to return to',
    message: 'The app has several addresses and did not name one (redirect_uri).',
    hint: forTheMakers,
  },
  pkce_missing: {
    title: 'The app left out a safety step',
    message:
      'The app did not protect the answer on its way back to it (PKCE), so nothing was sent anywhere.',
    hint: `${forTheMakers} Every current MCP client does this by itself. If the app cannot, the owner of this server can register it by hand and allow it.`,
    detail: 'PKCE code_challenge and code_challenge_method=S256 are required',
  },
  parameter_missing: {
    title: 'The link is not complete',
    message: 'The link that brought you here lacks something this server needs.',
    hint: 'Start from the app itself, not from a copied link.',
  },
}

const journeyTexts: Readonly<Record<string, ErrorText>> = {
  flow_expired: {
    title: 'This took too long',
    message:
      'For your safety a request to connect is kept for a short time only, and this one is over.',
    hint: startAgain,
  },
  flow_unknown: {
    title: 'Nothing to continue here',
    message: 'This request to connect was already answered, or it has expired.',
    hint: `If the app is not connected yet: ${startAgain.toLowerCase()}`,
  },
  flow_moved: {
    title: 'Already answered in another tab',
    message: 'This request to connect is open in another tab, and went on there.',
    hint: 'Go on in the other tab, or go back to the app and connect again.',
  },
  other_browser: {
    title: 'This began in another browser',
    message:
      'The request to connect was not started in this browser, or the browser no longer has its cookie. It can be finished only where it began.',
    hint: `If you did not start it yourself, close this page: ${nobodyGotIn.toLowerCase()} If you did, go back to the app and connect again, with cookies allowed.`,
  },
  form_token_mismatch: {
    title: 'This page was out of date',
    message: 'Your answer came from a page that is no longer valid, so it was not counted.',
    hint: 'Go back, reload the page and answer again.',
  },
  cross_site_form: {
    title: 'This answer did not come from here',
    message: 'Another website tried to answer for you, so it was not counted.',
    hint: `${nobodyGotIn} If you were connecting an app, go back to it and connect again.`,
  },
  no_scope_ticked: {
    title: 'Nothing was ticked',
    message: 'An app that may do nothing cannot be connected.',
    hint: 'Go back and tick what the app may do, or choose Deny.',
  },
  setup_link_used: {
    title: 'This set-up link no longer works',
    message: 'It was used already, or a newer one has replaced it.',
    hint: 'If you have an account, sign in when an app asks to connect. If not, restart the server: it prints a new link.',
  },
}

const upstreamTexts: Readonly<Record<string, ErrorText>> = {
  upstream_failed: {
    title: 'The sign-in did not work',
    message: 'The service that you sign in with did not confirm who you are.',
    hint: 'Go back to the app and try again. If it happens again, give the reference below to the owner of this server.',
  },
  upstream_misconfigured: {
    title: 'The sign-in is not set up right',
    message: 'The service that you sign in with does not accept this server.',
    hint: 'Only the owner of this server can mend this; give them the reference below.',
  },
  upstream_denied: {
    title: 'The sign-in was not completed',
    message: 'It was cancelled, or the service that you sign in with declined.',
    hint: `${nobodyGotIn} To try again, go back to the app and connect.`,
  },
  upstream_unavailable: {
    title: 'The sign-in service does not answer',
    message: 'The service that you sign in with cannot be reached right now. Nothing is lost.',
    hint: 'Wait a moment and try again.',
  },
  not_admitted: {
    title: 'Your account may not enter here',
    message: 'You signed in, but the owner of this server has not let this account in.',
    hint: 'Ask the owner to add you, or connect again with another account.',
  },
  admission_unknown: {
    title: 'Your account may not enter here',
    message:
      'You signed in, but the service that you sign in with did not tell everything the owner of this server asks for, such as the organisations or groups you are in.',
    hint: 'Allow it to tell that when it asks you, or let the owner know; the log of the server says what was missing.',
  },
  not_invited: {
    title: 'You have not been invited yet',
    message:
      'You signed in, but only people whom the owner of this server has invited can enter for the first time.',
    hint: 'Ask the owner for an invitation of this very account, or connect again with another one.',
  },
}

const serverTexts: Readonly<Record<string, ErrorText>> = {
  store_unavailable: {
    title: 'One moment, please',
    message: 'This server cannot reach its memory right now. Nothing is lost.',
    hint: 'Wait a few seconds and try again.',
  },
  rate_limited: {
    title: 'Too many attempts',
    message: 'There were many attempts in a short time, so this server is taking a pause.',
    hint: 'Wait as long as the details below say, then try again.',
  },
  forwarded_without_sign_in: {
    title: 'Only for this computer',
    message: 'This server has no sign-in, so it answers nobody but the computer it runs on.',
    hint: 'To use it from elsewhere, its owner has to set up sign-in first.',
  },
  foreign_host: {
    title: 'This address is not the right one',
    message:
      'The server answers under its public name only, and this request came under another one.',
    hint: 'Open its public address. If you run it: the proxy in front must pass the public Host header on.',
  },
  not_found: {
    title: 'There is no page here',
    message: 'The address is wrong, or the page is gone.',
    hint: 'Check the address, or start again from the app.',
  },
}

/** By reason; other words that mean the same to a person share a text. */
export const errorTexts: Readonly<Record<string, ErrorText | undefined>> = {
  ...clientTexts,
  ...journeyTexts,
  ...upstreamTexts,
  ...serverTexts,
  state_unknown: journeyTexts.flow_unknown,
  pkce_required: clientTexts.pkce_missing,
  pkce_challenge_malformed: clientTexts.pkce_missing,
  admission_denied: upstreamTexts.not_admitted,
}

/** By code, for reasons that have no words of their own. */
const codeTexts: Readonly<Record<string, ErrorText>> = {
  access_denied: {
    title: 'Access was not given',
    message: 'The request to connect was declined. Nobody has got any access.',
  },
  temporarily_unavailable: {
    title: 'One moment, please',
    message: 'This server cannot answer right now. Nothing is lost.',
    hint: 'Wait a few seconds and try again.',
  },
  server_error: {
    title: 'Something broke on our side',
    message:
      'This is not your fault and not the app’s. It was written down with the reference below.',
    hint: 'Try again. If it happens again, give the reference to the owner of this server.',
  },
  invalid_target: {
    title: 'The app asked for something else',
    message: 'The app asked for access to a server that is not behind this address.',
    hint: 'In the app, check the address of the connection; it must be the one its owner gave you.',
  },
  unsupported_response_type: {
    title: 'The app asked in a way we do not answer',
    message: 'It wants a kind of answer that is no longer considered safe.',
    hint: 'This is for the makers of the app to mend.',
  },
}

const anyText: ErrorText = {
  title: 'This request cannot be answered',
  message: 'The app that sent you here asked for something this server cannot do.',
  hint: 'Go back to the app and connect again. If it happens again, give the reference below to the makers of the app.',
}

/** The words for whatever else went wrong at an identity provider: the fault is neither ours nor the app's. */
function findUpstreamText(reason: string | undefined, code: string): ErrorText | undefined {
  if (!reason?.startsWith('upstream_')) return undefined
  return code === 'temporarily_unavailable'
    ? upstreamTexts.upstream_unavailable
    : upstreamTexts.upstream_failed
}

function find(
  texts: Readonly<Record<string, ErrorText | undefined>>,
  key: string | undefined,
): ErrorText | undefined {
  return key !== undefined && Object.hasOwn(texts, key) ? texts[key] : undefined
}

/**
 * The words for an error: title, message and hint in plain language, and the description as a detail,
 * so that `Unregistered client_id=…` is on the page for whoever searches for it (H8).
 *
 * @param reason of the `OAuthError`; reasons without words of their own fall back to the code
 * @param description its public description
 */
export function describeError(
  reason: string | undefined,
  code: string,
  description: string | undefined,
): ErrorText {
  const known = reason?.startsWith('limit_') ? 'rate_limited' : reason
  const own = find(errorTexts, known) ?? findUpstreamText(reason, code)
  const text = own ?? find(codeTexts, code) ?? anyText
  return description === undefined ? text : { ...text, detail: description }
}
