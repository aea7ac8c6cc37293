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
import { type CookieName, findCookie, formatCookie, listFlowCookies } from '../cookies.ts'

/** Most flows one browser keeps open; beginning another one lets go of the oldest (catalogue EN-09). */
const flowsKept = 10

/** The browser behind a request, as one of its cookies proves it. */
export interface Browser {
  /** The cookie's value; the secret that form tokens are made of. */
  readonly secret: string
  /** SHA-256 of it, as flows store it. */
  readonly hash: string
}

/** A browser that is given a new cookie. */
export interface BoundBrowser extends Browser {
  /** The `Set-Cookie` value. */
  readonly cookie: string
}

/**
 * Binds the browser that is being answered.
 *
 * @param maxAgeSeconds absent: until the browser closes
 */
export function bindBrowser(
  name: CookieName,
  { random, config }: RequestContext,
  maxAgeSeconds?: number,
): BoundBrowser {
  const secret = random(32)
  const cookie = formatCookie(name, secret, config, maxAgeSeconds)
  return { secret, hash: sha256(secret), cookie }
}

/** The browser that has the cookie; undefined when this one has not. */
export function findBrowser(
  request: Request,
  name: CookieName,
  { config }: RequestContext,
): Browser | undefined {
  const secret = findCookie(request, name, config.issuer)
  return secret === undefined ? undefined : { secret, hash: sha256(secret) }
}

/** The `Set-Cookie` values that make room for one more flow. */
export function dropOldestFlows(request: Request, { config }: RequestContext): string[] {
  const kept = listFlowCookies(request, config.issuer)
  return kept.slice(0, 1 - flowsKept).map((name) => formatCookie(name, '', config, 0))
}

/** What a form token is bound to besides the browser. */
export interface FormBinding {
  /** Flow id, or the name of a form outside any flow. */
  readonly subject: string
  readonly step: string
  /** Hash of the session that saw the form; empty when nobody was signed in. */
  readonly session: string
  /** Where the form can be had anew. */
  readonly retryPath?: string
}

/** The hidden token of a form. */
export function mintFormToken(
  browser: Browser,
  { subject, step, session }: FormBinding,
  { sealer }: Pick<RequestContext, 'sealer'>,
): string {
  return sealer.index('form', [browser.secret, subject, step, session].join(' '))
}

/** Whether a form's token is the one that this browser, step and person got from us. */
export function isFormToken(
  presented: string | undefined,
  browser: Browser,
  binding: FormBinding,
  context: RequestContext,
): boolean {
  const expected = mintFormToken(browser, binding, context)
  return presented !== undefined && equalInConstantTime(presented, expected)
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
  if (isFormToken(presented, browser, binding, context)) return
  const { retryPath } = binding
  throw new OAuthError(
    'access_denied',
    'This form is out of date: go back and load the page again',
    {
      reason: 'form_token_mismatch',
      ...(retryPath !== undefined && { retryPath }),
    },
  )
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
