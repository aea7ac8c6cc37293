/** `gatehouse clients`: list, show, remove and reap, beside a running server's store. */
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { type Client, clients } from '../../src/storage/records/client.ts'
import { families } from '../../src/storage/records/family.ts'
import { clientGrants, endedGrants, grantUses } from '../../src/storage/records/grant.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { Store } from '../../src/storage/store.ts'
import { type Auth0Tenant, auth0Credentials, startAuth0 } from '../helpers/auth0-management.ts'
import { createFolder, type RunOptions, runCommand } from './command.ts'

const redirectUri = 'https://chatgpt.com/connector_platform_oauth_redirect'
const issuer = 'https://mcp.example.com'

let folder: string
beforeEach(async () => {
  const created = await createFolder()
  folder = created.folder
  return created.remove
})

const data = (): string => join(folder, 'data')

async function run(args: string[], options: RunOptions = {}) {
  const env = { SERVER_URL: issuer, ...options.env }
  return runCommand([...args, '--data', data()], { ...options, env })
}

async function runWell(args: string[], options?: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await run(args, options)
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
  return stdout
}

async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await sqliteStore({ path: join(data(), 'gatehouse.db'), clock: systemClock })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

const addById = (id: string) =>
  runWell(['clients', 'add', '--redirect-uri', redirectUri, '--name', 'ChatGPT', '--id', id])

/** A client as management mode stores it. */
function toManaged(id: string, applicationId: string, createdAt: number): Client {
  return {
    id,
    origin: 'dynamic',
    metadata: {
      client_name: `App ${id}`,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    pkce: 'required',
    registrationTokenHash: 'hash-of-a-token',
    applicationId,
    createdAt,
  }
}

function storeClient(client: Client) {
  return withStore((store) =>
    store.commit({ set: [clients.write(clients.key(client.id), client)] }),
  )
}

describe('list and show', () => {
  it('tell who vouches, whether anyone authorized it, and when it was last used (H7)', async () => {
    await addById('fixed')
    await storeClient({ ...toManaged('used', 'app-1', 1_700_000_000), authorizedAt: 1_700_000_100 })
    await withStore((store) => {
      const family = { currentHash: 'h', rotatedAt: 1_700_000_200, generation: 0 }
      return store.commit({
        set: [
          clientGrants.write(clientGrants.key('used', 'g1'), { userId: 'u1' }),
          clientGrants.write(clientGrants.key('used', 'g2'), { userId: 'u2' }),
          families.write(families.key('g1'), { ...family, idleExpiresAt: 4_000_000_000 }),
          grantUses.write(grantUses.key('g2'), { issuedAt: 1_700_000_300 }),
        ],
      })
    })
    const listed: Record<string, unknown>[] = JSON.parse(
      await runWell(['clients', 'list', '--json']),
    )
    expect(listed).toMatchObject([
      { client_id: 'fixed', origin: 'preregistered', authorized: false, grants: 0 },
      {
        client_id: 'used',
        origin: 'dynamic',
        authorized: true,
        authorized_at: 1_700_000_100,
        last_used_at: 1_700_000_300,
        grants: 2,
        application_id: 'app-1',
      },
    ])
    expect(listed[0]).not.toHaveProperty('last_used_at')
    expect(JSON.stringify(listed)).not.toMatch(/hash/i)

    const table = await runWell(['clients', 'list'])
    expect(table).toMatch(
      /^ID +NAME +ORIGIN +KIND +REGISTERED +AUTHORIZED +LAST USED +REDIRECT URIS\n/,
    )
    expect(table).toMatch(/\nfixed .* preregistered .* never +never +https/)
    expect(table).toMatch(/\nused .* 2023-11-14 22:15 +2023-11-14 22:18 +https/)

    const shown = await runWell(['clients', 'show', 'used'])
    expect(shown).toMatch(/\nlast_used_at +2023-11-14 22:18\n/)
    expect(shown).toMatch(/\ngrants +2\n/)
    expect(JSON.parse(await runWell(['clients', 'show', 'used', '--json']))).toEqual(listed[1])
  }, 60_000)
})

describe('remove', () => {
  it('ends every grant, says so in JSON too, and says no for what is not there', async () => {
    await addById('one')
    await withStore((store) =>
      store.commit({
        set: Array.from({ length: 120 }, (_, n) =>
          clientGrants.write(clientGrants.key('one', `g${n}`), { userId: 'u' }),
        ),
      }),
    )
    const removed = await runWell(['clients', 'remove', 'one', '--json'])
    expect(JSON.parse(removed)).toEqual({
      client_id: 'one',
      grants_ended: 120,
      application: 'none',
    })
    await withStore(async (store) => {
      expect((await endedGrants.find(store, 'g119'))?.value.why).toBe('client_removed')
      expect(await store.list('client-grant/')).toEqual([])
    })
    for (const id of ['one', 'a/b']) {
      expect(await run(['clients', 'remove', id])).toMatchObject({
        code: 1,
        stdout: '',
        stderr: `Error: There is no client ${id}; see: gatehouse clients list\n`,
      })
    }
  }, 60_000)
})

describe('reap', () => {
  let tenant: Auth0Tenant
  beforeEach(async () => {
    tenant = await startAuth0()
  })
  afterEach(() => tenant.close())

  const toEnv = () => ({
    AUTH0_DOMAIN: 'example.eu.auth0.com',
    AUTH0_CLIENT_ID: 'a',
    AUTH0_CLIENT_SECRET: 's',
    GATEHOUSE_REGISTRATION_MODE: 'management',
    GATEHOUSE_REGISTRATION_AUTH0_DOMAIN: tenant.url,
    GATEHOUSE_REGISTRATION_AUTH0_CLIENT_ID: auth0Credentials.clientId,
    GATEHOUSE_REGISTRATION_AUTH0_CLIENT_SECRET: auth0Credentials.clientSecret,
  })
  const hourAgo = () => systemClock.now() - 3600

  function addApplication(id: string, clientId: string, createdAt = hourAgo(), owner = issuer) {
    tenant.clients.set(id, {
      client_id: id,
      name: `App ${clientId}`,
      callbacks: [`${owner}/callback/auth0`],
      token_endpoint_auth_method: 'none',
      client_metadata: {
        gatehouse_issuer: owner,
        gatehouse_client_id: clientId,
        gatehouse_created_at: String(createdAt),
      },
    })
  }

  /** One pair that is whole, half a pair on each side, a young one, and what is none of ours. */
  async function addPairs(): Promise<void> {
    await addById('by-hand')
    await storeClient(toManaged('whole', 'app-whole', hourAgo()))
    await storeClient(toManaged('widow', 'app-gone', hourAgo()))
    await storeClient(toManaged('young', 'app-not-listed-yet', systemClock.now()))
    await withStore((store) =>
      store.commit({ set: [clientGrants.write(clientGrants.key('widow', 'g1'), { userId: 'u' })] }),
    )
    addApplication('app-whole', 'whole')
    addApplication('app-orphan', 'expired')
    addApplication('app-young', 'not-yet', systemClock.now())
    addApplication('app-foreign', 'whole', hourAgo(), 'https://other.example')
  }

  const clientIds = async (): Promise<string[]> => {
    const listed: { client_id: string }[] = JSON.parse(await runWell(['clients', 'list', '--json']))
    return listed.map((client) => client.client_id)
  }

  it('shows the orphans of both sides with --dry-run and touches nothing', async () => {
    await addPairs()
    const table = await runWell(['clients', 'reap', '--dry-run'], { env: toEnv() })
    expect(table).toMatch(/^ORPHAN +ID +ITS OTHER HALF +NAME +SINCE +REMOVED\n/)
    expect(table).toMatch(/\nAuth0 application +app-orphan +expired +App expired +.* dry run\n/)
    expect(table).toMatch(/\nclient +widow +app-gone +App widow +.* dry run\n$/)
    expect(table.trim().split('\n')).toHaveLength(3)
    expect(tenant.requests.filter((line) => line.startsWith('DELETE'))).toEqual([])
    expect(await clientIds()).toEqual(['by-hand', 'whole', 'widow', 'young'])
  }, 60_000)

  it('removes them, with their grants, and finds none the next time', async () => {
    await addPairs()
    const reaped = JSON.parse(await runWell(['clients', 'reap', '--json'], { env: toEnv() }))
    expect(reaped).toMatchObject([
      { kind: 'application', id: 'app-orphan', counterpart: 'expired', removed: true },
      { kind: 'client', id: 'widow', counterpart: 'app-gone', removed: true },
    ])
    expect([...tenant.clients.keys()]).toEqual(['app-whole', 'app-young', 'app-foreign'])
    expect(await clientIds()).toEqual(['by-hand', 'whole', 'young'])
    await withStore(async (store) => {
      expect((await endedGrants.find(store, 'g1'))?.value.why).toBe('client_removed')
    })
    const again = await runWell(['clients', 'reap'], { env: toEnv() })
    expect(again).toMatch(/^No orphans: every client has its Auth0 application/)
  }, 60_000)

  it('goes on after one that cannot be removed, says which, and ends with 1', async () => {
    await addPairs()
    tenant.fault = (line) => (line.startsWith('DELETE') ? { status: 500 } : undefined)
    const { code, stdout, stderr } = await run(['clients', 'reap'], { env: toEnv() })
    expect(code).toBe(1)
    expect(stdout).toMatch(/\nAuth0 application +app-orphan .* failed\n/)
    expect(stdout).toMatch(/\nclient +widow .* yes\n/)
    expect(stderr).toMatch(/^app-orphan: .*\nError: 1 of 2 could not be removed; run it again\n$/)
  }, 60_000)

  it('removes nothing while Auth0 cannot be asked', async () => {
    await addPairs()
    tenant.fault = (line) => (line.startsWith('GET') ? 'reset' : undefined)
    expect((await run(['clients', 'reap'], { env: toEnv() })).code).toBe(1)
    expect(await clientIds()).toContain('widow')
  }, 60_000)

  it('says what is missing where the mode is another one, or not complete', async () => {
    await addById('one')
    const other = await run(['clients', 'reap'])
    expect(other.code).toBe(2)
    expect(other.stderr).toContain('registration.mode is not management')
    const env = { GATEHOUSE_REGISTRATION_MODE: 'management' }
    const incomplete = await run(['clients', 'reap'], { env })
    expect(incomplete.code).toBe(2)
    expect(incomplete.stderr).toContain('has mode management and no auth0')
  }, 60_000)

  it('remove takes the application along, and leaves it to be reaped when Auth0 is away', async () => {
    await addById('by-hand')
    await storeClient(toManaged('first', 'app-first', hourAgo()))
    await storeClient(toManaged('second', 'app-second', hourAgo()))
    addApplication('app-first', 'first')
    addApplication('app-second', 'second')
    const args = ['clients', 'remove', 'first', '--json']
    expect(JSON.parse(await runWell(args, { env: toEnv() })).application).toBe('removed')
    expect([...tenant.clients.keys()]).toEqual(['app-second'])

    tenant.fault = () => 'reset'
    const { code, stdout, stderr } = await run(['clients', 'remove', 'second'], { env: toEnv() })
    expect([code, stdout]).toEqual([0, 'Removed second; 0 grants ended\n'])
    expect(stderr).toContain('app-second stays at the identity provider')
    expect(await clientIds()).toEqual(['by-hand'])
  }, 60_000)
})
