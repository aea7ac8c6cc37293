/** Reading JSON at an identity provider with a person's access token. */
import { unavailable } from '../errors.ts'
import { nonsense } from './provider-errors.ts'
import type { ProviderFetch } from './provider-fetch.ts'

/** Reads JSON at the provider with the person's access token. */
export type ProviderRead = (url: string, options?: ReadOptions) => Promise<unknown>

/** How a {@link ProviderRead} treats refusals and lists. */
export interface ReadOptions {
  /** 403 and 404 yield undefined: the person or the app may lack the right to it. */
  readonly optional?: boolean
  /**
   * The answer is a list whose pages are to be read one after the other (RFC 8288 `rel="next"`). A list
   * that is too long to be read to its end yields undefined: half of it would be taken for the whole.
   */
  readonly pages?: boolean
  /**
   * A list of which GitHub keeps something back (`X-GitHub-SSO: partial-results`: organisations that want single
   * sign-on) yields undefined: what is not in it may well be.
   */
  readonly whole?: boolean
}

/** Pages of one list: a thousand entries at GitHub. */
const mostPages = 10

/**
 * Reads with this access token, within the bounds of the request.
 *
 * What it yields throws an OAuthError: `server_error` when the provider refuses, with reason
 * `upstream_token_refused` when it is because of the token; `temporarily_unavailable` when it was asked
 * too often.
 */
export function createRead(
  label: string,
  request: ProviderFetch,
  accessToken: string,
): ProviderRead {
  const headers = {
    authorization: `Bearer ${accessToken}`,
    accept: 'application/json',
    'user-agent': 'gatehouse',
  }
  const readPage: ReadPage = async (url, { optional = false, whole = false }) => {
    const response = await request(url, { headers })
    if (await isRateLimited(response)) throw unavailable('upstream_rate_limited')
    if (optional && (response.status === 403 || response.status === 404)) return undefined
    if (response.status === 401) throw nonsense(label, 'upstream_token_refused')
    if (!response.ok) throw nonsense(label, 'upstream_profile_refused')
    if (whole && isPartial(response)) return undefined
    return { value: await response.json(), next: findNextPage(response, url, label) }
  }
  return async (url, options = {}) => {
    if (options.pages === true) return readPages(readPage, url, options)
    return (await readPage(url, options))?.value
  }
}

interface Page {
  readonly value: unknown
  readonly next: string | undefined
}

type ReadPage = (url: string, options: ReadOptions) => Promise<Page | undefined>

async function readPages(readPage: ReadPage, url: string, options: ReadOptions) {
  const entries: unknown[] = []
  let next: string | undefined = url
  for (let count = 0; next !== undefined; count += 1) {
    const page: Page | undefined = count < mostPages ? await readPage(next, options) : undefined
    if (page === undefined) return undefined
    entries.push(...(Array.isArray(page.value) ? page.value : [page.value]))
    next = page.next
  }
  return entries
}

/** GitHub says 403 where others say 429, and of its secondary limits in the text alone. */
async function isRateLimited(response: Response): Promise<boolean> {
  if (response.status !== 403) return false
  const { headers } = response
  if (headers.has('retry-after') || headers.get('x-ratelimit-remaining') === '0') return true
  return /rate limit/i.test(await response.clone().text())
}

function isPartial({ headers }: Response): boolean {
  return headers.get('x-github-sso')?.startsWith('partial-results') === true
}

/** The next page, which must be where this one is: the token goes nowhere else. */
function findNextPage(response: Response, url: string, label: string): string | undefined {
  const links = response.headers.get('link')?.split(/,(?=\s*<)/) ?? []
  const next = links.find((link) => /;\s*rel="?next"?/i.test(link))
  if (next === undefined) return undefined
  const target = URL.parse(/<([^>]*)>/.exec(next)?.[1] ?? '', url)
  if (target?.origin === new URL(url).origin) return target.href
  throw nonsense(label, 'upstream_page_elsewhere')
}
