/** A SQLite file that was large once becomes small again, without anybody rewriting it. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import { createTestClock } from './fixtures.ts'

const rows = 4000
const rowsPerCommit = 200

it('gives the pages of expired rows back to the file system (A5)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-pages-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'gatehouse.db')
  const clock = createTestClock()
  const store = await sqliteStore({ path, clock })
  const value = JSON.stringify('x'.repeat(1000))
  for (let first = 0; first < rows; first += rowsPerCommit) {
    const keys = Array.from({ length: rowsPerCommit }, (_, n) => `row/${first + n}`)
    const expiresAt = clock.now() + 100
    await store.commit({ set: keys.map((key) => ({ key, value, expiresAt })) })
  }
  await store.commit({ set: [{ key: 'kept', value }] })
  clock.advance(1000)
  while ((await store.sweep(500)) > 0);
  await store.sweep(500)
  expect((await store.list('')).map(({ key }) => key)).toEqual(['kept'])
  await store.close()
  expect(statSync(path).size).toBeLessThan(300_000)
})
