/** Reading what was seen: what kind of answer came, and how to say so in a sentence. Pure. */
import ipaddr from 'ipaddr.js'
import { isObject, type JsonObject } from './documents.ts'
import type { Observation, SeenResponse } from './observation.ts'

/** What kind of answer came, as far as every check cares. */
export type Kind =
  | 'unanswered'
  | 'wall'
  | 'limited'
  | 'server-error'
  | 'redirect'
  | 'html'
  | 'document'
  | 'not-json'
  | 'protected'
  | 'absent'

/** Says what kind of answer came. A page of something in front explains everything about its answer. */
export function readKind(observation: Observation): Kind {
  const { response } = observation
  if (response === undefined) return 'unanswered'
  if (findWall(response) !== undefined) return 'wall'
  if (response.status === 429) return 'limited'
  if (response.status >= 500) return 'server-error'
  if (response.status >= 300 && response.status < 400) return 'redirect'
  if (response.status === 401 || response.status === 403) return 'protected'
  if (response.status >= 400) return 'absent'
  if (parseMembers(response.json) !== undefined) return 'document'
  return isHtml(response) ? 'html' : 'not-json'
}

/** Returns a value as an object with members, or undefined when it is none. */
export function parseMembers(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined
}

/** Returns a value as a text that is not empty, or undefined. */
export function parseText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Returns the texts of an array; undefined when it is no array. */
export function parseTexts(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined
  return value.filter((each): each is string => typeof each === 'string')
}

/** Returns a value as a URL, or undefined when it is none. */
export function parseUrl(value: unknown, base?: string): URL | undefined {
  return typeof value === 'string' ? (URL.parse(value, base) ?? undefined) : undefined
}

/** Whether the answer is a page for people. */
export function isHtml({ headers, body }: SeenResponse): boolean {
  return (
    /\bhtml\b/i.test(headers['content-type'] ?? '') || /^\s*<(!doctype html|html)\b/i.test(body)
  )
}

/** Whether a host name means this machine or a private network: no client on the internet reaches it. */
export function isInternalHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  if (ipaddr.isValid(host)) return ipaddr.process(host).range() !== 'unicast'
  return !host.includes('.') || /\.(local|localhost|internal|lan|home|corp|test)$/.test(host)
}

/** Where a redirect leads; undefined when the answer is none. */
export function readLocation({ request, response }: Observation): URL | undefined {
  if (response === undefined || response.status < 300 || response.status >= 400) return undefined
  return parseUrl(response.headers['location'], request.url)
}

/** Says in a sentence what came of a request, with the values. */
export function tell(observation: Observation): string {
  const { request, response, failure } = observation
  const asked = `${request.method} ${request.url}`
  if (response === undefined) return `${asked} had no answer: ${failure?.detail ?? 'not sent'}`
  const type = response.headers['content-type']
  const location = response.headers['location']
  if (location !== undefined) return `${asked} answered ${response.status}, Location: ${location}`
  return `${asked} answered ${response.status}${type === undefined ? '' : ` (${type})`}`
}

/** The error that an answer of an OAuth endpoint names, and its description, in one text. */
export function readError({ json, body }: SeenResponse): string {
  const { error, error_description: description } = parseMembers(json) ?? {}
  const said = [parseText(error), parseText(description)].filter((part) => part !== undefined)
  if (said.length > 0) return said.join(': ')
  const text = body.replace(/<(style|script)\b.*?<\/\1>/gis, ' ').replace(/<[^>]*>/g, ' ')
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= 200 ? line : `${line.slice(0, 199)}…`
}

/** A page that something in front of the server shows in its place. */
export interface Wall {
  readonly kind: 'bot-challenge' | 'tunnel-warning' | 'tunnel-offline'
  /** Whose page it is. */
  readonly by: string
}

const walls: readonly (Wall & { readonly isIt: (response: SeenResponse) => boolean })[] = [
  {
    kind: 'bot-challenge',
    by: 'Cloudflare',
    isIt: ({ headers, body, status }) =>
      headers['cf-mitigated'] !== undefined ||
      (status >= 403 && /<title>(Just a moment|Attention Required! \| Cloudflare)/i.test(body)),
  },
  {
    kind: 'bot-challenge',
    by: 'Vercel',
    isIt: ({ headers }) => /challenge|deny/.test(headers['x-vercel-mitigated'] ?? ''),
  },
  {
    kind: 'bot-challenge',
    by: 'AWS WAF',
    isIt: ({ headers }) => headers['x-amzn-waf-action'] !== undefined,
  },
  {
    kind: 'bot-challenge',
    by: 'Imperva',
    isIt: ({ body }) => /_Incapsula_Resource|Incapsula incident ID/.test(body),
  },
  {
    kind: 'bot-challenge',
    by: 'Akamai',
    isIt: ({ body, status }) => status === 403 && /errors\.edgesuite\.net/.test(body),
  },
  {
    kind: 'bot-challenge',
    by: 'DataDome',
    isIt: ({ headers, status }) => status === 403 && headers['x-datadome'] !== undefined,
  },
  {
    kind: 'bot-challenge',
    by: 'HUMAN',
    isIt: ({ body, status }) => status === 403 && /\bpx-captcha\b/.test(body),
  },
  {
    kind: 'tunnel-warning',
    by: 'ngrok',
    isIt: ({ headers, body }) => /ERR_NGROK_6024/.test(`${headers['ngrok-error-code']} ${body}`),
  },
  {
    kind: 'tunnel-warning',
    by: 'localtunnel',
    isIt: ({ body, status }) => status >= 400 && /bypass-tunnel-reminder|loca\.lt/i.test(body),
  },
  {
    kind: 'tunnel-offline',
    by: 'ngrok',
    isIt: ({ headers, body }) =>
      headers['ngrok-error-code'] !== undefined || /\bERR_NGROK_\d+/.test(body),
  },
  {
    kind: 'tunnel-offline',
    by: 'Cloudflare Tunnel',
    isIt: ({ status, body }) =>
      status === 530 || (status >= 500 && /Cloudflare Tunnel error|error code: 1033/i.test(body)),
  },
]

/** The page in front that answered in the server's place, if one did. */
export function findWall(response: SeenResponse): Wall | undefined {
  return walls.find(({ isIt }) => isIt(response))
}
