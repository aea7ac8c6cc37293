/** Custody in several processes, so to speak, over one store and one provider, under a clock that the test moves. */
import { onTestFinished } from 'vitest'
import { type Custody, type CustodyRules, createCustody } from '../../src/identity/custody.ts'
import type { Upstream } from '../../src/identity/upstream.ts'
import { systemRandom } from '../../src/platform/crypto.ts'
import type { AuditEvent } from '../../src/platform/ports.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { families } from '../../src/storage/records/family.ts'
import { type Grant, toGrantWrites } from '../../src/storage/records/grant.ts'
import { type Link, links } from '../../src/storage/records/link.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import type { Store } from '../../src/storage/store.ts'
import { keptLog, masterKey, testClock } from '../helpers/gatehouse.ts'
import {
  type RotatingProvider,
  rotatingUpstream,
  startRotatingProvider,
} from './rotating-provider.ts'

/** The person of these tests. */
export const userId = 'ada-user-id-0123456789'
export const resource = 'https://mcp.example.com/mcp'

export const forwarding: CustodyRules = {
  lifetimeFollowsUpstream: false,
  backends: [{ resource, forward: 'upstream-token' }],
}

export interface CustodyHouse {
  readonly clock: ReturnType<typeof testClock>
  readonly store: Store
  readonly provider: RotatingProvider
  readonly audit: AuditEvent[]
  readonly log: ReturnType<typeof keptLog>
  readonly ended: string[]
  readonly upstream: Upstream
  /** Custody as in another process; `around` is how it sees the store. */
  start(options?: {
    rules?: CustodyRules
    around?: (store: Store) => Store
    upstream?: Upstream
    pause?: () => Promise<void>
  }): Promise<Custody>
  findLink(): Promise<Link | undefined>
  addGrant(id: string, changes?: Partial<Grant>): Promise<void>
}

export async function createCustodyHouse(): Promise<CustodyHouse> {
  const clock = testClock()
  const store = memoryStore({ clock })
  const provider = await startRotatingProvider(clock.now)
  const upstream = rotatingUpstream(provider.origin, clock.now)
  const audit: AuditEvent[] = []
  const log = keptLog()
  const ended: string[] = []
  const running: Custody[] = []
  onTestFinished(async () => {
    for (const custody of running) custody.close()
    await provider.close()
    await store.close()
  })
  return {
    clock,
    store,
    provider,
    audit,
    log,
    ended,
    upstream,
    async start({ rules = forwarding, around = (one: Store) => one, upstream: other, pause } = {}) {
      const mine = around(store)
      const custody = createCustody({
        store: mine,
        sealer: await createSealer({ store, masterKey, clock }),
        clock,
        log,
        random: systemRandom,
        audit: (event) => audit.push(event),
        revocations: { add: (id) => ended.push(id) },
        accessTokenSeconds: 3600,
        rules,
        upstreams: new Map([['rotating', other ?? upstream]]),
        localSignIn: false,
        pause: pause ?? (() => new Promise((resolve) => setTimeout(resolve, 2))),
      })
      running.push(custody)
      return custody
    },
    findLink: async () => (await links.find(store, userId, 'rotating'))?.value,
    async addGrant(id, changes = {}) {
      const grant: Grant = {
        id,
        userId,
        upstream: 'rotating',
        clientId: 'mcp_client',
        resource,
        scope: 'mcp',
        requestedScope: 'mcp',
        createdAt: clock.now(),
        expiresAt: clock.now() + 1e6,
        storedUntil: clock.now() + 1e6,
        ...changes,
      }
      const family = {
        currentHash: 'h',
        rotatedAt: 0,
        idleExpiresAt: clock.now() + 1e6,
        generation: 0,
      }
      await store.commit({
        set: [...toGrantWrites(grant), families.write(families.key(id), family)],
      })
    },
  }
}
