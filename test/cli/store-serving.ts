/** Real servers on one issuer, whatever store they use, and a look into a SQLite store. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { systemClock } from '../../src/platform/clock.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { ListedEntry, Store } from '../../src/storage/store.ts'
import type { SendPath } from '../helpers/oauth-client.ts'
import { type Ended, type Running, startCommand } from './command.ts'

const started: Running[] = []

/** Ends what a test left running; for `afterEach`. */
export async function endServers(): Promise<void> {
  for (const { child, ended } of started.splice(0)) {
    child.kill('SIGKILL')
    await ended
  }
}

/** A server that answers. */
export interface Serving {
  readonly port: number
  readonly origin: string
  readonly send: SendPath
  readonly printed: string
  /** Standard error, as far as it matches the pattern. */
  until(pattern: RegExp): Promise<string>
  /** Asks it to stop and waits for that. */
  stop(): Promise<Ended>
}

/** Serves from a working folder. With the port of another one it has the same issuer. */
export async function startServing(
  folder: string,
  args: string[],
  port?: number,
  env: Record<string, string> = {},
): Promise<Serving> {
  const own = port ?? (await findPort())
  const serve = ['serve', '--to', 'http://127.0.0.1:9/mcp', '--port', `${own}`, ...args]
  const running = startCommand(serve, { cwd: folder, env })
  started.push(running)
  const printed = await running.until(/(setup\?token=|claude mcp add).*\n/)
  const origin = `http://localhost:${own}`
  return {
    port: own,
    origin,
    send: (path, init) => fetch(origin + path, init),
    printed,
    until: running.untilAside,
    async stop() {
      running.child.kill('SIGTERM')
      return running.ended
    },
  }
}

/** A port that was free a moment ago. */
export async function findPort(): Promise<number> {
  const finder = createServer().listen(0, '127.0.0.1')
  await once(finder, 'listening')
  const address = finder.address()
  finder.close()
  await once(finder, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('No port')
  return address.port
}

/** What a copy must keep of every entry; its own mark is not part of that. */
export async function listEntries(store: Store): Promise<Omit<ListedEntry, 'version'>[]> {
  const all: ListedEntry[] = []
  for (let pages = 0; pages < 10_000; pages += 1) {
    const page = await store.list('', { after: all.at(-1)?.key, limit: 1000 })
    if (page.length === 0) break
    all.push(...page)
  }
  const kept = all.filter(({ key }) => key !== 'copy/self')
  return kept.map(({ key, value, expiresAt }) => ({ key, value, expiresAt }))
}

/** The same, of a SQLite file. */
export async function listAll(path: string): Promise<Omit<ListedEntry, 'version'>[]> {
  const store = await sqliteStore({ path, clock: systemClock })
  try {
    return await listEntries(store)
  } finally {
    await store.close()
  }
}
