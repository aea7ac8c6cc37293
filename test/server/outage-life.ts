/**
 * A deployment whose store fails, the person in front of it and a client: both honest, both stubborn.
 *
 * Whatever they ask is judged here: the server says 503 only while something failed, and says it in the
 * shape of the route; nothing else goes wrong.
 */
import { expect, vi } from 'vitest'
import type { Gatehouse } from '../../src/options.ts'
import { toCookieName } from '../../src/server/cookies.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import type { Store } from '../../src/storage/store.ts'
import { type FailingStore, failingStore } from '../helpers/failing-store.ts'
import {
  startTestGatehouse,
  type TestClock,
  type TestGatehouse,
  testClock,
} from '../helpers/gatehouse.ts'
import {
  authorizePath,
  postBody,
  postForm,
  type Registered,
  redeem,
  refresh,
  type TokenAnswer,
} from '../helpers/oauth-client.ts'
import { createPerson, type Errand, type Habit, type Person } from './outage-person.ts'
import { readTemplate, type SignIn, toSettings } from './outage-template.ts'

/**
 * How much a person or client may have to do again. `strict`: what was really done and cannot be told
 * again. `lenient`: anything. `contested`: they may even be told that somebody else was faster.
 */
export type Leniency = 'strict' | 'lenient' | 'contested'

export interface LifeOptions {
  readonly signIn: SignIn
  readonly habit: Habit
  /** Whether the backend can be called, which costs every new process two milliseconds. Default false. */
  readonly hasGate?: boolean
  readonly leniency?: Leniency
  /** How much longer than they are told to people and clients wait. Default 1. */
  readonly slowness?: number
}

export interface Life {
  readonly store: FailingStore
  /** What the store holds; looking never fails. */
  readonly rows: Store
  readonly clock: TestClock
  readonly issuer: string
  readonly person: Person
  /** Registered, confidential, never authorized. */
  readonly client: Registered
  /** The user of Ada; empty where nobody has an account. */
  readonly adaId: string
  /** Of a first start; empty when people have accounts. */
  readonly setUpLink: string
  /** Whether people press "cancel" at the provider. */
  declines: boolean
  gatehouse(): Gatehouse
  /** A new process on the same store, in place of the one before; started again until it starts. */
  restart(): Promise<void>
  /** Puts a session of Ada into the person's browser. */
  signInAda(): Promise<void>
  register(): Promise<Registered>
  /** Walks through the browser; the parameters with which the client gets it back. */
  authorize(wish: Wish): Promise<URLSearchParams>
  /** The same, and redeems the code; again from the beginning where the code is used and the answer lost. */
  connect(wish: Wish): Promise<TokenAnswer['body']>
  /** Asks until the answer is not 503. */
  ask(attempt: () => Promise<TokenAnswer>): Promise<TokenAnswer>
  refresh(token: string | undefined): Promise<TokenAnswer>
  introspect(token: string | undefined): Promise<TokenAnswer['body']>
  revoke(token: string | undefined): Promise<void>
  /** Status of a call to the backend. */
  call(accessToken: string | undefined): Promise<number>
  close(): Promise<void>
}

/** An authorization request and what the person does about it. */
export interface Wish extends Omit<Errand, 'url'> {
  readonly client?: Registered
  readonly extra?: Record<string, string | undefined>
}

const json = { 'content-type': 'application/json' }

/** Begins a life; nothing fails yet. */
export async function beginLife(options: LifeOptions): Promise<Life> {
  const { signIn, hasGate = false, leniency = 'strict', slowness = 1, habit } = options
  const template = await readTemplate(signIn)
  const clock = testClock()
  const memory = memoryStore({ clock })
  await memory.commit({
    set: template.rows.map(({ key, value, expiresAt }) => ({ key, value, expiresAt })),
  })
  const store = failingStore(memory)
  const settings = toSettings(signIn, hasGate, () => life.declines)
  const issuer = settings.issuer ?? 'https://mcp.example.com'
  let running: TestGatehouse | undefined = await startTestGatehouse({ ...settings, store, clock })

  const wait = (seconds: number): void => clock.advance(seconds * slowness)
  const hasLost = (commit: RegExp): boolean =>
    store.failures.some(
      ({ operation, point }) =>
        leniency !== 'strict' || (point === 'after' && commit.test(operation)),
    )
  const send = async (request: Request): Promise<Response> => {
    if (!running) throw new Error('Nothing is running')
    const response = await running.gatehouse.fetch(request)
    await settle()
    if (response.status >= 500) {
      expect(response.status, `${request.method} ${request.url}`).toBe(503)
      expect(store.failures, 'nothing failed').not.toEqual([])
    }
    return response
  }
  const sendPath = (path: string, init?: RequestInit) =>
    send(new Request(new URL(path, issuer), init))

  const ask: Life['ask'] = async (attempt) => {
    for (let tries = 0; tries < 400; tries++) {
      const answer = await attempt()
      if (answer.status !== 503) return answer
      expectUnavailable(answer)
      wait(Number(answer.headers.get('retry-after')))
    }
    throw new Error('The server never answers')
  }

  const life: Life = {
    store,
    rows: memory,
    clock,
    issuer,
    client: template.client,
    adaId: template.adaId,
    setUpLink: template.setUpLink,
    declines: false,
    person: createPerson({
      origin: issuer,
      send,
      habit,
      wait,
      ...(leniency === 'contested' && { onRefused: () => expect(store.failures).toHaveLength(1) }),
      onOver: (path) => {
        // A state that was taken is not given back; the page of the failure led on.
        const isStale = path.startsWith('/callback') && habit !== 'follows the link'
        const isTaken =
          isStale && store.operations.some((name) => name.includes('-upstream-state/'))
        expect(
          isTaken || hasLost(/^commit (?:code\/.* )?-flow\//),
          JSON.stringify(store.failures),
        ).toBe(true)
      },
    }),
    gatehouse: () => {
      if (!running) throw new Error('Nothing is running')
      return running.gatehouse
    },
    async restart() {
      await running?.close()
      running = undefined
      for (let tries = 0; !running; tries++) {
        try {
          running = await startTestGatehouse({ ...settings, store, clock })
        } catch (error) {
          if (tries > 400 || store.failures.length === 0) throw error
          expect(error).toMatchObject({ code: 'temporarily_unavailable' })
          expect(store.countListeners(), 'of a process that did not start').toBe(0)
          wait(2)
        }
      }
      await settle()
    },
    async signInAda() {
      const cookie = await life.gatehouse().context.sessions.open(template.adaId)
      life.person.browser.cookies.set(toCookieName('session', issuer), cookie)
    },
    async register() {
      const body = JSON.stringify({
        redirect_uris: ['https://client.example/callback'],
        token_endpoint_auth_method: 'client_secret_post',
      })
      const answer = await ask(() => postBody(sendPath, '/register', body, json))
      expect(answer.status).toBe(201)
      return answer.body as unknown as Registered
    },
    async authorize({ client = template.client, extra, ...errand }) {
      const url = issuer + authorizePath(client, extra)
      const { url: back } = await life.person.run({ ...errand, url })
      expect(back.href).toMatch(/^https:\/\/client\.example\/callback\?/)
      return back.searchParams
    },
    async connect(wish) {
      const client = wish.client ?? template.client
      for (let tries = 0; tries < 10; tries++) {
        const code = (await life.authorize(wish)).get('code')
        expect(code).not.toBeNull()
        const { status, body } = await ask(() => redeem(sendPath, client, code ?? ''))
        if (status === 200) return body
        expect(body.error).toBe('invalid_grant')
        expect(hasLost(/^commit code\//), JSON.stringify(store.failures)).toBe(true)
      }
      throw new Error('No code is ever worth anything')
    },
    ask,
    refresh: (token) => ask(() => refresh(sendPath, template.client, token)),
    async introspect(token) {
      const { client_id, client_secret } = template.client
      const fields = { client_id, client_secret, token }
      const { status, body } = await ask(() => postForm(sendPath, '/introspect', fields))
      expect(status).toBe(200)
      return body
    },
    async revoke(token) {
      const { client_id, client_secret } = template.client
      const fields = { client_id, client_secret, token }
      expect((await ask(() => postForm(sendPath, '/revoke', fields))).status).toBe(200)
    },
    async call(accessToken) {
      const headers = { ...json, authorization: `Bearer ${accessToken}` }
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
      for (let tries = 0; tries < 400; tries++) {
        const response = await sendPath('/mcp', { method: 'POST', headers, body })
        const text = await response.text()
        if (response.status !== 503) return response.status
        expect(response.headers.get('retry-after')).not.toBeNull()
        expect(JSON.parse(text)).toMatchObject({
          error: { data: { error: 'temporarily_unavailable' } },
        })
        wait(2)
        // What the process learns by itself it learns within ten seconds.
        await vi.advanceTimersByTimeAsync(10_000)
      }
      throw new Error('The gate never opens')
    },
    async close() {
      store.heal()
      await running?.close()
      await memory.close()
    },
  }
  return life
}

/** Lets the work end that no answer waits for. */
const settle = () => new Promise<void>((resolve) => void setImmediate(resolve))

function expectUnavailable({ status, headers, body }: TokenAnswer): void {
  expect(status).toBe(503)
  expect(body).toEqual({ error: 'temporarily_unavailable', error_description: expect.any(String) })
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(headers.get('content-type')).toBe('application/json')
  expect(headers.get('cache-control')).toBe('no-store')
}
