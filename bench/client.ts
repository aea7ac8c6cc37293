/**
 * One client of an authorization server, as raw requests: it registers, has its person allow it, trades
 * the code and refreshes. It drives Gatehouse and its peers alike, over sockets or in process.
 */
import { createHash } from 'node:crypto'
import { findHeader, type Message, type Reply, readHeaders, type Send } from './http.ts'
import type { Started } from './servers/protocol.ts'

/** The tokens of one grant. */
export interface Tokens {
  readonly clientId: string
  readonly accessToken: string
  readonly refreshToken: string
}

/** Cookies by name. */
export type Jar = ReadonlyMap<string, string>

/** One client talking to one server. */
export interface Client {
  /** Registers and returns the client id. */
  register(): Promise<string>
  /**
   * From `/authorize` to tokens: follows redirects, allows on every page. The jar is the browser it
   * happens in; returns the jar as it is afterwards, too.
   */
  authorize(clientId: string, jar: Jar): Promise<{ tokens: Tokens; jar: Jar }>
  /** Rotates the refresh token. */
  refresh(tokens: Tokens): Promise<Tokens>
}

const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const challenge = createHash('sha256').update(verifier).digest('base64url')
const redirectUri = 'https://client.example/callback'
const formType = { 'content-type': 'application/x-www-form-urlencoded' }

/** What a client registers with, everywhere. */
const registration = JSON.stringify({
  client_name: 'Measured client',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
})

/** The scope every authorization asks for. */
export const measuredScope = 'mcp'

/** A client of a server; what it wants is the MCP server at `/mcp` there. */
export function createClient(
  send: Send,
  { origin, paths, scope = measuredScope }: Pick<Started, 'origin' | 'paths' | 'scope'>,
): Client {
  const resource = `${origin}/mcp`
  const requestTokens = async (clientId: string, fields: Record<string, string>) => {
    const body = new URLSearchParams({ client_id: clientId, resource, ...fields }).toString()
    const reply = await send({ method: 'POST', path: paths.token, headers: formType, body })
    const answer = parseAnswer(reply, 200)
    return { clientId, accessToken: answer('access_token'), refreshToken: answer('refresh_token') }
  }
  return {
    async register() {
      const headers = { 'content-type': 'application/json' }
      const reply = await send({
        method: 'POST',
        path: paths.register,
        headers,
        body: registration,
      })
      return parseAnswer(reply, 201)('client_id')
    },
    async authorize(clientId, before) {
      const browser = createBrowser(send, origin, before)
      const landed = await browser.walk(
        `${paths.authorize}?${toAuthorizeQuery(clientId, resource, scope)}`,
      )
      const code = landed.searchParams.get('code')
      if (code === null) throw new Error(`No code in ${landed}`)
      const fields = { code, code_verifier: verifier, redirect_uri: redirectUri }
      const tokens = await requestTokens(clientId, { grant_type: 'authorization_code', ...fields })
      return { tokens, jar: browser.jar }
    },
    refresh: ({ clientId, refreshToken }) =>
      requestTokens(clientId, { grant_type: 'refresh_token', refresh_token: refreshToken }),
  }
}

function toAuthorizeQuery(clientId: string, resource: string, scope: string): URLSearchParams {
  return new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state: 'state-0123456789abcdef',
    scope,
    resource,
    prompt: 'consent',
  })
}

/** The text members of a JSON answer; throws when the status is another. */
function parseAnswer(reply: Reply, status: number): (name: string) => string {
  if (reply.status !== status) throw new Error(`Answered ${reply.status}: ${reply.body}`)
  const members = JSON.parse(reply.body) as Record<string, unknown>
  return (name) => {
    const value = members[name]
    if (typeof value !== 'string') throw new Error(`No ${name} in ${reply.body}`)
    return value
  }
}

/** Pages and redirects that one authorization may take at most. */
const longestWalk = 12

/** A browser without pictures, which allows whatever it is asked. */
function createBrowser(send: Send, origin: string, before: Jar) {
  const jar = new Map(before)
  const load = async (message: Message): Promise<Reply> => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...message.headers, accept: 'text/html', ...(cookie !== '' && { cookie }) }
    const reply = await send({ ...message, headers })
    for (const line of readHeaders(reply.head, 'set-cookie')) keepCookie(jar, line)
    return reply
  }
  const walk = async (start: string): Promise<URL> => {
    let reply = await load({ method: 'GET', path: start, headers: { 'sec-fetch-site': 'none' } })
    let at = new URL(start, origin)
    for (let steps = 0; steps < longestWalk; steps += 1) {
      if (reply.status === 200) {
        reply = await load(toDecision(reply.body, at))
        continue
      }
      const location = findHeader(reply, 'location')
      if (location === undefined) throw new Error(`Answered ${reply.status}: ${reply.body}`)
      at = new URL(location, at)
      if (at.origin !== origin) return at
      const headers = { 'sec-fetch-site': 'same-origin' }
      reply = await load({ method: 'GET', path: at.pathname + at.search, headers })
    }
    throw new Error(`The authorization did not end: ${at}`)
  }
  return { jar: jar as Jar, walk }
}

function keepCookie(jar: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';')
  const at = pair.indexOf('=')
  const isGone = attributes.some((text) => /^\s*(max-age=0|expires=thu, 01 jan 1970)/i.test(text))
  if (isGone) jar.delete(pair.slice(0, at))
  else jar.set(pair.slice(0, at), pair.slice(at + 1))
}

/** What pressing Allow sends: the form's hidden fields and every box ticked. */
function toDecision(page: string, at: URL): Message {
  const form = /<form[^>]*\saction="([^"]+)"[^>]*>([\s\S]*?)<\/form>/.exec(page)
  if (!form) throw new Error(`No form at ${at}`)
  const [, action = '', inner = ''] = form
  const body = new URLSearchParams()
  for (const [input] of inner.matchAll(/<input[^>]*>/g)) {
    const name = readAttribute(input, 'name')
    const isWanted = /type="hidden"/.test(input) || readAttribute(input, 'name') === 'scope'
    if (name !== undefined && isWanted) body.append(name, readAttribute(input, 'value') ?? 'on')
  }
  body.append('decision', 'allow')
  const { pathname, search } = new URL(action.replaceAll('&amp;', '&'), at)
  const headers = { ...formType, 'sec-fetch-site': 'same-origin' }
  return { method: 'POST', path: pathname + search, headers, body: body.toString() }
}

function readAttribute(tag: string, name: string): string | undefined {
  return new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll('&amp;', '&')
}
