/**
 * Another process on the same database, for `sqlite.test.ts`: `node sqlite-process.ts MODE PATH`.
 *
 * `race` says "ready", waits for a line, tries to take 200 codes, prints those it got.
 * `write` writes for ever, eight commits at a time, and prints each number once it is acknowledged.
 * `leave` commits once and closes nothing.
 * `listen` listens for hints for long enough that others' commits are looked for, and closes nothing.
 */
import { once } from 'node:events'
import { systemClock } from '../../src/platform/clock.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { Store } from '../../src/storage/store.ts'

const [, , mode, path = ''] = process.argv

async function race(store: Store): Promise<void> {
  console.log('ready')
  await once(process.stdin, 'data')
  const attempts = Array.from({ length: 200 }, async (_, code) => {
    const key = `code/${code}`
    const set = [{ key, value: `${process.pid}` }]
    const won = await store.commit({ check: [{ key, version: null }], set })
    return won ? [code] : []
  })
  console.log(JSON.stringify((await Promise.all(attempts)).flat()))
  process.stdin.destroy()
}

async function write(store: Store): Promise<void> {
  for (let round = 0; round < 100_000; round++) {
    const numbers = Array.from({ length: 8 }, (_, n) => round * 8 + n)
    await Promise.all(
      numbers.map(async (number) => {
        await store.commit({ set: [{ key: `written/${number}`, value: `${number}` }] })
        console.log(number)
      }),
    )
  }
}

function leave(store: Store): void {
  store
    .commit({ set: [{ key: 'left', value: '1' }] })
    .then(() => console.log('acknowledged'), console.error)
}

function listen(store: Store): void {
  store.subscribe('', () => {})
  setTimeout(() => console.log('listened'), 600)
}

const works = { race, write, leave, listen }
const store = await sqliteStore({ path, clock: systemClock })
await works[mode as keyof typeof works](store)
if (mode === 'race' || mode === 'write') await store.close()
