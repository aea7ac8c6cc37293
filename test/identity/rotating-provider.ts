/**
 * An identity provider over HTTP that rotates its refresh tokens and ends a family when an old one comes
 * back, and a client of it. It counts what reaches it and fails when told.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { OAuthError, unavailable } from '../../src/errors.ts'
import type { Upstream, UpstreamTokens } from '../../src/identity/upstream.ts'

/** How the next requests of a kind end: nothing happened, or it happened and nobody was told. */
export type Fault = 'before' | 'lost'

/** What reaches a provider. */
export type Kind = 'enter' | 'refresh' | 'ask' | 'revoke'

export interface RotatingProvider {
  readonly origin: string
  /** How often each kind of request came. */
  readonly seen: Record<Kind, number>
  /** Access tokens that were revoked. */
  readonly revoked: string[]
  /** Refresh tokens that came back after their use. */
  readonly reused: string[]
  /** Whether a sign-in gives tokens. */
  gives: boolean
  /** Whether the person may enter. */
  mayEnter: boolean
  /** For how long access tokens live, in seconds; undefined: for ever, and there are no refresh tokens. */
  lifetimeSeconds: number | undefined
  /** How often a used refresh token is answered with the same successor again. */
  repeats: number
  /** Lets the next requests of a kind fail, one after the other. */
  fail(kind: Kind, ...faults: Fault[]): void
  /** Holds requests of a kind back until the returned function is called. */
  hold(kind: Kind): () => void
  /** What a sign-in gives. */
  issue(): UpstreamTokens
  /** Ends everything that was given: as when the person disconnects us there. */
  forget(): void
  /** Whether an access token is one that works. */
  isLive(accessToken: string): boolean
  close(): Promise<void>
}

/** Starts one on loopback. `now` dates what it issues. */
export async function startRotatingProvider(now: () => number): Promise<RotatingProvider> {
  const faults: Record<Kind, Fault[]> = { enter: [], refresh: [], ask: [], revoke: [] }
  const gates: Record<Kind, Promise<void> | undefined> = {
    enter: undefined,
    refresh: undefined,
    ask: undefined,
    revoke: undefined,
  }
  const live = new Set<string>()
  const current = new Set<string>()
  const successors = new Map<string, { tokens: object; repeats: number }>()
  let counter = 0

  const mint = () => {
    counter += 1
    const accessToken = `upstream-access-token-${counter}-${'x'.repeat(20)}`
    live.add(accessToken)
    if (provider.lifetimeSeconds === undefined) return { access_token: accessToken }
    const refreshToken = `upstream-refresh-token-${counter}-${'y'.repeat(20)}`
    current.add(refreshToken)
    return {
      access_token: accessToken,
      refresh_token: refreshToken,
      expires_in: provider.lifetimeSeconds,
    }
  }
  const rotate = (refreshToken: string): object | undefined => {
    const before = successors.get(refreshToken)
    if (before && before.repeats > 0) {
      before.repeats -= 1
      return before.tokens
    }
    if (before) provider.reused.push(refreshToken)
    if (!current.delete(refreshToken)) {
      if (before) current.clear()
      return undefined
    }
    live.clear()
    const tokens = mint()
    successors.set(refreshToken, { tokens, repeats: provider.repeats })
    return tokens
  }
  const answers: Record<Kind, (value: string) => [number, object]> = {
    enter: () => [200, provider.gives ? mint() : {}],
    refresh(value) {
      const tokens = rotate(value)
      return tokens ? [200, tokens] : [400, { error: 'invalid_grant' }]
    },
    ask: (value) => (live.has(value) ? [200, { sub: '1', enter: provider.mayEnter }] : [401, {}]),
    revoke(value) {
      provider.revoked.push(value)
      live.delete(value)
      return [200, {}]
    },
  }
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const kind = (incoming.url ?? '').slice(1) as Kind
    provider.seen[kind] += 1
    const fault = faults[kind].shift()
    await gates[kind]
    if (fault === 'before') return void outgoing.writeHead(503).end()
    const [status, body] = answers[kind](Buffer.concat(chunks).toString())
    if (fault === 'lost') return void incoming.socket.destroy()
    outgoing.writeHead(status, { 'content-type': 'application/json' })
    outgoing.end(JSON.stringify(body))
  }
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => incoming.socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const provider: RotatingProvider = {
    origin: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    seen: { enter: 0, refresh: 0, ask: 0, revoke: 0 },
    revoked: [],
    reused: [],
    gives: true,
    mayEnter: true,
    lifetimeSeconds: 3600,
    repeats: 0,
    fail: (kind, ...more) => faults[kind].push(...more),
    hold(kind) {
      const { promise, resolve } = Promise.withResolvers<void>()
      gates[kind] = promise
      return () => {
        gates[kind] = undefined
        resolve()
      }
    },
    issue: () => toTokens(mint(), now),
    forget() {
      live.clear()
      current.clear()
    },
    isLive: (accessToken) => live.has(accessToken),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return provider
}

/**
 * The provider as Gatehouse knows it. A sign-in has no pages: everyone who comes is Ada.
 *
 * @param toCallbackOrigin where the server under test listens
 */
export function rotatingUpstream(
  providerOrigin: string,
  now: () => number,
  toCallbackOrigin: () => string = () => 'https://mcp.example.com',
): Upstream {
  const send = async (kind: Kind, body: string): Promise<Response> => {
    const response = await fetch(`${providerOrigin}/${kind}`, { method: 'POST', body }).catch(
      (error: unknown) => Promise.reject(unavailable('provider_unreachable', error)),
    )
    if (response.status >= 500) throw unavailable('provider_failed')
    return response
  }
  const dead = () => new OAuthError('invalid_grant', 'The provider refused', { reason: 'refused' })
  return {
    id: 'rotating',
    label: 'Rotating',
    start: async ({ state }) => {
      const url = new URL('/callback/rotating', toCallbackOrigin())
      url.searchParams.set('state', state)
      return url
    },
    finish: async () => {
      const answer = (await (await send('enter', '')).json()) as Partial<WireTokens>
      const { access_token, ...more } = answer
      const tokens = access_token && toTokens({ access_token, ...more }, now)
      return { subject: '1', login: 'ada', ...(tokens && { tokens }) }
    },
    refresh: async ({ refreshToken }) => {
      const response = await send('refresh', refreshToken)
      if (!response.ok) throw dead()
      return toTokens((await response.json()) as WireTokens, now)
    },
    reverify: async ({ accessToken }) => {
      const response = await send('ask', accessToken)
      if (!response.ok) throw dead()
      const { enter } = (await response.json()) as { enter: boolean }
      if (enter) return { subject: '1', login: 'ada' }
      throw new OAuthError('access_denied', 'ada may not enter', { reason: 'not_admitted' })
    },
    revoke: async ({ accessToken }) => {
      await send('revoke', accessToken)
    },
  }
}

interface WireTokens {
  readonly access_token: string
  readonly refresh_token?: string
  readonly expires_in?: number
}

function toTokens(wire: WireTokens, now: () => number): UpstreamTokens {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: lifetime } = wire
  return {
    accessToken,
    ...(refreshToken !== undefined && { refreshToken }),
    ...(lifetime !== undefined && { expiresAt: now() + lifetime }),
  }
}
