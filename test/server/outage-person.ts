/**
 * A person who wants to get somewhere while pages fail: they do what the page at hand asks for, and when
 * it says that the server cannot answer, they do what people do then.
 */
import { expect } from 'vitest'
import { type Browser, createBrowser, findForm, type Page, type Send } from '../helpers/browser.ts'

/** What people do about a page that failed. */
export const habits = [
  'reloads the page',
  'goes back and presses again',
  'goes back, reloads and goes on',
  'follows the link',
  'starts over at the app',
] as const
export type Habit = (typeof habits)[number]

/** What the person wants. */
export interface Errand {
  /** The authorization request of the app, or another address of ours. */
  readonly url: string
  /** What the browser says of the first request, such as `sec-fetch-site: none` for a bookmark. */
  readonly headers?: Record<string, string>
  /** Fills in the page at hand; undefined: this is where they wanted to go. */
  answer(page: Page): Answer | undefined
}

/** A button, and what is typed and ticked before. */
export interface Answer {
  readonly button: readonly [name: string, value: string]
  readonly typed?: Record<string, string>
  /** Values of boxes that are ticked on the page and shall not be. */
  readonly unticked?: readonly string[]
  /** Boxes that are not ticked on the page and shall be, as they are posted. */
  readonly ticked?: [name: string, value: string][]
}

/** The person's habit and surroundings. */
export interface PersonOptions {
  readonly origin: string
  readonly send: Send
  readonly habit: Habit
  /** Lets so many seconds pass. */
  wait(seconds: number): void
  /** Told of a page that says that there is nothing to continue; throws where that should not be. */
  onOver(requested: string): void
  /** Told of a refusal, which the person then takes as a failure. Absent: there must be none. */
  onRefused?: ((page: Page) => void) | undefined
}

export interface Person {
  readonly browser: Browser
  /** Returns the page they wanted, or, with status 0, the address of the app they were sent back to. */
  run(errand: Errand): Promise<Page>
}

type Step = () => Promise<Page>

/** What can be done once more. */
interface Past {
  readonly begin: Step
  /** Loads the page on which they pressed something last. */
  readonly look: Step
  readonly press: Step
}

/** Pages looked at before the person gives up. */
const patience = 200

export function createPerson({ onOver, onRefused, ...options }: PersonOptions): Person {
  const { origin, send, habit, wait } = options
  let requested: Request | undefined
  const browser = createBrowser(origin, (request) => {
    requested = request.clone()
    return send(request)
  })

  /** What loads the page at hand once more: a browser posts again what it was posted for. */
  function toReload(): Step {
    if (!requested) throw new Error('There is no page yet')
    const { url, headers, method } = requested
    const copy = requested.clone()
    const kept = { 'sec-fetch-site': headers.get('sec-fetch-site') ?? '' }
    if (method === 'GET') return () => browser.open(url, kept)
    return async () => {
      const body = await copy.clone().text()
      return browser.post(url, [...new URLSearchParams(body)], kept)
    }
  }

  /** What to do about a page that asks for nothing; undefined when it is a form. */
  function findWayOut(page: Page, past: Past): Step | undefined {
    const { url, status, text } = page
    const reload = toReload()
    const link = /<a class="button" href="([^"]*)"[^>]*><bdi>Try again</.exec(text)?.[1]
    const follow = link === undefined ? reload : () => browser.open(new URL(link, url))
    if (status === 503) {
      expectRetryable(page)
      wait(Number(page.headers.get('retry-after')))
      return { ...past, reload, follow }[retries[habit]]
    }
    if (status < 400 || text.includes('role="alert"')) return undefined
    if (text.includes('<title>Nothing to continue here')) {
      onOver(url.pathname)
      return past.begin
    }
    if (!onRefused) throw new Error(describe(page))
    onRefused(page)
    return follow
  }

  async function run(errand: Errand): Promise<Page> {
    const begin: Step = () => browser.open(errand.url, errand.headers)
    let past: Past = { begin, look: begin, press: begin }
    let page = await begin()
    for (let pages = 0; pages < patience; pages++) {
      if (page.status === 0) return page
      const wayOut = findWayOut(page, past)
      const answer = wayOut ? undefined : errand.answer(page)
      if (answer) past = { begin, look: toReload(), press: toPress(browser, page, answer) }
      const next = wayOut ?? (answer && past.press)
      if (!next) return page
      page = await next()
    }
    throw new Error(`Never arrives: ${describe(page)}`)
  }
  return { browser, run }
}

const retries = {
  'reloads the page': 'reload',
  'goes back and presses again': 'press',
  'goes back, reloads and goes on': 'look',
  'follows the link': 'follow',
  'starts over at the app': 'begin',
} as const satisfies Record<Habit, string>

function toPress(browser: Browser, page: Page, answer: Answer): Step {
  const { button, typed = {}, unticked = [], ticked = [] } = answer
  const [name, value] = button
  const form = findForm(page, name, value)
  const fields = form.fields
    .filter(([, present]) => !unticked.includes(present))
    .map(([field, present]): [string, string] => [field, typed[field] ?? present])
  const pressed: [string, string][] = name === '' ? [] : [[name, value]]
  const action = new URL(form.action, page.url)
  return () => browser.post(action, [...fields, ...ticked, ...pressed])
}

function describe({ url, status, text }: Page): string {
  return `${status} ${/<title>(.*?)</.exec(text)?.[1]} at ${url.pathname}`
}

/** It is a page for people, says that this will pass, and what to do until then. */
function expectRetryable({ headers, text }: Page): void {
  expect(headers.get('content-type')).toMatch(/^text\/html/)
  expect(headers.get('cache-control')).toBe('no-store')
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(text).toContain('Wait a few seconds and try again')
}
