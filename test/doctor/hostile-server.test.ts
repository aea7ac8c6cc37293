/** The doctor at a server that wants to steal from it, to keep it busy, or to break it. */
import { afterEach, describe, expect, it } from 'vitest'
import { parseBearerChallenge } from '../../src/doctor/challenge.ts'
import { diagnose } from '../../src/doctor/checks.ts'
import { findLoginFaults } from '../../src/doctor/login/login-faults.ts'
import { nameSecrets } from '../../src/doctor/login/login-ports.ts'
import { createSecretNames } from '../../src/doctor/login/secret-names.ts'
import { maskBody, maskHeaders, maskText } from '../../src/doctor/masking.ts'
import { toObservation } from '../../src/doctor/observe.ts'
import { createReport } from '../../src/doctor/report.ts'
import { hurry, logInAt } from './logging-in.ts'
import { type Faults, type LoginSite, startLoginSite } from './login-site.ts'
import { visit } from './visiting.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function startSite(faults: Faults): Promise<LoginSite> {
  const site = await startLoginSite(faults)
  cleanups.push(site.close)
  return site
}

/** How long something takes, in milliseconds. */
function measure(task: () => unknown): number {
  const begun = performance.now()
  task()
  return performance.now() - begun
}

describe('a login at a hostile server', () => {
  it('takes no code of another server to its token endpoint (RFC 9207 §1)', async () => {
    const site = await startSite({ iss: 'https://accounts.example' })
    const visit = await logInAt(site.issuer, { person: hurry })
    expect(visit.callback?.hasCode).toBe(true)
    expect(site.requests).not.toContain('POST /token')
    expect(site.clients.size).toBe(0)
  })

  it('does not begin where its tokens would be for another server (RFC 9728 §3.3)', async () => {
    const resource = 'https://mail.example/mcp'
    const { issuer } = await startSite({ resourceMetadata: { resource } })
    await expect(logInAt(issuer, { person: hurry })).rejects.toThrow(
      'The metadata is for a server at https://mail.example',
    )
  })

  it('goes on where only the scheme is another', async () => {
    const site = await startSite({})
    const resource = `${site.issuer.replace('http:', 'https:')}/mcp`
    await site.close()
    const again = await startSite({ resourceMetadata: { resource: resource.replace(/:\d+/, '') } })
    const visit = await logInAt(again.issuer, { person: hurry })
    expect(visit.token?.response?.status).toBe(200)
  })

  it('says that a client was registered, though its id cannot be read', async () => {
    const { issuer } = await startSite({ registered: { client_id: 7 } })
    const visit = await logInAt(issuer, { person: hurry })
    expect(findLoginFaults(visit).map(({ id }) => id)).toContain('login-registration-left')
  })

  it('sends no more than 16 requests, whatever revision and sessions it meets', async () => {
    const site = await startSite({ isModern: true, hasSessions: true, revokesNothing: true })
    const visit = await logInAt(site.issuer, { person: hurry })
    expect(visit.ending?.use?.response?.status).toBe(200)
    expect(site.clients.size).toBe(0)
    expect(visit.requests).toBeLessThanOrEqual(16)
  })

  it('shows no secret that stands where nobody looks for it (OP-03)', async () => {
    const { issuer } = await startSite({
      registered: {
        data: { client_secret: 'hidden-secret', registration_access_token: 'hidden-2' },
      },
      tokenAnswer: (answer) => ({ ...answer, user: { access_token: 'hidden-3' } }),
    })
    const visit = await logInAt(issuer, { person: hurry })
    expect(JSON.stringify(visit)).not.toContain('hidden-')
  })
})

describe('a report', () => {
  it('counts every request that was sent', async () => {
    const site = await startSite({})
    const visited = await visit(site.url)
    expect(createReport(visited, []).requests).toBe(site.requests.length)
  })
})

describe('what a hostile server answers', () => {
  it('may be nested without end', () => {
    const body = `{"a":${'['.repeat(32_000)}${']'.repeat(32_000)}}`
    const request = { method: 'GET', url: 'https://mcp.example/', headers: {} }
    const answer = { status: 200, headers: {}, body }
    const { response } = toObservation(request, { answer, milliseconds: 1 })
    expect(response?.json).toBeUndefined()
    expect(response?.body).toHaveLength(body.length)
  })

  it.each([
    ['half a token, again and again', () => maskText('-eyJaaaaaaaa'.repeat(5400))],
    ['quotes that nobody closes', () => parseBearerChallenge(`Bearer ${'"\\'.repeat(7000)}`)],
    ['values that nobody closes', () => parseBearerChallenge(`Bearer ${'a="\\'.repeat(3500)}`)],
    ['a word without end', () => parseBearerChallenge(`Bearer ${'a'.repeat(16_000)}`)],
    ['a body of names', () => maskBody(JSON.stringify('a="eyJ'.repeat(9000)))],
  ])('is read at once: %s', (_, read) => {
    const readOften = (): void => {
      for (let times = 0; times < 10; times += 1) read()
    }
    expect(measure(readOften)).toBeLessThan(250)
  })

  it('does not keep us busy with thousands of secrets', () => {
    const secrets = createSecretNames()
    const body = Array.from({ length: 4000 }, (_, at) => `access_token=${at}-token`).join('&')
    const request = { method: 'POST', url: 'https://mcp.example/token', headers: {} }
    const response = { status: 200, headers: {}, body }
    nameSecrets({ request, response, milliseconds: 1 }, secrets)
    const json = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`m${at}`, 'value']))
    expect(measure(() => secrets.mask(json))).toBeLessThan(1000)
    expect(secrets.mask('0-token 4-token')).toBe('[access token 1] [access token 5]')
  })

  it('may have a certificate without dates', async () => {
    const { url } = await startSite({})
    const visited = await visit(url)
    const certificate = { subject: 'x', issuer: 'y', validFrom: Number.NaN, validTo: Number.NaN }
    const facts = { host: 'mcp.example', port: 443, ipv4: [], ipv6: [], isPublic: true }
    const host = { ...facts, certificate: { ...certificate, problem: 'it is not trusted' } }
    const found = diagnose({ ...visited, shared: { ...visited.shared, host } })
    expect(found.map(({ seen }) => seen).join()).toContain('valid from an unreadable date')
  })

  it('hides a cookie with commas in it whole', () => {
    const field = 'a={"x":1,"y":secret}; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT, b=two,three'
    expect(maskHeaders({ 'set-cookie': field })).toEqual({
      'set-cookie': 'a=[masked]; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT, b=[masked]',
    })
  })
})
