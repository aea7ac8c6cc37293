/** What a store is held to at every start: here, which provider an id stands for. */
import { expect, it } from 'vitest'
import { oidc } from '../src/identity/oidc.ts'
import { entra } from '../src/identity/presets/entra.ts'
import { github } from '../src/identity/presets/github.ts'
import type { Upstream } from '../src/identity/upstream.ts'
import type { GatehouseOptions } from '../src/options.ts'
import { memoryStore } from '../src/storage/memory.ts'
import { startTestGatehouse, testClock } from './helpers/gatehouse.ts'

const client = { clientId: 'client', clientSecret: 'secret' }
const publicGitHub = github(client)
const ownGitHub = github({
  ...client,
  endpoints: { web: 'https://ghe.example', api: 'https://ghe.example/api/v3' },
})

/** Starts and stops over one store. */
function createStarts() {
  const clock = testClock()
  const store = memoryStore({ clock })
  return async (
    upstreams: Upstream[],
    options: Pick<GatehouseOptions, 'acceptNewProvider'> = {},
  ) => {
    const started = await startTestGatehouse({ store, clock, upstreams, ...options })
    await started.close()
    return started.log.lines.map(({ message }) => message)
  }
}

it('an id stands for one provider: user 1 of another GitHub is another person (UP-08)', async () => {
  const start = createStarts()
  await start([publicGitHub])
  const refused = start([ownGitHub])
  await expect(refused).rejects.toMatchObject({ name: 'StartError' })
  await expect(refused).rejects.toThrow(/github .*api\.github\.com.*ghe\.example\/api\/v3/)
  await expect(refused).rejects.toThrow(/another id.*--accept-new-provider/s)
  await start([publicGitHub])
})

it('a provider that was taken out for a while is held to what it was', async () => {
  const start = createStarts()
  await start([publicGitHub])
  await start([])
  await expect(start([ownGitHub])).rejects.toThrow('--accept-new-provider')
})

it('another id for the new provider goes beside the old one', async () => {
  const start = createStarts()
  await start([publicGitHub])
  await start([publicGitHub, { ...ownGitHub, id: 'ghe' }])
  await start([{ ...ownGitHub, id: 'ghe' }])
})

it('the owner accepts a new address once, and is told', async () => {
  const start = createStarts()
  const at = (issuer: string) => [oidc({ ...client, id: 'sso', label: 'SSO', issuer })]
  await start(at('https://old.example'))
  const lines = await start(at('https://new.example'), { acceptNewProvider: true })
  expect(lines.join()).toContain('An identity provider changed')
  expect((await start(at('https://new.example'))).join()).not.toContain('changed')
  await expect(start(at('https://old.example'))).rejects.toThrow('--accept-new-provider')
})

it('what an embedder describes without an issuer is not looked at', async () => {
  const start = createStarts()
  const { issuer: _, ...own } = publicGitHub
  await start([publicGitHub])
  await start([own])
  await start([publicGitHub])
})

it('Entra names its people with their tenants: another choice of tenants is the same provider', async () => {
  const start = createStarts()
  await start([entra({ ...client, tenant: '11111111-2222-3333-4444-555555555555' })])
  await start([entra({ ...client, tenant: 'organizations' })])
})
