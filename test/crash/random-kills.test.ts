/**
 * `kill -9` a hundred times at random moments under load: every registration, grant and rotation that
 * was acknowledged is still there. The moments follow from a seed, printed when something is lost.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { registerClient } from '../helpers/oauth-client.ts'
import { findLoss, type Receipt, rotate, senderTo, signIn } from './customer.ts'
import { endProcesses, startProcess } from './fail-point.ts'

const kills = 100
const customers = 4
const longestLifeMs = 120
const seed = Number(process.env.CRASH_SEED ?? 20_261_120)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-kills-'))
})
afterEach(endProcesses)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** mulberry32: the same numbers from the same seed. */
function createRandom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Registers once, signs in once, then refreshes for as long as the server lives. */
async function liveOn(origin: string, receipt: Receipt): Promise<void> {
  const send = senderTo(origin)
  receipt.client ??= await registerClient(send)
  if (receipt.refreshToken === undefined) await signIn(origin, receipt.client, receipt)
  for (;;) await rotate(send, receipt)
}

function isConnectionLoss(error: unknown): boolean {
  return error instanceof TypeError
}

describe('a process killed at random', () => {
  it(`keeps everything it acknowledged over ${kills} kills (SG-06, SG-08, RF-01, RF-18)`, async () => {
    const random = createRandom(seed)
    const path = join(folder, 'gatehouse.db')
    const receipts: Receipt[] = []
    for (let kill = 0; kill < kills; kill++) {
      const server = await startProcess(path)
      for (const receipt of receipts) {
        expect(await findLoss(server.origin, receipt), `seed ${seed}, kill ${kill}`).toBeUndefined()
      }
      // One new customer a time; of the old ones some go on, so that grants of many ages are under way.
      if (receipts.length >= customers) receipts.splice(Math.floor(random() * customers), 1)
      receipts.push({ rotations: 0 })
      const lives = receipts.map((receipt) =>
        liveOn(server.origin, receipt).catch((error: unknown) => {
          if (!isConnectionLoss(error)) throw error
        }),
      )
      const lifeMs = 20 + random() * longestLifeMs
      await new Promise((resolve) => setTimeout(resolve, lifeMs))
      await server.kill()
      await Promise.all(lives)
    }
  }, 400_000)
})
