/**
 * Four processes on one store under load, while processes are killed and the database itself crashes:
 * the history of what clients were told breaks no rule. `HISTORY_SECONDS` makes it longer.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { endProcesses } from '../crash/fail-point.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { hasRedis, startRedis } from '../helpers/redis.ts'
import { createDice } from '../simulation/dice.ts'
import { findViolations } from './checker.ts'
import { startCluster } from './cluster.ts'
import { createHistory } from './history.ts'
import { type Load, live, lookBack } from './load.ts'

const seconds = Number(process.env.HISTORY_SECONDS ?? 6)
const seed = Number(process.env.HISTORY_SEED ?? 1)
const processCount = 4
const clientCount = 8

afterEach(endProcesses)

/** A database of the test's own. */
interface Database {
  readonly place: string
  /** Crashes it and starts it again; absent where the processes themselves are the database. */
  crash?(): Promise<void>
}

/** Loads the cluster while the nemesis works; then everything is looked at in calm, and checked. */
async function runHistory(name: string, { place, crash }: Database): Promise<void> {
  const dice = createDice(seed, 'history', name)
  const cluster = await startCluster(place, processCount, dice)
  const history = createHistory()
  const endsAt = performance.now() + seconds * 1000
  const isOver = (): boolean => performance.now() > endsAt
  const load: Load = { history, dice, pick: cluster.pick, isOver }
  const clients = Promise.all(Array.from({ length: clientCount }, () => live(load)))

  let hasCrashed = crash === undefined
  while (!isOver()) {
    await new Promise((resolve) => setTimeout(resolve, 100 + dice.below(300)))
    if (!hasCrashed && performance.now() > endsAt - seconds * 500) {
      hasCrashed = true
      await crash?.()
    }
    await cluster.replaceOne()
  }
  const holdings = (await clients).flat()
  await Promise.all(holdings.map((holding) => lookBack(load, holding)))
  await cluster.stop()

  const violations = findViolations(history.entries)
  if (violations.length > 0) keepHistory(name, history.entries)
  expect(violations, `seed ${seed}`).toEqual([])
  const answered = history.entries.filter(({ status }) => status === 200).length
  expect({ answered: answered > 50, kills: cluster.kills > 1 }).toEqual({
    answered: true,
    kills: true,
  })
}

function keepHistory(name: string, entries: readonly unknown[]): void {
  mkdirSync('.artifacts', { recursive: true })
  const lines = entries.map((entry) => JSON.stringify(entry)).join('\n')
  writeFileSync(join('.artifacts', `history-${name}.jsonl`), lines)
}

const title =
  'breaks no rule while processes and database crash (CD-03, SG-03, SG-06, SG-08, RF-02, RF-09, HA-01)'
const timeout = 60_000 + seconds * 2000

describe('the history of four processes', () => {
  it(`on SQLite ${title}`, { timeout }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-history-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    await runHistory('sqlite', { place: join(folder, 'gatehouse.db') })
  })

  it(`on PostgreSQL ${title}`, { timeout }, async () => {
    const server = await startPostgres({ isDurable: true })
    onTestFinished(() => server.stop())
    const crash = async (): Promise<void> => {
      await server.crash()
      await server.start()
    }
    await runHistory('postgres', { place: server.url, crash })
  })

  it.skipIf(!hasRedis)(`on Redis ${title}`, { timeout }, async () => {
    const server = await startRedis()
    onTestFinished(() => server.close())
    const crash = async (): Promise<void> => {
      server.signal('SIGKILL')
      await server.ended()
      await server.restart()
    }
    await runHistory('redis', { place: server.url, crash })
  })
})
