/** The two ways the authorization server answers when it is not a page: JSON and a redirect. */
import type { RequestContext } from '../context.ts'
import { OAuthError } from '../errors.ts'
import { type Params, parseForm, parseQuery, verifyFormContentType } from '../oauth/params.ts'
import type { Answer } from '../platform/exchange.ts'

/** Largest form or JSON document that any endpoint of the authorization server reads. */
export const bodyLimitBytes = 32 * 1024

/** A JSON answer that nobody may cache (OAuth 2.1 §3.2.3, A10). */
export function toJson(body: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return { status, headers: { ...jsonHeaders, ...headers }, body: JSON.stringify(body) }
}

const jsonHeaders = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'x-content-type-options': 'nosniff',
}

/**
 * Sends the browser on with 303, so that a form is never posted a second time to where it leads
 * (catalogue P8, CN-17).
 */
export function toSeeOther(location: string, cookies: readonly string[] = []): Answer {
  const headers = {
    location,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  }
  return { status: 303, headers, cookies }
}

/**
 * Reads a form body once, bounded and strict about its content type.
 *
 * @throws OAuthError `invalid_request`, with 413 or 415 where that is the matter
 */
export async function readForm(request: Request, context: RequestContext): Promise<Params> {
  verifyFormContentType(request.headers.get('content-type'))
  return parseForm(await context.exchange.readBody(bodyLimitBytes))
}

/** Reads the query of a request. */
export function readQuery({ url }: Request): Params {
  const begin = url.indexOf('?')
  const end = url.indexOf('#')
  if (begin < 0 || (end >= 0 && end < begin)) return parseQuery('')
  return parseQuery(url.slice(begin + 1, end < 0 ? undefined : end))
}

/**
 * Reads a JSON body once, bounded.
 *
 * @throws OAuthError `invalid_request` when it is too large, `invalid_client_metadata` when it is not JSON
 */
export async function readJson(context: RequestContext): Promise<unknown> {
  const text = await context.exchange.readBody(bodyLimitBytes)
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new OAuthError('invalid_client_metadata', 'The request body must be a JSON object', {
      reason: 'malformed_json',
      cause,
    })
  }
}
