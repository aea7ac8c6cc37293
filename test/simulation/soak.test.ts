/** Months of registrations and grants leave no more behind than what is alive (A5). */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { memoryStore } from '../../src/storage/memory.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import { testClock } from '../helpers/gatehouse.ts'
import { countRows, soak, sweepAll } from './soak.ts'

/** `npm run soak` does a hundred times as many. */
const registrations = 10_000
const cycles = 10_000

it('keeps what is alive in memory, and nothing else', { timeout: 120_000 }, async () => {
  const clock = testClock()
  const store = memoryStore({ clock })
  const { liveRows, expectedRows } = await soak({ store, clock, registrations, cycles })
  expect(liveRows).toBeGreaterThan(expectedRows * 0.9)
  expect(liveRows).toBeLessThan(expectedRows * 1.1)
})

it('gives the rows and the pages of SQLite back', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-soak-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'gatehouse.db')
  const clock = testClock()
  const store = await sqliteStore({ path, clock })
  const { liveRows, expectedRows } = await soak({ store, clock, registrations, cycles })
  expect(liveRows).toBeGreaterThan(expectedRows * 0.9)
  expect(liveRows).toBeLessThan(expectedRows * 1.1)
  const before = statSync(path).size

  clock.advance(400 * 86_400)
  for (let round = 0; round < 20; round++) await sweepAll(store)
  const rows = await countRows(store)
  await store.close()
  expect(rows).toBeLessThan(100)
  expect(statSync(path).size).toBeLessThan(before / 10)
})
