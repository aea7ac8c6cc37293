/** A Gatehouse whose people sign in at the rotating provider, in front of a backend that remembers. */
import type { RequestListener } from 'node:http'
import { onTestFinished } from 'vitest'
import type { BackendOptions } from '../../src/backend-options.ts'
import type { GatehouseOptions } from '../../src/options.ts'
import type { Store } from '../../src/storage/store.ts'
import { type RecordingBackend, startBackend } from '../gate/harness.ts'
import { testClock } from '../helpers/gatehouse.ts'
import { type Registered, redeem, refresh, type TokenAnswer } from '../helpers/oauth-client.ts'
import { type Site, startSite } from '../helpers/site.ts'
import {
  type RotatingProvider,
  rotatingUpstream,
  startRotatingProvider,
} from '../identity/rotating-provider.ts'

export interface CustodySite extends Site {
  readonly provider: RotatingProvider
  readonly backend: RecordingBackend
  /** Ada connects a client in a browser of her own; the tokens that it got. */
  connect(client?: Registered): Promise<Connected>
  /** Calls a tool. */
  call(accessToken: string | undefined): Promise<Response>
  /** The `Authorization` that the backend saw last. */
  lastAuthorization(): string | undefined
}

export interface Connected {
  readonly code: TokenAnswer
  readonly accessToken: string
  readonly refreshToken: string
  refresh(): Promise<TokenAnswer>
}

export interface CustodySiteOptions extends Partial<Omit<GatehouseOptions, 'clock' | 'backends'>> {
  store?: Store
  backend?: Partial<BackendOptions>
  /** Whether the backend takes a token of the provider. Default: every one. */
  accepts?: (token: string) => boolean
  /** Whether a sign-in gives tokens. Default true. */
  gives?: boolean
}

/** Starts one; it ends with the running test. */
export async function startCustodySite(options: CustodySiteOptions = {}): Promise<CustodySite> {
  const { backend: wanted, gives = true, accepts, ...rest } = options
  const clock = testClock()
  const provider = await startRotatingProvider(clock.now)
  const backend = await startBackend(accepts && toGuarded(accepts))
  provider.gives = gives
  const upstream = rotatingUpstream(provider.origin, clock.now)
  const site = await startSite({
    clock,
    backends: [{ name: 'Notes', ...toReach(backend, wanted), ...wanted }],
    upstreams: [upstream],
    ...rest,
  })
  await site.gatehouse.context.revocations.ready
  onTestFinished(async () => {
    await site.close()
    await provider.close()
    await backend.close()
  })
  return {
    ...site,
    provider,
    backend,
    async connect(client = site.client) {
      const back = await site.walk(site.browser(), 'client', {
        client_id: client.client_id,
        redirect_uri: client.redirect_uris[0],
      })
      const code = await redeem(site.send, client, back.url.searchParams.get('code') ?? '')
      const { access_token: accessToken = '', refresh_token: refreshToken = '' } = code.body
      let newest = refreshToken
      return {
        code,
        accessToken,
        refreshToken,
        async refresh() {
          const answer = await refresh(site.send, client, newest)
          newest = answer.body.refresh_token ?? newest
          return answer
        },
      }
    },
    call: (accessToken) =>
      site.send('/mcp', {
        method: 'POST',
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
      }),
    lastAuthorization: () => backend.seen.at(-1)?.headers.authorization,
  }
}

/** A program listens nowhere. */
function toReach({ origin }: RecordingBackend, wanted?: Partial<BackendOptions>): BackendOptions {
  return wanted?.command === undefined ? { to: `${origin}/mcp` } : {}
}

/** A backend that answers 401 to tokens that it does not take, before it reads anything. */
function toGuarded(accepts: (token: string) => boolean): RequestListener {
  return ({ headers }, outgoing) => {
    const token = headers.authorization?.replace(/^Bearer /, '') ?? ''
    if (!accepts(token)) return outgoing.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    return outgoing.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
  }
}
