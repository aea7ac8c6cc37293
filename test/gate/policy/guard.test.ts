/** A host that answers MCP itself: its guard counts hierarchies, and what connecting needs (D54). */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startTestGatehouse, type TestGatehouse } from '../../helpers/gatehouse.ts'
import { readChallenge, scopeHierarchy, scopes } from './fixture.ts'

let running: TestGatehouse
beforeEach(async () => {
  running = await startTestGatehouse({
    scopes,
    defaultScopes: ['read'],
    scopeHierarchy,
    backends: [{ to: 'http://127.0.0.1:9/mcp', policy: { connect: ['read'] } }],
  })
})
afterEach(() => running.close())

async function guard(scope: string, needed: string[]) {
  const { gatehouse, issuer } = running
  const claims = { sub: 'user', aud: `${issuer}/mcp`, client_id: 'client', gid: 'grant' }
  const token = await gatehouse.context.accessTokens.mint({ ...claims, scope }, 60)
  const headers = { authorization: `Bearer ${token}`, host: new URL(issuer).host }
  return gatehouse.guard(new Request(`${issuer}/mcp`, { headers }), { scopes: needed })
}

it.each([
  ['account', ['write']],
  ['write', ['read']],
  ['read payment', ['payment']],
])('a token with %s passes where %j is needed', async (scope, needed) => {
  expect(await guard(scope, needed)).toMatchObject({ auth: { scopes: scope.split(' ') } })
})

it.each([
  ['read', ['write'], 'read write'],
  ['payment', ['payment'], 'read payment'],
])('a token with %s is refused where %j is needed', async (scope, needed, asked) => {
  const guarded = await guard(scope, needed)
  const response = 'response' in guarded ? guarded.response : new Response()
  expect(response.status).toBe(403)
  expect(readChallenge(response.headers.get('www-authenticate')).scope).toBe(asked)
})
