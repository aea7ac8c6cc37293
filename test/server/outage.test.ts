/**
 * What clients hear while the store fails, and how they recover (decision P5; SG-08, SG-10).
 *
 * Every operation of every request fails once: before it did anything, and after it took effect. The
 * client hears 503 and tries the same again, as an honest one does.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { unavailable } from '../../src/errors.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { families } from '../../src/storage/records/family.ts'
import { endedGrants, grants } from '../../src/storage/records/grant.ts'
import type { Store } from '../../src/storage/store.ts'
import { type FailingStore, type FailurePoint, failingStore } from '../helpers/failing-store.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import {
  postBody,
  postForm,
  type Registered,
  readClaims,
  redeem,
  refresh,
  registerClient,
  type TokenAnswer,
} from '../helpers/oauth-client.ts'
import { createPerson, type Person } from '../helpers/person.ts'

const redirectUri = 'https://client.example/callback'

/** No request needs more operations than this. */
const mostOperations = 12

let store: FailingStore
let server: TestGatehouse
let person: Person
let client: Registered
beforeAll(async () => {
  const clock = testClock()
  store = failingStore(memoryStore({ clock }))
  server = await startTestGatehouse({ store, clock })
  person = await createPerson(server)
  client = await registerClient(server.send)
})
afterEach(() => store.heal())
afterAll(() => server.close())

function expectUnavailable({ status, headers, body }: TokenAnswer): void {
  expect(body).toEqual({ error: 'temporarily_unavailable', error_description: expect.any(String) })
  expect(status).toBe(503)
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(headers.get('content-type')).toBe('application/json')
  expect(headers.get('cache-control')).toBe('no-store')
}

/** One step of a client. */
interface Step {
  /** What the step needs, made anew for every failure; returns the request, which may be repeated. */
  prepare(): Promise<() => Promise<TokenAnswer>>
  /** Judges the answer that counts; `failed` names the operation that made the one before it a 503. */
  verify(answer: TokenAnswer, failed: string | undefined): Promise<void>
}

/**
 * Fails the first operation of the step, then the second …, until none is left to fail. What fails in
 * the background, after the answer was sure, disturbs nobody.
 *
 * @returns the operations whose failure the client heard of
 */
async function failEach(step: Step, point: FailurePoint): Promise<string[]> {
  const heard: string[] = []
  for (let nth = 1; nth <= mostOperations; nth++) {
    const attempt = await step.prepare()
    store.failAt(nth, point)
    const answer = await attempt()
    const failed = store.operations[nth - 1] ?? ''
    const hasFailed = store.hasFailed()
    store.heal()
    if (!hasFailed || answer.status < 500) {
      await step.verify(answer, undefined)
    } else {
      expectUnavailable(answer)
      heard.push(failed)
      await step.verify(await attempt(), failed)
    }
    if (!hasFailed) return heard
  }
  throw new Error(`More than ${mostOperations} operations`)
}

async function begin() {
  const { body } = await redeem(server.send, client, await person.authorize(client))
  const { access_token: accessToken = '', refresh_token: refreshToken = '' } = body
  return { accessToken, refreshToken, gid: String(readClaims(accessToken).gid) }
}

async function expectEnded(gid: string): Promise<void> {
  expect(await grants.find(store, gid)).toBeUndefined()
  expect(await families.find(store, gid)).toBeUndefined()
  expect(await endedGrants.find(store, gid)).toBeDefined()
}

const points: FailurePoint[] = ['before', 'after']

describe.each(points)('when one operation of the store fails %s it took effect', (point) => {
  it('a registration can be repeated (CR-22, SG-10)', async () => {
    const body = JSON.stringify({
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
    })
    const json = { 'content-type': 'application/json' }
    const step: Step = {
      prepare: async () => () => postBody(server.send, '/register', body, json),
      verify: async (answer) => {
        expect(answer.status).toBe(201)
        const made = { client_id: String(answer.body.client_id), redirect_uris: [redirectUri] }
        const tokens = await redeem(server.send, made, await person.authorize(made))
        expect(tokens.status).toBe(200)
      },
    }
    expect(await failEach(step, point)).toHaveLength(1)
  })

  it('a code can be redeemed after all, or is used and leaves nothing alive (CD-12, SG-08)', async () => {
    let code = ''
    const step: Step = {
      prepare: async () => {
        code = await person.authorize(client)
        return () => redeem(server.send, client, code)
      },
      verify: async (answer, failed) => {
        const isUsed = point === 'after' && failed?.startsWith('commit')
        if (!isUsed) return expect(answer.status).toBe(200)
        expect(answer.body.error).toBe('invalid_grant')
        server.clock.advance(3)
        expect((await redeem(server.send, client, code)).body.error).toBe('invalid_grant')
        await expectEnded(/grant\/([\w-]{22})/.exec(failed ?? '')?.[1] ?? '')
      },
    }
    expect(await failEach(step, point)).toHaveLength(2)
  })

  it('a refresh gives the same successor afterwards, and one family (RF-17, RF-18)', async () => {
    let grant = { refreshToken: '', gid: '' }
    const step: Step = {
      prepare: async () => {
        grant = await begin()
        return () => refresh(server.send, client, grant.refreshToken)
      },
      verify: async ({ status, body }) => {
        expect(status).toBe(200)
        const again = await refresh(server.send, client, grant.refreshToken)
        expect(again.body.refresh_token).toBe(body.refresh_token)
        expect((await families.find(store, grant.gid))?.value.generation).toBe(1)
        expect((await refresh(server.send, client, body.refresh_token)).status).toBe(200)
      },
    }
    expect(await failEach(step, point)).toHaveLength(2)
  })

  it('a replay still ends its grant the next time (RF-08)', async () => {
    let gid = ''
    const step: Step = {
      prepare: async () => {
        const first = await begin()
        gid = first.gid
        const second = await refresh(server.send, client, first.refreshToken)
        await refresh(server.send, client, second.body.refresh_token)
        return () => refresh(server.send, client, first.refreshToken)
      },
      verify: async (answer) => {
        expect(answer.body.error).toBe('invalid_grant')
        await expectEnded(gid)
      },
    }
    expect(await failEach(step, point)).toHaveLength(4)
  })

  it('a revocation is not called done before it is, and can be repeated (RV-03)', async () => {
    let grant = { refreshToken: '', gid: '' }
    const step: Step = {
      prepare: async () => {
        grant = await begin()
        const fields = { token: grant.refreshToken, client_id: client.client_id }
        return () => postForm(server.send, '/revoke', fields)
      },
      verify: async ({ status }) => {
        expect(status).toBe(200)
        await expectEnded(grant.gid)
        const dead = await refresh(server.send, client, grant.refreshToken)
        expect(dead.body.error).toBe('invalid_grant')
      },
    }
    expect(await failEach(step, point)).toHaveLength(5)
  })

  it('an access token is not called revoked before it is (RV-03)', async () => {
    let token = ''
    const step: Step = {
      prepare: async () => {
        token = (await begin()).accessToken
        return () => postForm(server.send, '/revoke', { token, client_id: client.client_id })
      },
      verify: async ({ status }) => {
        expect(status).toBe(200)
        const jti = String(readClaims(token).jti)
        expect(await endedGrants.find(store, jti)).toBeDefined()
        expect(server.gatehouse.context.revocations.isEnded(jti)).toBe(true)
      },
    }
    expect(await failEach(step, point)).toHaveLength(2)
  })
})

describe('while the store is down', () => {
  it('every client hears 503 and keeps what it has (RF-17, RV-03, CR-22, P5)', async () => {
    const code = await person.authorize(client)
    const { accessToken, refreshToken } = await begin()
    const body = JSON.stringify({ redirect_uris: [redirectUri] })
    const { client_id } = client
    store.failAlways()
    expectUnavailable(
      await postBody(server.send, '/register', body, { 'content-type': 'application/json' }),
    )
    expectUnavailable(await redeem(server.send, client, code))
    expectUnavailable(await refresh(server.send, client, refreshToken))
    for (const token of [accessToken, refreshToken]) {
      expectUnavailable(await postForm(server.send, '/revoke', { client_id, token }))
      expectUnavailable(await postForm(server.send, '/introspect', { client_id, token }))
    }
    store.heal()
    expect((await redeem(server.send, client, code)).status).toBe(200)
    expect((await refresh(server.send, client, refreshToken)).status).toBe(200)
  })

  it('a wrong secret cannot be told from a right one: nobody hears invalid_client (P5)', async () => {
    store.failAlways()
    expectUnavailable(await redeem(server.send, client, 'ghc_x', { client_secret: 'wrong' }))
  })

  it('is told to the owner in the log, with the cause', async () => {
    store.failAlways()
    server.log.lines.length = 0
    await refresh(server.send, client, 'x')
    expect(server.log.lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        fields: expect.objectContaining({ reason: 'store_test', status: 503 }),
      }),
    )
  })

  it('what needs no store is served: documents, keys, liveness', async () => {
    store.failAlways()
    for (const path of ['/.well-known/oauth-authorization-server', '/jwks', '/healthz']) {
      expect((await server.send(path)).status).toBe(200)
    }
  })

  it('readiness says no, and yes again (P5)', async () => {
    store.failAlways()
    const response = await server.send('/readyz')
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).not.toBeNull()
    store.heal()
    const again = await server.send('/readyz')
    expect(again.status).toBe(200)
    expect(await again.json()).toEqual({ status: 'ok' })
  })

  it('readiness does not wait for what the gate cannot know yet (RS-11)', async () => {
    const inner = memoryStore({ clock: server.clock })
    const list: Store['list'] = async (prefix, options) => {
      if (prefix === endedGrants.key('')) throw unavailable('store_test')
      return inner.list(prefix, options)
    }
    const blind = await startTestGatehouse({ store: { ...inner, list }, clock: server.clock })
    expect((await blind.send('/readyz')).status).toBe(503)
    await blind.close()
  })
})
