/** A person takes a client through the pages: sign-in, consent, and back with a code. */
import { type Browser, createBrowser, type Page } from '../helpers/browser.ts'
import { authorizePath } from '../helpers/oauth-client.ts'
import { verifyFault } from './answers.ts'
import { type App, type Code, lifetimes, type Person, Violation } from './model.ts'
import { momentOf, type Stage } from './requests.ts'
import { issuer } from './template.ts'
import { people } from './upstream.ts'
import { type Answer, ConnectionLost } from './world.ts'

const attempts = 4
const longestWay = 6

/** One journey through the pages. */
interface Journey {
  readonly browser: Browser
  readonly startedAt: number
  /** Whether something failed on the way: then a page may say that the step is out of date. */
  hadTrouble: boolean
  last: Answer | undefined
  /** When the last request was sent. */
  lastAt: number
}

/** Walks until there is a code. Undefined when the person gives up, or the client is gone. */
export async function authorize(stage: Stage, person: Person, app: App): Promise<Code | undefined> {
  for (let attempt = 0; attempt < attempts && !app.isGone; attempt++) {
    try {
      const code = await tryWalk(stage, person, app)
      if (code) return code
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
    }
  }
  return undefined
}

async function tryWalk(stage: Stage, person: Person, app: App): Promise<Code | undefined> {
  const journey = beginJourney(stage, person, app)
  const page = await walk(journey, app)
  for (const [name, value] of journey.browser.cookies) {
    if (!name.includes('flow-')) person.cookies.set(name, value)
  }
  if (page.status === 0) return noteCode(stage, { person, app, issuedAt: journey.lastAt }, page)
  judgePage(stage, journey, { person, app, page })
  return undefined
}

function beginJourney(stage: Stage, person: Person, app: App): Journey {
  const { world } = stage
  const name = `${person.name} connects ${app.name}`
  const send = async (request: Request): Promise<Response> => {
    journey.lastAt = world.now()
    if (new URL(request.url).pathname.startsWith('/callback/')) person.signedInAt = world.now()
    try {
      const answer = await world.send(name, nameSubject(request, person))
      const { status, headers, text, record } = answer
      world.trace(`${name}: ${new URL(request.url).pathname} → ${status} ${record.reason ?? ''}`)
      journey.last = answer
      journey.hadTrouble ||= record.faults > 0
      return new Response(text === '' ? null : text, { status, headers })
    } catch (error) {
      journey.hadTrouble = true
      throw error
    }
  }
  const browser = createBrowser(issuer, send)
  for (const [key, value] of person.cookies) browser.cookies.set(key, value)
  const startedAt = world.now()
  const journey: Journey = {
    browser,
    startedAt,
    lastAt: startedAt,
    hadTrouble: false,
    last: undefined,
  }
  return journey
}

/** At the identity provider the person says who they are. */
function nameSubject(request: Request, { name }: Person): Request {
  const url = new URL(request.url)
  if (!url.pathname.startsWith('/callback/')) return request
  url.searchParams.set('subject', name)
  return new Request(url, request)
}

async function walk({ browser }: Journey, app: App): Promise<Page> {
  let page = await browser.open(issuer + authorizePath(app.registered))
  for (let step = 0; step < longestWay && page.status === 200; step++) {
    const isSignIn = page.url.pathname === '/sign-in'
    page = await (isSignIn
      ? browser.press(page, 'upstream', people.id)
      : browser.press(page, 'decision', 'allow'))
  }
  return page
}

function noteCode(
  { model }: Stage,
  { person, app, issuedAt }: Pick<Code, 'person' | 'app' | 'issuedAt'>,
  page: Page,
): Code {
  const value = page.url.searchParams.get('code')
  if (value === null) throw new Violation('page-refused', `No code, but ${page.url.search}`)
  app.isAuthorized = true
  const name = `code${model.codes.length + 1}`
  const code: Code = { name, value, app, person, issuedAt, attempts: [], guesses: 0 }
  model.codes.push(code)
  return code
}

/** A page that is no page of the way: a fault that passes, or a refusal that something explains. */
function judgePage(
  stage: Stage,
  { last, startedAt, hadTrouble }: Journey,
  { person, app, page }: { person: Person; app: App; page: Page },
): void {
  if (page.status >= 500) {
    if (last) verifyFault(last)
    return
  }
  const reason = last?.record.reason
  const { now, margin } = momentOf(stage)
  if (reason === 'unknown_client') {
    if (!app.isAuthorized && now + margin >= app.registeredAt + lifetimes.unusedClient) {
      app.isGone = true
      return
    }
    throw new Violation('lost-registration', `${app.name} is unknown`)
  }
  const tookLong = now - startedAt + margin >= lifetimes.flow
  const isSignedOut = now + margin >= person.signedInAt + lifetimes.session
  if (hadTrouble || tookLong || isSignedOut || person.wasRemoved) return
  throw new Violation('page-refused', `${person.name}, ${app.name}: ${page.status} ${reason}`)
}
