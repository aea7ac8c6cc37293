/** `gatehouse doctor --self` where something is wrong with store, master key or clock of the store. */
import { chmod, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { here, installForEachTest, look, serve, stop } from './installation.ts'

installForEachTest()

describe('gatehouse doctor --self on the data', () => {
  const data = () => join(here.folder, 'gatehouse-data')
  const key = () => join(data(), 'master.key')

  it.each([
    ['a master key that is gone', 'master-key-missing', () => rm(key())],
    ['another master key', 'master-key-wrong', () => writeFile(key(), `${'k'.repeat(43)}\n`)],
    ['a master key for all to read', 'files-open', () => chmod(key(), 0o644)],
    [
      'a store that is none',
      'store-unusable',
      async () => {
        await rm(join(data(), 'gatehouse.db-wal'), { force: true })
        await writeFile(join(data(), 'gatehouse.db'), 'this was a database once'.repeat(400))
      },
    ],
  ])('names %s', async (_, id, breakIt) => {
    const { issuer, running } = await serve(here.folder)
    await stop(running)
    await breakIt()
    const { ids } = await look(here.folder, ['--to', here.backend, '--public-url', issuer])
    expect(ids.filter((one) => one !== 'self-unreachable')).toEqual([id])
  })

  it('names a store of another issuer', async () => {
    const { running } = await serve(here.folder)
    await stop(running)
    const { ids } = await look(here.folder, [
      '--to',
      here.backend,
      '--public-url',
      'http://localhost:9',
    ])
    expect(ids).toContain('store-of-other-issuer')
  })

  it('names a store that does not answer, without its password', async () => {
    const env = { TOKEN_ENCRYPTION_KEY: 'k'.repeat(43) }
    const args = ['--to', here.backend, '--store', 'redis://user:hidden-password@127.0.0.1:9']
    const { ids, text } = await look(here.folder, args, env)
    expect(ids).toContain('store-unusable')
    expect(text).not.toContain('hidden-password')
  })
})
