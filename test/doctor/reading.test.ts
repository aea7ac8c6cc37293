/** Reading answers: whose page stands in front, which hosts are nobody's, what a refusal says. */
import { describe, expect, it } from 'vitest'
import type { Observation, SeenResponse } from '../../src/doctor/observation.ts'
import {
  findWall,
  isInternalHost,
  readError,
  readKind,
  readLocation,
  tell,
} from '../../src/doctor/reading.ts'

const answer = (change: Partial<SeenResponse>): SeenResponse => ({
  status: 200,
  headers: {},
  body: '',
  ...change,
})

const observe = (response?: SeenResponse): Observation => ({
  request: { method: 'GET', url: 'https://mcp.example.com/mcp', headers: {} },
  ...(response === undefined
    ? { failure: { kind: 'refused', detail: 'nothing listens there' } as const }
    : { response }),
  milliseconds: 1,
})

const walls: [string, Partial<SeenResponse>][] = [
  ['Cloudflare', { status: 403, headers: { 'cf-mitigated': 'challenge' } }],
  ['Cloudflare', { status: 503, body: '<html><head><title>Just a moment...</title>' }],
  ['Vercel', { status: 429, headers: { 'x-vercel-mitigated': 'challenge' } }],
  ['AWS WAF', { status: 405, headers: { 'x-amzn-waf-action': 'captcha' } }],
  ['Imperva', { body: '<iframe src="/_Incapsula_Resource?SWUDNSAI=31">' }],
  ['Akamai', { status: 403, body: 'Reference #18 https://errors.edgesuite.net/18' }],
  ['localtunnel', { status: 511, body: 'send a bypass-tunnel-reminder header' }],
  ['Cloudflare Tunnel', { status: 530, body: 'error code: 1033' }],
]

describe('a page in front', () => {
  it.each(walls)('is known as one of %s', (by, change) => {
    expect(findWall(answer(change))?.by).toBe(by)
    expect(readKind(observe(answer(change)))).toBe('wall')
  })

  it('is not what a server behind Cloudflare says itself', () => {
    expect(findWall(answer({ status: 403, headers: { server: 'cloudflare' } }))).toBeUndefined()
  })
})

describe('a host', () => {
  it.each(['localhost', 'backend', '127.0.0.1', '10.1.2.3', '[::1]', 'mcp.internal', 'nas.local'])(
    '%s is reached from within only',
    (host) => expect(isInternalHost(host)).toBe(true),
  )

  it.each(['mcp.example.com', '8.8.8.8', 'localhost.example.com', '[2606:4700::1]'])(
    '%s is reached from the internet',
    (host) => expect(isInternalHost(host)).toBe(false),
  )
})

describe('an answer', () => {
  it('is told with status, type and target, or why there is none', () => {
    const type = { 'content-type': 'text/html' }
    expect(tell(observe(answer({ headers: type })))).toMatch(/\/mcp answered 200 \(text\/html\)$/)
    const moved = observe(answer({ status: 302, headers: { location: '/login' } }))
    expect(tell(moved)).toMatch(/answered 302, Location: \/login$/)
    expect(readLocation(moved)?.href).toBe('https://mcp.example.com/login')
    expect(tell(observe())).toMatch(/had no answer: nothing listens there$/)
  })

  it('says its error as JSON does, or as the words of a page', () => {
    const json = { error: 'invalid_scope', error_description: 'No such scope' }
    expect(readError(answer({ json }))).toBe('invalid_scope: No such scope')
    const body = '<style>h1 {}</style><h1>Client   Not</h1>\n<p>Registered</p>'
    expect(readError(answer({ body }))).toBe('Client Not Registered')
  })
})
