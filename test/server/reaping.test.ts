/** Management mode under strangers who register and never come back: the owner's tenant stays usable (R2, CR-19). */
import { expect, it, onTestFinished } from 'vitest'
import { unavailable } from '../../src/errors.ts'
import type { Applications } from '../../src/identity/applications.ts'
import { createLimits } from '../../src/operate/limits.ts'
import { reapApplications } from '../../src/server/clients/reaping.ts'
import { applicationChecks } from '../../src/storage/records/application-check.ts'
import { clients } from '../../src/storage/records/client.ts'
import { startTestGatehouse } from '../helpers/gatehouse.ts'
import { postBody, registerClient } from '../helpers/oauth-client.ts'

const hour = 3600
const day = 24 * hour

/** A tenant that only counts. */
async function start(options: Parameters<typeof startTestGatehouse>[0] = {}) {
  const standing = new Set<string>()
  const tenant = { made: 0, isAway: false, asked: 0 }
  const applications: Applications = {
    label: 'Auth0',
    upstreamId: 'auth0',
    async create() {
      tenant.made += 1
      standing.add(`app-${tenant.made}`)
      return `app-${tenant.made}`
    },
    async remove(id) {
      tenant.asked += 1
      if (tenant.isAway) throw unavailable('tenant_away')
      standing.delete(id)
    },
    has: async (id) => standing.has(id),
    list: async () => [],
  }
  const server = await startTestGatehouse({
    registration: { mode: 'management', applications },
    ...options,
  })
  onTestFinished(() => server.close())
  const { context } = server.gatehouse
  const reap = () => reapApplications(context, () => false)
  const countChecks = async () => (await applicationChecks.list(context.store)).length
  return { ...server, context, standing, tenant, reap, countChecks }
}

it('one network makes ten applications an hour, and hears when to come back', async () => {
  const { send, tenant, context } = await start({ limits: createLimits() })
  const body = JSON.stringify({ redirect_uris: ['https://client.example/cb'] })
  const register = () => postBody(send, '/register', body, { 'content-type': 'application/json' })
  const statuses = []
  for (let count = 0; count < 12; count += 1) statuses.push((await register()).status)
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 201), 429, 429])
  expect(tenant.made).toBe(10)
  const refused = await register()
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3000)
  for (let count = 0; count < 50; count += 1) await context.limits.spend('application', '*')
  await expect(context.limits.spend('application', '*')).rejects.toMatchObject({ status: 429 })
})

it('the same limits hold back no client that shares an application that is there', async () => {
  const { send, tenant } = await start({ limits: createLimits(), reuseRegistrations: true })
  for (let count = 0; count < 20; count += 1) await registerClient(send)
  expect(tenant.made).toBe(1)
})

it('an application goes with its client, a day after nobody authorized it', async () => {
  const { send, standing, clock, reap, context, countChecks } = await start()
  const unused = await registerClient(send)
  const used = await registerClient(send)
  const stored = await clients.find(context.store, used.client_id)
  if (!stored) throw new Error('No client')
  const authorized = { ...stored.value, authorizedAt: clock.now() }
  await context.store.commit({ set: [clients.write(stored.key, authorized)] })
  clock.advance(day - 1)
  await reap()
  expect(standing.size).toBe(2)
  clock.advance(1)
  await reap()
  expect(await clients.find(context.store, unused.client_id)).toBeUndefined()
  expect([...standing]).toEqual(['app-2'])
  expect(await countChecks()).toBe(0)
})

it('an application stays while its client registers again', async () => {
  const { send, standing, clock, reap, context, countChecks } = await start()
  const { client_id } = await registerClient(send)
  const stored = await clients.find(context.store, client_id)
  if (!stored) throw new Error('No client')
  const renewed = { ...stored.value, renewedAt: clock.now() + hour }
  await context.store.commit({
    set: [clients.write(stored.key, renewed, clock.now() + day + hour)],
  })
  clock.advance(day)
  await reap()
  expect([standing.size, await countChecks()]).toEqual([1, 1])
  clock.advance(hour)
  await reap()
  expect([standing.size, await countChecks()]).toEqual([0, 0])
})

it('a tenant that is away is asked once in a round, and nothing is forgotten', async () => {
  const { send, standing, tenant, clock, reap, countChecks } = await start()
  for (let count = 0; count < 3; count += 1) await registerClient(send)
  clock.advance(day)
  tenant.isAway = true
  await expect(reap()).rejects.toMatchObject({ status: 503 })
  expect([tenant.asked, await countChecks()]).toEqual([1, 3])
  tenant.isAway = false
  await reap()
  expect([standing.size, await countChecks()]).toEqual([0, 0])
})

it('a flood is worked off a hundred at a time', async () => {
  const { send, standing, clock, reap } = await start()
  for (let count = 0; count < 130; count += 1) await registerClient(send)
  clock.advance(day)
  await reap()
  expect(standing.size).toBe(30)
  await reap()
  expect(standing.size).toBe(0)
})
