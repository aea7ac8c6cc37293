/**
 * `kill -9` after every commit, before every commit and before every response of a whole journey:
 * what was acknowledged is still there, and the client can go on.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { findLoss, type Receipt, signIn, walk } from './customer.ts'
import { endProcesses, type FailPoint, startProcess } from './fail-point.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-crash-'))
})
afterEach(endProcesses)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Walks with a process that dies at the point. Returns whether it died at all. */
async function crashAt(point: FailPoint): Promise<boolean> {
  const path = join(folder, `${point.at}-${point.count}.db`)
  const receipt: Receipt = { rotations: 0 }
  const doomed = await startProcess(path, point)
  const outcome = await walk(doomed.origin, receipt).then(
    () => 'walked' as const,
    (error: unknown) => error,
  )
  if (outcome === 'walked') {
    await doomed.kill()
    return false
  }
  if (!isConnectionLoss(outcome)) throw outcome
  await doomed.dead

  const next = await startProcess(path)
  expect(await findLoss(next.origin, receipt), JSON.stringify(point)).toBeUndefined()
  const again: Receipt = { rotations: 0 }
  if (receipt.client) await signIn(next.origin, receipt.client, again)
  else await walk(next.origin, again)
  await next.kill()
  return true
}

function isConnectionLoss(error: unknown): boolean {
  return error instanceof TypeError && /fetch failed|terminated/.test(error.message)
}

describe('a process killed at a fail point', () => {
  const places = ['before-commit', 'after-commit', 'before-response'] as const
  it.each(places)(
    'loses nothing acknowledged, dying %s (CR-22, SG-06, SG-08, RF-18)',
    async (at) => {
      let deaths = 0
      while (await crashAt({ at, count: deaths + 1 })) deaths += 1
      expect(deaths).toBeGreaterThanOrEqual(7)
      expect(deaths).toBeLessThan(40)
    },
    240_000,
  )
})
