/** `gatehouse clients` and clients whose id is the URL of a metadata document. */
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { type Client, clients } from '../../src/storage/records/client.ts'
import { clientGrants, grants, toGrantWrites } from '../../src/storage/records/grant.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { Store } from '../../src/storage/store.ts'
import { createFolder, runCommand } from './command.ts'

const id = 'https://claude.ai/oauth/claude-code-client-metadata'

let data: string
beforeEach(async () => {
  const created = await createFolder()
  data = join(created.folder, 'data')
  await run('clients', 'add', '--id', 'own', '--public', '--redirect-uri', 'http://localhost/cb')
  await withStore(connect)
  return created.remove
})

async function run(...args: string[]): Promise<string> {
  const env = { SERVER_URL: 'https://mcp.example.com' }
  const { code, stdout, stderr } = await runCommand([...args, '--data', data], { env })
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
  return stdout
}

async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await sqliteStore({ path: join(data, 'gatehouse.db'), clock: systemClock })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** Stores a client with a document, and one grant of it. */
async function connect(store: Store): Promise<void> {
  const now = systemClock.now()
  const client: Client = {
    id,
    origin: 'document',
    metadata: {
      client_name: 'Claude Code',
      redirect_uris: ['http://localhost/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    document: { freshUntil: now, authMethods: ['none'] },
    pkce: 'required',
    createdAt: now,
    authorizedAt: now,
  }
  const grant = {
    id: 'grant-1',
    userId: 'user-1',
    clientId: id,
    resource: 'https://mcp.example.com/mcp',
    scope: 'mcp',
    requestedScope: 'mcp',
    createdAt: now,
    expiresAt: now + 3600,
    storedUntil: now + 3600,
  }
  const set = [clients.write(clients.key(id), client), ...toGrantWrites(grant)]
  await store.commit({ set })
}

describe('a client that is known by a document', () => {
  it('is listed with its grants', async () => {
    const rows = JSON.parse(await run('clients', 'list', '--json')) as Record<string, unknown>[]
    expect(rows).toContainEqual(
      expect.objectContaining({ client_id: id, origin: 'document', grants: 1 }),
    )
    expect(await run('clients', 'list')).toContain(id)
  })

  it('is shown by its URL', async () => {
    const shown = await run('clients', 'show', id)
    expect(shown).toContain(id)
    expect(shown).toMatch(/origin +document/)
  })

  it('keeps the store in order, its grant leading to it and back', async () => {
    await expect(run('store', 'verify')).resolves.not.toContain('client-grant')
  })

  it('is removed by its URL, with every grant it has', async () => {
    expect(await run('clients', 'remove', id)).toContain('one grant ended')
    await withStore(async (store) => {
      expect(await clients.find(store, id)).toBeUndefined()
      expect(await grants.find(store, 'grant-1')).toBeUndefined()
      expect(await clientGrants.list(store, [id])).toEqual([])
    })
  })

  it.each([`${id}/`, 'https://claude.ai', '../own', 'a/b'])(
    'is not meant by %s, which is nobody',
    async (other) => {
      await expect(run('clients', 'show', other)).rejects.toThrow('There is no client')
      await expect(run('clients', 'remove', other)).rejects.toThrow('There is no client')
    },
  )
})
