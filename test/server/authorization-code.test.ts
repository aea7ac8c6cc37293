/** grant_type=authorization_code (catalogue §9, decision P4). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registerClient as registerOwnClient } from '../../src/server/clients/register.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { clients } from '../../src/storage/records/client.ts'
import { families } from '../../src/storage/records/family.ts'
import { clientGrants, endedGrants, grants, userGrants } from '../../src/storage/records/grant.ts'
import type { Commit, Store } from '../../src/storage/store.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import {
  challenge,
  type Registered,
  readClaims,
  redeem,
  refresh,
  registerClient,
  type TokenAnswer,
  verifier,
} from '../helpers/oauth-client.ts'
import { createPerson, type Person } from '../helpers/person.ts'
import { expectError } from '../helpers/token-error.ts'
import { verifies, verifiesThat } from '../verifies.ts'

const wrongVerifier = 'w'.repeat(43)

/** What happens in the store before a commit goes through; set by tests about races. */
let beforeCommit: ((change: Commit) => Promise<void>) | undefined

let store: Store
let server: TestGatehouse
let other: TestGatehouse
let person: Person
let client: Registered
beforeAll(async () => {
  const clock = testClock()
  const inner = memoryStore({ clock })
  const commit: Store['commit'] = async (change) => {
    await beforeCommit?.(change)
    return inner.commit(change)
  }
  store = { ...inner, commit }
  const options = { store, clock, lifetimes: { sessionSeconds: 10 * 86_400 } }
  server = await startTestGatehouse(options)
  other = await startTestGatehouse(options)
  person = await createPerson(server)
  client = await registerClient(server.send)
})
afterAll(async () => {
  await server.close()
  await other.close()
})

/** What the gate says to a token: 502, because nobody runs the backend, or 401. */
async function knock(token: string | undefined): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return (await server.send('/mcp', { method: 'POST', headers, body: '{}' })).status
}

function eventsOf(grantId: unknown): string[] {
  return server.audit.filter((event) => event.grantId === grantId).map((event) => event.event)
}

const gidOf = (tokens: TokenAnswer): string => String(readClaims(tokens.body.access_token).gid)

describe('a code', () => {
  it('becomes a short-lived access token and a refresh token (D19, K5)', async () => {
    const code = await person.authorize(client, { scope: 'notes:read notes:write' })
    const { status, headers, body } = await redeem(server.send, client, code)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('pragma')).toBe('no-cache')
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: expect.stringMatching(/^ghr_/),
      scope: 'notes:read notes:write',
    })
    const now = server.clock.now()
    expect(readClaims(body.access_token)).toEqual({
      iss: server.issuer,
      sub: person.userId,
      aud: 'https://mcp.example.com/mcp',
      iat: now,
      exp: now + 3600,
      jti: expect.any(String),
      client_id: client.client_id,
      scope: 'notes:read notes:write',
      gid: expect.any(String),
    })
    expect(await knock(body.access_token)).toBe(502)
  })

  it('becomes no refresh token for a client that registered none (RF-20)', async () => {
    const single = await registerClient(server.send, { grant_types: ['authorization_code'] })
    const code = await person.authorize(single, { scope: 'notes:read offline_access' })
    const tokens = await redeem(server.send, single, code)
    expect(tokens.status).toBe(200)
    expect(tokens.body).not.toHaveProperty('refresh_token')
  })

  it('dies after sixty seconds by the clock (CD-09)', async () => {
    const [inTime, late] = [await person.authorize(client), await person.authorize(client)]
    server.clock.advance(59)
    expect((await redeem(server.send, client, inTime)).status).toBe(200)
    server.clock.advance(1)
    expectError(await redeem(server.send, client, late), 'invalid_grant')
  })

  verifiesThat('A5', 'the code', async () => {
    const patient = await startTestGatehouse({
      store,
      clock: server.clock,
      lifetimes: { codeSeconds: 600, accessTokenSeconds: 900 },
    })
    const code = await (await createPerson(patient, 'patient@example.com')).authorize(client)
    server.clock.advance(599)
    const tokens = await redeem(patient.send, client, code)
    expect(tokens.body.expires_in).toBe(900)
    await patient.close()
  })

  it('is judged once: what takes long afterwards does not kill it (CD-13)', async () => {
    const code = await person.authorize(client)
    beforeCommit = async () => server.clock.advance(120)
    const tokens = await redeem(server.send, client, code)
    beforeCommit = undefined
    expect(tokens.status).toBe(200)
  })

  it.each([
    ['cut short', (code: string) => code.slice(0, -1)],
    ['too long', (code: string) => `${code}A`],
    ['without its prefix', (code: string) => code.slice(4)],
    ['in capitals', (code: string) => `ghc_${code.slice(4).toUpperCase()}`],
    ['with white space', (code: string) => `${code}\n`],
  ])('%s is no code (CD-15)', async (_, change) => {
    const code = await person.authorize(client)
    expectError(await redeem(server.send, client, change(code)), 'invalid_grant')
    expect((await redeem(server.send, client, code)).status).toBe(200)
  })

  it('and other secrets stay what they are (CD-16, RF-13)', async () => {
    const code = await person.authorize(client)
    expectError(await refresh(server.send, client, code), 'invalid_grant')
    expect(await knock(code)).toBe(401)
    const { access_token = '', refresh_token = '' } = (await redeem(server.send, client, code)).body
    expectError(await redeem(server.send, client, refresh_token), 'invalid_grant')
    expectError(await redeem(server.send, client, access_token), 'invalid_grant')
    expectError(await refresh(server.send, client, access_token), 'invalid_grant')
    expect(await knock(refresh_token)).toBe(401)
    expect((await refresh(server.send, client, refresh_token)).status).toBe(200)
  })

  it('of a user who was removed is dead (RF-16)', async () => {
    const leaver = await createPerson(server, 'leaver@example.com')
    const code = await leaver.authorize(client)
    await server.gatehouse.context.users.remove(leaver.userId)
    expectError(await redeem(server.send, client, code), 'invalid_grant')
  })

  it('of a user who is removed at this very moment leaves no grant behind (RF-16)', async () => {
    const leaver = await createPerson(server, 'late-leaver@example.com')
    const code = await leaver.authorize(client)
    beforeCommit = async () => {
      beforeCommit = undefined
      await server.gatehouse.context.users.remove(leaver.userId)
    }
    expectError(await redeem(server.send, client, code), 'invalid_grant')
    expect(await userGrants.list(store, [leaver.userId])).toEqual([])
  })

  it('of a client that is removed at this very moment leaves no grant behind (CR-22)', async () => {
    const removed = await registerClient(server.send)
    const code = await person.authorize(removed)
    beforeCommit = async () => {
      beforeCommit = undefined
      await store.commit({ delete: [clients.key(removed.client_id)] })
    }
    expectError(await redeem(server.send, removed, code), 'invalid_grant')
    expect(await clientGrants.list(store, [removed.client_id])).toEqual([])
  })
})

describe('what the code is bound to', () => {
  it.each([
    ['wrong', wrongVerifier],
    ['missing', undefined],
    ['the challenge itself', challenge],
    ['too short', verifier.slice(0, 42)],
    ['padded', `${verifier}=`],
    ['in other case', verifier.toUpperCase()],
    ['longer than any may be', verifier.repeat(4)],
  ])(
    'a verifier that is %s redeems nothing and burns nothing (CD-01, CD-04)',
    async (_, code_verifier) => {
      const code = await person.authorize(client)
      expectError(await redeem(server.send, client, code, { code_verifier }), 'invalid_grant')
      expect((await redeem(server.send, client, code)).status).toBe(200)
    },
  )

  it('survives four failures and is burnt by the fifth (P4)', async () => {
    for (const failures of [4, 5]) {
      const code = await person.authorize(client)
      for (let failure = 0; failure < failures; failure++) {
        const wrong = { code_verifier: wrongVerifier }
        expectError(await redeem(server.send, client, code, wrong), 'invalid_grant')
      }
      const { status } = await redeem(server.send, client, code)
      expect(status).toBe(failures < 5 ? 200 : 400)
    }
  })

  it('is not lost to a wrong attempt that runs at the same time (P4)', async () => {
    const code = await person.authorize(client)
    const wrong = { code_verifier: wrongVerifier }
    const answers = await Promise.all([
      redeem(server.send, client, code, wrong),
      redeem(server.send, client, code),
      redeem(other.send, client, code, wrong),
    ])
    expect(answers.map(({ status }) => status)).toEqual([400, 200, 400])
  })

  it('needs no verifier only where the owner allowed that, and then takes none (CD-02, H5)', async () => {
    const metadata = {
      redirect_uris: ['https://chat.openai.com/aip/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post' as const,
    }
    const choices = { origin: 'preregistered', pkce: 'optional' } as const
    const made = await registerOwnClient(metadata, choices, server.gatehouse.context)
    const own = {
      client_id: made?.client.id ?? '',
      client_secret: made?.secret ?? '',
      redirect_uris: metadata.redirect_uris,
    }
    const bare = { code_challenge: undefined, code_challenge_method: undefined }
    const code = await person.authorize(own, bare)
    expectError(await redeem(server.send, own, code), 'invalid_grant')
    const tokens = await redeem(server.send, own, code, { code_verifier: undefined })
    expect(tokens.status).toBe(200)

    const bound = await person.authorize(own)
    const without = { code_verifier: undefined }
    expectError(await redeem(server.send, own, bound, without), 'invalid_grant')
  })

  verifiesThat('K11', 'port of a loopback URI included (CD-10)', async () => {
    const native = await registerClient(server.send, { redirect_uris: ['http://127.0.0.1/cb'] })
    const redirect_uri = 'http://127.0.0.1:40001/cb'
    for (const wrong of ['http://127.0.0.1:40002/cb', 'http://127.0.0.1/cb', `${redirect_uri}/`]) {
      const code = await person.authorize(native, { redirect_uri })
      const refused = await redeem(server.send, native, code, { redirect_uri: wrong })
      expectError(refused, 'invalid_grant')
      expect((await redeem(server.send, native, code, { redirect_uri })).status).toBe(200)
    }
    const code = await person.authorize(native, { redirect_uri })
    const silent = await redeem(server.send, native, code, { redirect_uri: undefined })
    expect(silent.status).toBe(200)
  })

  it('is one client, whose code nobody else redeems or ends (CD-10, TK-12)', async () => {
    const thief = await registerClient(server.send)
    const code = await person.authorize(client)
    expectError(await redeem(server.send, thief, code), 'invalid_grant')
    expect((await redeem(server.send, client, code)).status).toBe(200)
  })

  it('is one resource, in any spelling (CD-10, K4)', async () => {
    const code = await person.authorize(client)
    const elsewhere = { resource: 'https://mcp.example.com/other' }
    expectError(await redeem(server.send, client, code, elsewhere), 'invalid_target')
    const spelt = { resource: 'HTTPS://MCP.Example.com:443/mcp/' }
    const tokens = await redeem(server.send, client, code, spelt)
    expect(readClaims(tokens.body.access_token).aud).toBe('https://mcp.example.com/mcp')
  })

  it('is one resource of several (CD-10)', async () => {
    const clock = testClock()
    const two = await startTestGatehouse({
      clock,
      backends: [
        { id: 'a', path: '/a' },
        { id: 'b', path: '/b' },
      ],
    })
    const user = await createPerson(two)
    const app = await registerClient(two.send)
    const [a, b] = [`${two.issuer}/a`, `${two.issuer}/b`]
    const code = await user.authorize(app, { resource: a })
    expectError(await redeem(two.send, app, code, { resource: b }), 'invalid_target')
    const tokens = await redeem(two.send, app, code)
    expect(readClaims(tokens.body.access_token).aud).toBe(a)
    await two.close()
  })
})

describe('a code that comes again', () => {
  it('within two seconds is an impatient client: refused, and nothing else (CD-05)', async () => {
    const code = await person.authorize(client)
    const tokens = await redeem(server.send, client, code)
    server.clock.advance(2)
    expectError(await redeem(server.send, client, code), 'invalid_grant')
    expect(await knock(tokens.body.access_token)).toBe(502)
    expect((await refresh(server.send, client, tokens.body.refresh_token)).status).toBe(200)
    expect(eventsOf(gidOf(tokens))).not.toContain('grant.ended')
  })

  it.each([3, 30, 59, 61, 3000])('after %i seconds ends the grant (CD-05)', async (seconds) => {
    const code = await person.authorize(client)
    const tokens = await redeem(server.send, client, code)
    expect(await knock(tokens.body.access_token)).toBe(502)
    server.clock.advance(seconds)
    expectError(await redeem(server.send, client, code), 'invalid_grant')
    expectError(await refresh(server.send, client, tokens.body.refresh_token), 'invalid_grant')
    expect(await knock(tokens.body.access_token)).toBe(401)
    expect(eventsOf(gidOf(tokens))).toEqual(
      expect.arrayContaining(['token.issued', 'grant.ended', 'code.replayed']),
    )
  })

  it('from someone without client or verifier ends nothing (CD-07, P4)', async () => {
    const code = await person.authorize(client)
    const tokens = await redeem(server.send, client, code)
    const thief = await registerClient(server.send)
    server.clock.advance(30)
    expectError(await redeem(server.send, thief, code), 'invalid_grant')
    const wrong = { code_verifier: wrongVerifier }
    expectError(await redeem(server.send, client, code, wrong), 'invalid_grant')
    expectError(await redeem(server.send, client, `${code.slice(0, -4)}AAAA`), 'invalid_grant')
    expect((await refresh(server.send, client, tokens.body.refresh_token)).status).toBe(200)
  })

  it('fifty times at once, at two instances, is one 200 (CD-06, SG-01)', async () => {
    const code = await person.authorize(client)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        redeem([server, other][n % 2]?.send ?? server.send, client, code),
      ),
    )
    const [winner, ...more] = answers.filter(({ status }) => status === 200)
    expect(more).toEqual([])
    for (const answer of answers) if (answer !== winner) expectError(answer, 'invalid_grant')

    const gid = winner ? gidOf(winner) : ''
    const grantsHere = (await userGrants.list(store, [person.userId], { limit: 1000 })).filter(
      ({ key }) => key.endsWith(gid),
    )
    expect(grantsHere).toHaveLength(1)
    expect((await refresh(server.send, client, winner?.body.refresh_token)).status).toBe(200)
  })

  it('stays dead over a restart (CD-05, RF-09)', async () => {
    const code = await person.authorize(client)
    const tokens = await redeem(server.send, client, code)
    server.clock.advance(3)
    expectError(await redeem(server.send, client, code), 'invalid_grant')
    const { issuer, clock } = server
    const again = await startTestGatehouse({ store, issuer, clock })
    expectError(await redeem(again.send, client, code), 'invalid_grant')
    expectError(await refresh(again.send, client, tokens.body.refresh_token), 'invalid_grant')
    const gid = gidOf(tokens)
    expect(await grants.find(store, gid)).toBeUndefined()
    expect(await families.find(store, gid)).toBeUndefined()
    expect((await endedGrants.find(store, gid))?.value.why).toBe('code_replayed')
    await again.close()
  })
})

describe('the refusals', () => {
  verifies('N4', async () => {
    const code = await person.authorize(client)
    const redirect_uri = 'https://client.example/other'
    const mismatch = await redeem(server.send, client, code, { redirect_uri })
    expect(mismatch.body.error).toBe('invalid_grant')
    expect(mismatch.body.error_description).toMatch(/^Redirect URI mismatch: /)
    expect((await redeem(server.send, client, code)).status).toBe(200)
    const used = await redeem(server.send, client, code)
    expect(used.body.error).toBe('invalid_grant')
    expect(used.body.error_description).toMatch(/^Invalid authorization code: /)
    const secret = await redeem(server.send, client, code, { client_secret: 'wrong' })
    expect(secret.body.error).toBe('invalid_client')
    expect(secret.body.error_description).toMatch(/^Invalid client: /)
  })

  it('say the same of unknown, expired, used and foreign codes (TK-21, TK-22)', async () => {
    const [used, expired] = [await person.authorize(client), await person.authorize(client)]
    await redeem(server.send, client, used)
    const stranger = await registerClient(server.send)
    const bodies = [
      await redeem(server.send, client, used),
      await redeem(server.send, client, `ghc_${'A'.repeat(43)}`),
      await redeem(server.send, stranger, expired),
    ].map(({ body }) => body)
    server.clock.advance(61)
    bodies.push((await redeem(server.send, client, expired)).body)
    expect(bodies).toEqual(Array(4).fill(bodies[0]))
    expect(bodies[0]?.error).toBe('invalid_grant')
  })
})
