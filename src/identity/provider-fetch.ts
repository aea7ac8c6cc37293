/**
 * Requests to an identity provider, held in bounds (catalogue UP-13).
 *
 * One deadline for all of them, 64 KiB of decoded body each (a gzip bomb counts as what it becomes),
 * no redirects, and 5xx, 429 and silence mean that it will pass.
 */
import { unavailable } from '../errors.ts'
import { nonsense } from './provider-errors.ts'

const bodyLimitBytes = 64 * 1024
const loopbackHosts = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** The bounds of one round trip. */
export interface ProviderBounds {
  /** What the provider is called, for error texts. */
  readonly label: string
  readonly fetch: typeof fetch
  readonly deadline: AbortSignal
}

/** One request. Headers and body as `fetch` takes them. */
export type ProviderFetch = (url: string, init?: RequestInit) => Promise<Response>

/**
 * A fetch whose answers are complete, small and neither redirects nor faults.
 *
 * @throws OAuthError `temporarily_unavailable` or `server_error`
 */
export function createProviderFetch(bounds: ProviderBounds): ProviderFetch {
  const { label, fetch, deadline } = bounds
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
    return new Response(await readBounded(response, label), { status, headers })
  }
}

/**
 * Makes sure that secrets go nowhere in the clear: `http:` is for emulators on loopback only.
 *
 * @throws TypeError when the text is no such URL
 */
export function verifyEndpoint(endpoint: string): void {
  const url = URL.parse(endpoint)
  if (url?.protocol === 'https:') return
  if (url?.protocol === 'http:' && loopbackHosts.has(url.hostname)) return
  throw new TypeError(`Upstream endpoint ${JSON.stringify(endpoint)} must be an https: URL`)
}

async function readBounded(response: Response, label: string): Promise<string | null> {
  const decoder = new TextDecoder()
  let bytes = 0
  let text = ''
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > bodyLimitBytes) break
      text += decoder.decode(chunk, { stream: true })
    }
  } catch (error) {
    throw unavailable('upstream_cut_off', error)
  }
  if (bytes > bodyLimitBytes) throw nonsense(label, 'upstream_too_large')
  return bytes === 0 ? null : text + decoder.decode()
}

async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined)
}
