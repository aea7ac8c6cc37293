/** How errors look on the wire: JSON, a page, or a redirect back to the client. */
import type { RequestContext } from './context.ts'
import { OAuthError, toErrorBody } from './errors.ts'
import { renderRefusal } from './gate/refusal.ts'
import {
  isTrustedRedirect,
  redirectHost,
  type TrustedRedirect,
  toRedirectLocation,
} from './oauth/redirect-uri.ts'
import type { Answer } from './platform/exchange.ts'
import type { ErrorShape } from './routes.ts'
import { renderErrorPage } from './server/pages/error.ts'
import { describeError } from './server/pages/error-texts.ts'
import { toJson, toSeeOther } from './server/respond.ts'

/**
 * The answer to an error, in the shape of its route.
 *
 * An authorization error travels back to the client only if its redirect was proven and the client is
 * vouched for; otherwise the person sees a page that names where the way back leads (design §1, P2).
 */
export function renderError(
  error: OAuthError,
  shape: ErrorShape,
  request: Request,
  context: RequestContext,
): Answer {
  if (shape === 'json') return renderJson(error)
  if (shape === 'challenge') return renderRefusal(error)
  const redirect = isTrustedRedirect(error.redirect) ? error.redirect : undefined
  if (redirect?.vouched) return toSeeOther(toErrorLocation(error, redirect, context))
  // Browsers name text/html in every navigation; what does not is a program and gets JSON (S4).
  const wantsPage = request.headers.get('accept')?.includes('text/html') ?? false
  return wantsPage ? renderPage(error, redirect, context) : renderJson(error)
}

function renderJson(error: OAuthError): Answer {
  return toJson(toErrorBody(error), error.status, toHeaders(error))
}

function renderPage(
  error: OAuthError,
  redirect: TrustedRedirect | undefined,
  context: RequestContext,
): Answer {
  const link = redirect
    ? {
        href: toErrorLocation(error, redirect, context),
        text: `Go back to ${redirectHost(redirect.uri)}`,
      }
    : error.retryPath !== undefined && { href: error.retryPath, text: 'Try again' }
  const view = {
    siteName: context.config.siteName,
    status: error.status,
    ...describeError(error.reason, error.code, error.description),
    code: error.code,
    requestId: context.exchange.requestId,
    ...(link && { link }),
  }
  return renderErrorPage(view, toHeaders(error))
}

/** The client's redirect URI with the error, the state and the issuer (RFC 6749 §4.1.2.1, RFC 9207). */
function toErrorLocation(
  error: OAuthError,
  redirect: TrustedRedirect,
  { config }: RequestContext,
): string {
  return toRedirectLocation(redirect, {
    ...toErrorBody(error),
    state: redirect.state,
    iss: config.issuer,
  })
}

function toHeaders(error: OAuthError): Record<string, string> {
  if (error.retryAfterSeconds === undefined) return error.headers
  return { ...error.headers, 'retry-after': String(error.retryAfterSeconds) }
}

/**
 * Any thrown thing as an OAuthError. What is not one already is a fault of ours: told to nobody but the log.
 */
export function toOAuthError(thrown: unknown): OAuthError {
  if (thrown instanceof OAuthError) return thrown
  return new OAuthError('server_error', 'Something went wrong here; the log knows more', {
    reason: 'unexpected',
    cause: thrown,
  })
}
