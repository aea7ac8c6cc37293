/** `gatehouse links`: how many tokens of providers are kept, and being rid of them (UP-23). */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { auditNotes } from '../../src/storage/records/audit-note.ts'
import { links } from '../../src/storage/records/link.ts'
import { upstreamRevocations } from '../../src/storage/records/upstream-revocation.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { Store } from '../../src/storage/store.ts'
import { createFolder, runCommand } from './command.ts'

let folder: string
beforeEach(async () => {
  const created = await createFolder()
  folder = created.folder
  await writeFile(
    join(folder, 'gatehouse.yaml'),
    'data: data\nreverifySeconds: 600\ngithub: { clientId: a, clientSecret: s }\n',
  )
  // The first command makes folder, key and store.
  await run('users', 'invite', 'somebody@example.com')
  await withStore((store) =>
    store.commit({
      set: [
        links.write(links.key('ann', 'github'), { sealedTokens: 'sealed-1', verifiedAt: 1 }),
        links.write(links.key('bob', 'github'), { sealedTokens: 'sealed-2', verifiedAt: 1 }),
        links.write(links.key('cyd', 'github'), { verifiedAt: 1 }),
        links.write(links.key('ann', 'former'), { sealedTokens: 'sealed-3', verifiedAt: 1 }),
      ],
    }),
  )
  return created.remove
})

const run = (...args: string[]) => runCommand([...args, '--config', join(folder, 'gatehouse.yaml')])

async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await sqliteStore({
    path: join(folder, 'data', 'gatehouse.db'),
    clock: systemClock,
  })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

const findKeys = (prefix: string) =>
  withStore(async (store) => (await store.list(prefix)).map(({ key }) => key))

describe('gatehouse links', () => {
  it('says how many are kept and what for, and shows no token', async () => {
    const { stdout } = await run('links', 'list', '--json')
    expect(JSON.parse(stdout)).toEqual([
      { provider: 'former', people: 1, used_for: [] },
      { provider: 'github', people: 2, used_for: ['reverifySeconds', 'revoking'] },
    ])
    const table = await run('links', 'list')
    expect(table.stdout).toMatch(/former +1 +nothing: the provider is not configured/)
    expect(stdout + table.stdout).not.toContain('sealed')
  })

  it('removes those of one provider, to be revoked by a server', async () => {
    const { code, stdout, stderr } = await run('links', 'remove', '--provider', 'github')
    expect([code, stdout]).toEqual([0, 'Forgot what github gave for 2 people\n'])
    expect(stderr).toContain('reverifySeconds needs it')
    expect(await findKeys('link/')).toEqual(['link/ann/former', 'link/cyd/github'])
    const jobs = await withStore((store) => upstreamRevocations.list(store))
    expect(jobs.map(({ value }) => value.sealedTokens).sort()).toEqual(['sealed-1', 'sealed-2'])
    expect(await withStore((store) => auditNotes.list(store))).toHaveLength(3)
  })

  it('forgets those of a provider that is there no more, and says that nobody was told', async () => {
    const { stdout, stderr } = await run('links', 'remove', '--provider', 'former')
    expect(stdout).toBe('Forgot what former gave for one person\n')
    expect(stderr).toContain('it was not told')
    expect(await findKeys('link/')).toHaveLength(3)
    expect(await findKeys('upstream-revocation/')).toEqual([])
  })

  it('wants to know whose', async () => {
    expect((await run('links', 'remove')).code).toBe(2)
    expect((await run('links', 'remove', '--provider', 'nobody')).stdout).toContain('0 people')
  })
})
