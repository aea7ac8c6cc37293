/** Eight processes and one person whose token at the provider has just ended: one of them refreshes it (X2, UP-16). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { leaseSeconds } from '../../src/identity/custody-lease.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { links } from '../../src/storage/records/link.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import { senderTo } from '../crash/customer.ts'
import { endProcesses, type Served, startProgram } from '../crash/fail-point.ts'
import { type RecordingBackend, startBackend } from '../gate/harness.ts'
import { createBrowser } from '../helpers/browser.ts'
import { approve } from '../helpers/live.ts'
import { authorizePath, redeem, registerClient } from '../helpers/oauth-client.ts'
import { createCustodyHouse, userId } from '../identity/custody-house.ts'
import { type RotatingProvider, startRotatingProvider } from '../identity/rotating-provider.ts'
import { verifiesThat } from '../verifies.ts'
import { drivers } from './drivers.ts'

const program = new URL('./custody-process.ts', import.meta.url)

let folder: string
let path: string
let provider: RotatingProvider
let backend: RecordingBackend
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-custody-'))
  path = join(folder, 'gatehouse.db')
  provider = await startRotatingProvider(systemClock.now)
  backend = await startBackend()
})
afterEach(async () => {
  await endProcesses()
  await provider.close()
  await backend.close()
  await rm(folder, { recursive: true, force: true })
})

const start = (aheadSeconds = 0): Promise<Served> =>
  startProgram(program, [path, provider.origin, `${backend.origin}/mcp`, String(aheadSeconds)])

/** Ada connects a client through a process. Her token at the provider ends at once. */
async function connectWithDeadToken({ origin }: Served): Promise<string> {
  const send = senderTo(origin)
  const client = await registerClient(send)
  const browser = createBrowser(origin, (request) => fetch(request))
  const back = await approve(browser, origin + authorizePath(client))
  const { body } = await redeem(send, client, back.url.searchParams.get('code') ?? '')
  const store = await sqliteStore({ path, clock: systemClock })
  const [link] = await links.list(store)
  if (!link) throw new Error('Nothing was kept')
  const now = systemClock.now()
  const ended = { ...link.value, expiresAt: now - 1, refreshFrom: now - 61 }
  await store.commit({ set: [links.write(link.key, ended)] })
  await store.close()
  return body.access_token ?? ''
}

async function callTool({ origin }: Served, accessToken: string): Promise<number> {
  const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }
  const response = await fetch(`${origin}/mcp`, { method: 'POST', headers, body: '{}' })
  await response.text()
  return response.status
}

describe.each(drivers)('on $name', ({ isMissing, start: startServer }) => {
  it.skipIf(isMissing)('two instances refresh once for everyone who asks', async () => {
    const server = await startServer()
    onTestFinished(() => server.stop())
    const place = server.create()
    const house = await createCustodyHouse()
    const handles = [await place.open(house.clock), await place.open(house.clock)]
    const instances = []
    for (const handle of handles) instances.push(await house.start({ around: () => handle }))
    const tokens = house.provider.issue()
    await instances[0]?.keep(userId, 'rotating', tokens)
    house.clock.advance(3600)
    const asked = instances.flatMap((one) =>
      Array.from({ length: 20 }, () => one.findAccessToken(userId, 'rotating')),
    )
    expect(new Set(await Promise.all(asked)).size).toBe(1)
    expect(house.provider.seen.refresh).toBe(1)
    house.clock.advance(1800)
    for (const one of instances) await one.findAccessToken(userId, 'rotating')
    expect(house.provider.seen.refresh).toBe(1)
    for (const one of instances) one.close()
    for (const handle of new Set(handles)) await handle.close()
  })
})

describe('one refresh at the provider', () => {
  verifiesThat(
    'X2',
    'serves two hundred concurrent tool calls at eight processes, and every call succeeds',
    async () => {
      const processes = await Promise.all(Array.from({ length: 8 }, () => start()))
      const [first] = processes as [Served]
      const accessToken = await connectWithDeadToken(first)
      const calls = Array.from({ length: 25 }, () =>
        processes.map((served) => callTool(served, accessToken)),
      ).flat()
      const statuses = await Promise.all(calls)
      expect(statuses).toHaveLength(200)
      expect(new Set(statuses)).toEqual(new Set([200]))
      expect(provider.seen.refresh).toBe(1)
      const tokens = new Set(backend.seen.map(({ headers }) => headers.authorization))
      expect(tokens.size).toBe(1)
      expect(provider.isLive([...tokens][0]?.replace('Bearer ', '') ?? '')).toBe(true)
    },
    120_000,
  )

  verifiesThat(
    'X2',
    'is taken over from a process that died holding the lease, within the expiry of the lease',
    async () => {
      const [holder, other] = [await start(), await start(leaseSeconds - 4)]
      const accessToken = await connectWithDeadToken(holder)
      provider.repeats = 1
      const release = provider.hold('refresh')
      const lost = callTool(holder, accessToken).catch(() => 'lost')
      await expect.poll(() => provider.seen.refresh, { timeout: 10_000 }).toBe(1)
      await holder.kill()
      expect(await lost).toBe('lost')
      release()
      const from = performance.now()
      const statuses = await Promise.all(
        Array.from({ length: 20 }, () => callTool(other, accessToken)),
      )
      expect(new Set(statuses)).toEqual(new Set([200]))
      expect(performance.now() - from).toBeLessThan(leaseSeconds * 1000)
      expect(provider.seen.refresh).toBe(2)
      expect(provider.reused).toEqual([])
    },
    60_000,
  )
})
