/** A browser without pictures: keeps cookies, reads forms, presses their buttons, follows redirects. */

/** How the browser reaches a server: `fetch`, or a Gatehouse without a port. */
export type Send = (request: Request) => Promise<Response>

/** A page that was loaded. */
export interface Page {
  readonly url: URL
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

/** What a form on a page would post. */
export interface Form {
  readonly action: string
  readonly fields: [string, string][]
}

/** Headers given are added to what a browser sends; an empty one is left out. */
export interface Browser {
  readonly cookies: Map<string, string>
  open(url: string | URL, headers?: Record<string, string>): Promise<Page>
  /** Presses the button of the given name and value in the form that has it. */
  press(page: Page, name: string, value: string, fill?: Record<string, string>): Promise<Page>
  /** Posts exactly these fields. */
  post(
    url: string | URL,
    fields: [string, string][],
    headers?: Record<string, string>,
  ): Promise<Page>
}

/**
 * A new browser. Redirects are followed while they stay at `origin`; the page at another origin is
 * returned as it is, with status 0 and its address.
 */
export function createBrowser(
  origin: string,
  send: Send,
  alsoFollow: readonly string[] = [],
): Browser {
  const cookies = new Map<string, string>()
  const follows = new Set([origin, ...alsoFollow])

  async function load(request: Request, hops = 0): Promise<Page> {
    const response = await send(request)
    for (const line of response.headers.getSetCookie()) keepCookie(cookies, line)
    const location = response.headers.get('location')
    if (location === null || response.status < 300 || response.status > 399) {
      const url = new URL(request.url)
      return {
        url,
        status: response.status,
        text: await response.text(),
        headers: response.headers,
      }
    }
    if (hops > 10) throw new Error('Too many redirects')
    const next = new URL(location, request.url)
    await response.body?.cancel()
    if (!follows.has(next.origin)) {
      return { url: next, status: 0, text: '', headers: response.headers }
    }
    return load(toRequest(next, {}), hops + 1)
  }

  function toRequest(url: string | URL, headers: Record<string, string>, body?: string): Request {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const all = {
      accept: 'text/html,application/xhtml+xml',
      'sec-fetch-site': body === undefined ? 'cross-site' : 'same-origin',
      cookie,
      'content-type': body === undefined ? '' : 'application/x-www-form-urlencoded',
      ...headers,
    }
    return new Request(url, {
      method: body === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      headers: Object.entries(all).filter(([, value]) => value !== ''),
      ...(body !== undefined && { body }),
    })
  }

  const post: Browser['post'] = (url, fields, headers = {}) =>
    load(toRequest(url, headers, new URLSearchParams(fields).toString()))

  return {
    cookies,
    open: (url, headers = {}) => load(toRequest(url, headers)),
    post,
    press: (page, name, value, fill = {}) => {
      const form = findForm(page, name, value)
      const fields = form.fields.map(([key, old]): [string, string] => [key, fill[key] ?? old])
      return post(new URL(form.action, page.url), [...fields, [name, value]])
    },
  }
}

function keepCookie(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
  const at = pair.indexOf('=')
  const gone = attributes.some((attribute) => /^max-age=0$/i.test(attribute))
  if (gone) cookies.delete(pair.slice(0, at))
  else cookies.set(pair.slice(0, at), pair.slice(at + 1))
}

/** The form that has a submit button of this name and value, with its inputs as a browser would send them. */
export function findForm(page: Page, name: string, value: string): Form {
  for (const [, attributes = '', inner = ''] of page.text.matchAll(
    /<form([^>]*)>([\s\S]*?)<\/form>/g,
  )) {
    const button = [...inner.matchAll(/<button([^>]*)>/g)].find(
      ([, text = '']) => attribute(text, 'name') === name && attribute(text, 'value') === value,
    )
    const anySubmit = name === '' && /<button[^>]*type="submit"/.test(inner)
    if (button || anySubmit)
      return { action: attribute(attributes, 'action') ?? '', fields: inputsOf(inner) }
  }
  throw new Error(`No form with a button ${name}=${value} on:\n${page.text}`)
}

function inputsOf(inner: string): [string, string][] {
  return [...inner.matchAll(/<input([^>]*)>/g)].flatMap(([, text = '']): [string, string][] => {
    const name = attribute(text, 'name')
    if (name === undefined) return []
    const isTick = attribute(text, 'type') === 'checkbox'
    if (isTick && !/\schecked\b/.test(text)) return []
    return [[name, attribute(text, 'value') ?? (isTick ? 'on' : '')]]
  })
}

function attribute(text: string, name: string): string | undefined {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(text)?.[1]
  return value
    ?.replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
