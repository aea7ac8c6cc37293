/**
 * One browser, and proof that a form comes from it.
 *
 * A random cookie binds every flow to the browser that began it. Form tokens are keyed hashes over
 * that cookie, the flow, its step and the session, so a form is good for one browser, one step and one
 * signed-in person, and two tabs do not invalidate each other (catalogue CN-05, CN-08, CN-19).
 */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { equalInConstantTime, sha256 } from '../../platform/crypto.ts'
import { findCookie, formatCookie } from '../cookies.ts'

/** The browser behind a request. */
export interface Browser {
  /** The cookie's value; the secret that form tokens are made of. */
  readonly secret: string
  /** SHA-256 of it, as flows store it. */
  readonly hash: string
  /** Set when the browser is new and must be given its cookie. */
  readonly cookie: string | undefined
}

/** The browser of this request, which gets a cookie if it has none yet. */
export function resolveBrowser(request: Request, context: RequestContext): Browser {
  const known = findCookie(request, 'browser', context.config.issuer)
  const secret = known ?? context.random(32)
  const cookie = known ? undefined : formatCookie('browser', secret, context.config.issuer)
  return { secret, hash: sha256(secret), cookie }
}

/** What a form token is bound to besides the browser. */
export interface FormBinding {
  /** Flow id, or the name of a form outside any flow. */
  readonly subject: string
  readonly step: string
  /** Hash of the session that saw the form; empty when nobody was signed in. */
  readonly session: string
}

/** The hidden token of a form. */
export function mintFormToken(
  browser: Browser,
  { subject, step, session }: FormBinding,
  { sealer }: Pick<RequestContext, 'sealer'>,
): string {
  return sealer.index('form', [browser.secret, subject, step, session].join(' '))
}

/**
 * Refuses a form that this browser, step or person did not get from us.
 *
 * @throws OAuthError `access_denied` (403)
 */
export function verifyFormToken(
  presented: string | undefined,
  browser: Browser,
  binding: FormBinding,
  context: RequestContext,
): void {
  const expected = mintFormToken(browser, binding, context)
  if (presented !== undefined && equalInConstantTime(presented, expected)) return
  throw new OAuthError('access_denied', 'This form is out of date: go back and load the page again', {
    reason: 'form_token_mismatch',
  })
}

/**
 * Refuses a form posted from another site.
 *
 * Our pages send no referrer, which makes browsers write `Origin: null` on their own posts; therefore
 * `Sec-Fetch-Site` decides where it is sent, and a foreign `Origin` only where it is not.
 *
 * @throws OAuthError `access_denied` (403)
 */
export function verifySameOrigin(request: Request, { config }: RequestContext): void {
  const site = request.headers.get('sec-fetch-site')
  const origin = request.headers.get('origin')
  const foreign =
    site === null
      ? origin !== null && origin !== 'null' && origin !== config.issuer
      : site !== 'same-origin' && site !== 'none'
  if (!foreign) return
  throw new OAuthError('access_denied', 'This form was sent from another website', {
    reason: 'cross_site_form',
  })
}
