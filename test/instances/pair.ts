/** Two instances on one store: what is done at the one must hold at the other. */
import { decodeProtectedHeader } from 'jose'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import type { Store } from '../../src/storage/store.ts'
import { startTestGatehouse, type TestClock, type TestGatehouse } from '../helpers/gatehouse.ts'
import { type Registered, redeem, registerClient } from '../helpers/oauth-client.ts'
import { type Site, startSite } from '../helpers/site.ts'
import type { Place } from './drivers.ts'

/** A second, and another one for a machine that is busy. */
export const soon = { timeout: 2000, interval: 20 }

/** Tokens of a client that Ada connected. */
export interface Connection {
  readonly client: Registered
  readonly accessToken: string
  readonly refreshToken: string
}

/** Two instances. */
export interface Pair {
  readonly here: Site
  readonly there: TestGatehouse
  readonly clock: TestClock
  /** The handle of the instance over there. */
  readonly store: Store
  /** Connects a client, by default a new one, through the instance here. */
  connect(): Promise<Connection>
}

/** The machine's clock, so that commands agree with it; it can be moved on. */
export function createClock(): TestClock {
  let ahead = 0
  return {
    now: () => systemClock.now() + ahead,
    advance(seconds) {
      ahead += seconds
    },
  }
}

/** Starts two; they end with the running test. `toTheirs` changes what the instance over there sees. */
export async function startPair(
  place: Pick<Place, 'open'>,
  toTheirs: (store: Store) => Store = (store) => store,
  other: Pick<Place, 'open'> = place,
): Promise<Pair> {
  const clock = createClock()
  const [mine, theirs] = [await place.open(clock), toTheirs(await other.open(clock))]
  const here = await startSite({ store: mine, clock })
  const there = await startTestGatehouse({ store: theirs, clock })
  onTestFinished(async () => {
    await here.close()
    await there.close()
    await mine.close()
    await theirs.close()
  })
  for (const { gatehouse } of [here, there]) await gatehouse.context.revocations.ready
  let browser: ReturnType<Site['browser']> | undefined
  return {
    here,
    there,
    clock,
    store: theirs,
    async connect() {
      browser ??= await here.signedIn()
      const client = await registerClient(here.send)
      const back = await here.walk(browser, 'client', { client_id: client.client_id })
      const { body } = await redeem(here.send, client, back.url.searchParams.get('code') ?? '')
      const { access_token: accessToken = '', refresh_token: refreshToken = '' } = body
      return { client, accessToken, refreshToken }
    },
  }
}

/** A store whose hints are all lost. */
export function deafen(store: Store): Store {
  return { ...store, subscribe: () => () => {} }
}

/** The status of a call with this token: 502 says that it was let in, as nobody runs the backend. */
export async function call({ send }: TestGatehouse, accessToken: string): Promise<number> {
  const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }
  const response = await send('/mcp', { method: 'POST', headers, body: '{}' })
  await response.body?.cancel()
  return response.status
}

/** What {@link call} says. */
export const letIn = 502
export const refused = 401

/** The key that signed a token. */
export function kidOf(accessToken: string): string {
  return decodeProtectedHeader(accessToken).kid ?? ''
}
