/** Clients that do everything a client can do, note every answer, and never give up. */
import { crashIssuer } from '../crash/fail-point.ts'
import { createBrowser } from '../helpers/browser.ts'
import { approve } from '../helpers/live.ts'
import { authorizePath, type Registered, verifier } from '../helpers/oauth-client.ts'
import type { Dice } from '../simulation/dice.ts'
import type { Entry, History } from './history.ts'

/** What the clients work with. */
export interface Load {
  readonly history: History
  readonly dice: Dice
  /** The address of the process that gets the next request. */
  pick(): string
  /** Whether it is time to stop. */
  isOver(): boolean
}

/** A grant as its owner knows it. */
export interface Holding {
  readonly client: Registered
  /** From the first one to the one that is held. */
  readonly tokens: string[]
}

/** Tries of a client before it leaves a request for later. */
const tries = 400
const pauseMilliseconds = 10

/** Lives until it is over: registers, gets grants, refreshes them, loses some. Returns what it holds then. */
export async function live(load: Load): Promise<Holding[]> {
  const holdings: Holding[] = []
  const client = await register(load)
  while (client && !load.isOver()) {
    const holding = await connect(load, client)
    if (!holding) continue
    for (let turns = 2 + load.dice.below(8); turns > 0 && !load.isOver(); turns--) {
      await refresh(load, holding)
    }
    if (!(await endSomehow(load, holding))) holdings.push(holding)
  }
  return holdings
}

/** Sends a request and notes what came of it. */
async function ask(
  { history, pick }: Load,
  question: Pick<Entry, 'operation' | 'subject' | 'by'>,
  path: string,
  init: RequestInit,
): Promise<Entry> {
  const entry = history.begin(question)
  try {
    const response = await fetch(pick() + path, { redirect: 'manual', ...init })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    const answer = isJson ? (JSON.parse(text) as Entry['answer']) : undefined
    history.end(entry, { status: response.status, ...(answer && { answer }) })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
  }
  return entry
}

/** Repeats a request until it is answered with anything but "later". */
async function insist(send: () => Promise<Entry>): Promise<Entry> {
  for (let attempt = 1; ; attempt++) {
    const entry = await send()
    const isAnswered = entry.status !== undefined && entry.status !== 503
    if (isAnswered || attempt === tries) return entry
    await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds))
  }
}

async function register(load: Load): Promise<Registered | undefined> {
  const metadata = {
    client_name: 'Load',
    redirect_uris: ['https://client.example/callback'],
    token_endpoint_auth_method: 'client_secret_post',
  }
  const headers = { 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify(metadata) }
  const entry = await insist(() =>
    ask(load, { operation: 'register', subject: 'new', by: 'owner' }, '/register', init),
  )
  return entry.status === 201 ? (entry.answer as unknown as Registered) : undefined
}

function post(
  load: Load,
  question: Pick<Entry, 'operation' | 'subject' | 'by'>,
  { client, path, fields }: { client: Registered; path: string; fields: Record<string, string> },
): Promise<Entry> {
  const credentials = { client_id: client.client_id, client_secret: client.client_secret ?? '' }
  const body = new URLSearchParams({ ...credentials, ...fields }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return ask(load, question, path, { method: 'POST', headers, body })
}

/** Through the browser to a code, and on to tokens; perhaps several processes redeem it at once. */
async function connect(load: Load, client: Registered): Promise<Holding | undefined> {
  const code = await getCode(load, client)
  if (code === undefined) return undefined
  const fields = { grant_type: 'authorization_code', code, code_verifier: verifier }
  const redeem = (): Promise<Entry> =>
    post(
      load,
      { operation: 'redeem', subject: code, by: 'owner' },
      { client, path: '/token', fields },
    )
  const crowd = load.dice.chance(0.3) ? 4 : 1
  const entries =
    crowd > 1 ? await Promise.all(Array.from({ length: crowd }, redeem)) : [await insist(redeem)]
  const root = entries
    .map(({ answer }) => answer?.refresh_token)
    .find((token) => token !== undefined)
  return root === undefined ? undefined : { client, tokens: [root] }
}

/** A fresh person in a fresh browser, every step at another process; undefined when a step failed. */
async function getCode(load: Load, client: Registered): Promise<string | undefined> {
  const path = authorizePath(client)
  await insist(() =>
    ask(load, { operation: 'authorize', subject: client.client_id, by: 'owner' }, path, {}),
  )
  const browser = createBrowser(crashIssuer, (request) => reroute(request, load.pick()))
  try {
    const page = await approve(browser, crashIssuer + path)
    return page.url.searchParams.get('code') ?? undefined
  } catch {
    return undefined
  }
}

/** Sends a request for the issuer to one of its processes, and leads its redirects back to the issuer. */
async function reroute(request: Request, origin: string): Promise<Response> {
  const url = new URL(request.url)
  const response = await fetch(new Request(origin + url.pathname + url.search, request))
  const location = response.headers.get('location')
  if (location === null) return response
  const headers = new Headers(response.headers)
  headers.set('location', location.replace(/^http:\/\/localhost:\d+/, crashIssuer))
  return new Response(null, { status: response.status, headers })
}

/** One or five processes that share the token present it at once; each gets its answer. */
async function refresh(load: Load, { client, tokens }: Holding): Promise<void> {
  const token = tokens.at(-1) ?? ''
  const crowd = load.dice.chance(0.3) ? 5 : 1
  const present = (): Promise<Entry> => presentToken(load, client, { token, by: 'owner' })
  const entries = await Promise.all(Array.from({ length: crowd }, () => insist(present)))
  const next = entries.map(({ answer }) => answer?.refresh_token).find((one) => one !== undefined)
  if (next !== undefined) tokens.push(next)
}

function presentToken(
  load: Load,
  client: Registered,
  { token, by }: { token: string; by: Entry['by'] },
): Promise<Entry> {
  const fields = { grant_type: 'refresh_token', refresh_token: token }
  return post(
    load,
    { operation: 'refresh', subject: token, by },
    { client, path: '/token', fields },
  )
}

/** Half of the grants end: given back, or an old token comes back; then somebody tries to go on. */
async function endSomehow(load: Load, { client, tokens }: Holding): Promise<boolean> {
  const token = tokens.at(-1) ?? ''
  const [oldest = ''] = tokens
  const way = load.dice.next()
  if (way < 0.5 || tokens.length < 3) return false
  const end = (): Promise<Entry> => {
    if (way < 0.75) return presentToken(load, client, { token: oldest, by: 'thief' })
    const question = { operation: 'revoke', subject: token, by: 'owner' } as const
    return post(load, question, { client, path: '/revoke', fields: { token } })
  }
  await insist(end)
  await presentToken(load, client, { token, by: 'owner' })
  return true
}

/** In the end, in calm: which of its tokens live, and does its owner still get on? */
export async function lookBack(load: Load, { client, tokens }: Holding): Promise<void> {
  for (const token of tokens.slice(-3)) {
    const question = { operation: 'introspect', subject: token, by: 'owner' } as const
    await insist(() => post(load, question, { client, path: '/introspect', fields: { token } }))
  }
  await insist(() => presentToken(load, client, { token: tokens.at(-1) ?? '', by: 'owner' }))
}
