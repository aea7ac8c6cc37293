/**
 * Requests to an identity provider, held in bounds (catalogue UP-13).
 *
 * One deadline for all of them, 64 KiB of decoded body each unless said otherwise (a gzip bomb counts as
 * what it becomes), no redirects, and 5xx, 429 and silence mean that it will pass.
 */
import { unavailable } from '../errors.ts'
import { nonsense } from './provider-errors.ts'

const answerLimitBytes = 64 * 1024
const deadlineSeconds = 10
const loopbackHosts = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** The bounds of one round trip. */
export interface ProviderBounds {
  /** What the provider is called, for error texts. */
  readonly label: string
  readonly fetch: typeof fetch
  readonly deadline: AbortSignal
  /** The longest body. Default: 64 KiB. */
  readonly limitBytes?: number
}

/** Ends a round trip after 10 seconds (catalogue UP-13). */
export const createDefaultDeadline = (): AbortSignal => AbortSignal.timeout(deadlineSeconds * 1000)

/** One request. Headers and body as `fetch` takes them. */
export type ProviderFetch = (url: string, init?: RequestInit) => Promise<Response>

/**
 * A fetch whose answers are complete, small and neither redirects nor faults.
 *
 * @throws OAuthError `temporarily_unavailable` or `server_error`
 */
export function createProviderFetch(bounds: ProviderBounds): ProviderFetch {
  const { label, fetch, deadline, limitBytes = answerLimitBytes } = bounds
  return async (url, init) => {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: deadline }).catch(
      (error: unknown) => {
        throw unavailable('upstream_unreachable', error)
      },
    )
    if (response.status >= 500 || response.status === 429) {
      await discard(response)
      throw unavailable('upstream_unavailable')
    }
    if (response.status < 200 || (response.status >= 300 && response.status < 400)) {
      await discard(response)
      throw nonsense(label, 'upstream_redirected')
    }
    const { status, headers } = response
    return new Response(await readBounded(response, label, limitBytes), { status, headers })
  }
}

/** Whether secrets may go there: `https:` anywhere, `http:` to emulators on loopback only. */
export function isEndpoint(endpoint: string): boolean {
  const url = URL.parse(endpoint)
  if (url?.protocol === 'http:') return loopbackHosts.has(url.hostname)
  return url?.protocol === 'https:'
}

/**
 * Makes sure that secrets go nowhere in the clear.
 *
 * @throws TypeError when the text is no {@link isEndpoint | endpoint}
 */
export function verifyEndpoint(endpoint: string): void {
  if (isEndpoint(endpoint)) return
  throw new TypeError(`Upstream endpoint ${JSON.stringify(endpoint)} must be an https: URL`)
}

async function readBounded(
  response: Response,
  label: string,
  limitBytes: number,
): Promise<string | null> {
  const decoder = new TextDecoder()
  let bytes = 0
  let text = ''
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > limitBytes) break
      text += decoder.decode(chunk, { stream: true })
    }
  } catch (error) {
    throw unavailable('upstream_cut_off', error)
  }
  if (bytes > limitBytes) throw nonsense(label, 'upstream_too_large')
  return bytes === 0 ? null : text + decoder.decode()
}

async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined)
}
