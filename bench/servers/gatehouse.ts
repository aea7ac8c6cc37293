/**
 * Gatehouse as `gatehouse serve` builds it: log and audit lines are written (to the null device),
 * metrics are counted, limits are looked up. Only their thresholds are out of reach.
 */
import { createGatehouse } from '../../src/gatehouse.ts'
import { openStore, parseStoreUrl } from '../../src/operate/config/store.ts'
import { createLimits, type LimitRules } from '../../src/operate/limits.ts'
import type { Gatehouse, GatehouseOptions } from '../../src/options.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { listen } from '../../src/platform/node-server.ts'
import { toCookieName } from '../../src/server/cookies.ts'
import type { Store } from '../../src/storage/store.ts'
import { measuredScope } from '../client.ts'
import { lanes, type ServerSpec, type Started, usualPaths } from './protocol.ts'

/** Starts it over the store that is named as `--store` names it. */
export async function startGatehouse({
  store: url,
  prefix,
  backend,
}: Extract<ServerSpec, { kind: 'gatehouse' }>): Promise<Started> {
  const parsed = parseStoreUrl({ url, prefix })
  if ('problem' in parsed) throw new TypeError(`The store ${parsed.problem}`)
  const store = await openStore(parsed.store, { clock: systemClock })
  let gatehouse: Gatehouse | undefined
  const server = await listen(
    async (request, env) => gatehouse?.fetch(request, env) ?? new Response(null, { status: 503 }),
    { host: '127.0.0.1', port: 0 },
  )
  gatehouse = await buildGatehouse(store, server.url, { backend })
  return {
    origin: server.url,
    paths: usualPaths,
    sessions: await openSessions(gatehouse, lanes),
  }
}

const outOfReach: LimitRules = {
  points: 1e9,
  seconds: 60,
  everyone: { points: 1e9, seconds: 60 },
}

/** The Gatehouse that is measured, over any store, with other ports where they are given. */
export function buildGatehouse(
  store: Store,
  issuer: string,
  { backend, ...ports }: { backend: string } & Pick<GatehouseOptions, 'fetch' | 'log' | 'audit'>,
): Promise<Gatehouse> {
  return createGatehouse({
    ...ports,
    issuer,
    backends: [{ name: 'Measured', to: backend }],
    store,
    masterKey: new Uint8Array(32).fill(7),
    scopes: { [measuredScope]: 'Use the measured server on your behalf' },
    limits: createLimits({ overrides: { register: outOfReach, authorize: outOfReach } }),
  })
}

/** Signs people in without a page and returns their cookies. */
export async function openSessions(
  { context }: Gatehouse,
  count: number,
): Promise<readonly string[]> {
  const name = toCookieName('session', context.config.issuer)
  const cookies: string[] = []
  for (let n = 0; n < count; n += 1) {
    const user = await context.users.admit('bench', { subject: `${n}`, login: `person-${n}` })
    cookies.push(
      `${name}=${await context.sessions.open(user.record.value.id, { upstream: 'local' })}`,
    )
  }
  return cookies
}
