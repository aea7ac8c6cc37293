/** Clients that guess where the endpoints are: only where a token is wanted, and only when they may register. */
import { describe, expect, it } from 'vitest'
import { diagnose } from '../../src/doctor/checks.ts'
import { clientRequestsAllowed } from '../../src/doctor/play.ts'
import { createReport, listObservations } from '../../src/doctor/report.ts'
import { profiles } from '../../src/profiles/registry.ts'
import { page, type Reply } from './broken/healthy.ts'
import { startSite } from './site.ts'
import { visit } from './visiting.ts'

const guessing = profiles.filter(({ id }) => id === 'claude-code' || id === 'python-sdk')
const challenge: Reply = { status: 401, headers: { 'www-authenticate': 'Bearer' } }

/** A server without metadata that answers like this at its MCP path. */
const startWithout = (mcp: Reply) =>
  startSite(({ url, method }) => {
    if (url.pathname === '/mcp') return mcp
    if (url.pathname === '/authorize') return page('Sign in')
    if (url.pathname !== '/register' || method !== 'POST') return page('Not found', 404)
    return { status: 201, body: { client_id: 'client-1', redirect_uris: [] } }
  })

describe('a client of MCP 2025-03-26 at a server without metadata', () => {
  it('registers and asks at the origin, within its few requests', async () => {
    const { origin, lines } = await startWithout(challenge)
    const { clients } = await visit(`${origin}/mcp`, { profiles: guessing })
    const own = lines().filter((line) => /register|authorize/.test(line))
    expect(own).toEqual(guessing.flatMap(() => ['POST /register', 'GET /authorize']))
    expect(own.length).toBeLessThanOrEqual(guessing.length * clientRequestsAllowed)
    expect(clients.map(({ authorize }) => authorize?.response?.status)).toEqual([200, 200])
  })

  it.each([
    ['lets everybody in', { status: 200, body: { jsonrpc: '2.0', id: 1, result: {} } }],
    ['knows no such path', page('Not found', 404)],
    ['is a website', page('Welcome')],
  ] satisfies [string, Reply][])('sends nothing that is kept where it %s', async (_, mcp) => {
    const { origin, lines } = await startWithout(mcp)
    await visit(`${origin}/mcp`, { profiles: guessing })
    expect(lines().filter((line) => /register|authorize/.test(line))).toEqual([])
  })

  it('is not said to fail when it was not allowed to try', async () => {
    const { origin } = await startWithout(challenge)
    const visited = await visit(`${origin}/mcp`, { mayRegister: false })
    const { verdicts } = createReport(visited, diagnose(visited))
    const outcomes = Object.fromEntries(verdicts.map(({ client, ...one }) => [client.id, one]))
    expect(outcomes['claude-code']).toMatchObject({
      outcome: 'unknown',
      reason: 'nothing stops it so far; more would take a registration',
    })
    expect(outcomes['chatgpt']).toMatchObject({ finding: 'metadata-missing' })
    expect(listObservations(visited).map(({ request }) => request.method)).not.toContain('DELETE')
  })
})
