/** Starts what is measured and what it needs, each kind of thing as it is asked for, and ends all of it. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Issuer } from './contenders.ts'
import { type Placement, placeProcesses } from './placement.ts'
import { type MeasuredServer, startServer } from './server-process.ts'
import type { ServerSpec } from './servers/protocol.ts'

/** Where a Gatehouse keeps what it remembers, as `--store` names it. */
export interface StorePlace {
  readonly store: string
  /** Where others use the same database. */
  readonly prefix?: string
}

/** The place of one run. */
export interface Workshop {
  readonly placement: Placement
  /** A folder that is removed in the end. */
  createFolder(): string
  start(spec: ServerSpec): Promise<MeasuredServer>
  /** One that issues tokens, over an empty store of its own. */
  startIssuer(
    issuer: Issuer,
    rest: { pageBytes: number; backend?: string },
  ): Promise<MeasuredServer>
  /** An empty store. */
  findStore(store: Issuer['store']): Promise<StorePlace>
  /** A Gatehouse over it, or over what is in it already. */
  startGatehouse(place: StorePlace): Promise<MeasuredServer>
  /** Ends the servers, not the databases. */
  stopServers(): Promise<void>
  /** Ends everything. */
  close(): Promise<void>
}

/** Nobody listens there: the operations of the authorization server never reach the backend. */
const noBackend = 'http://127.0.0.1:9/mcp'

/** Something to end. */
type Ending = () => Promise<void>

/** Sets up one. */
export function createWorkshop(): Workshop {
  const placement = placeProcesses()
  const home = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  const servers = new Set<MeasuredServer>()
  const endings: Ending[] = []
  const databases = new Map<string, Promise<string>>()
  let used = 0
  const createFolder = (): string => {
    used += 1
    const folder = join(home, `${used}`)
    mkdirSync(folder)
    return folder
  }
  const start = async (spec: ServerSpec): Promise<MeasuredServer> => {
    const server = await startServer(spec, placement)
    servers.add(server)
    return server
  }
  const findStore = async (store: Issuer['store']): Promise<StorePlace> => {
    if (store === 'memory') return { store: 'memory:' }
    if (store === 'sqlite') return { store: `sqlite:${join(createFolder(), 'gatehouse.db')}` }
    const url = databases.get(store) ?? startDatabase(store, endings)
    databases.set(store, url)
    used += 1
    return { store: await url, prefix: `measured_${used}` }
  }
  const stopServers = async (): Promise<void> => {
    await Promise.all([...servers].map((server) => server.stop()))
    servers.clear()
  }
  return {
    placement,
    createFolder,
    start,
    async startIssuer({ kind, store }, { pageBytes, backend = noBackend }) {
      if (kind !== 'gatehouse') return start({ kind, pageBytes })
      return start({ kind, ...(await findStore(store)), backend })
    },
    findStore,
    startGatehouse: (place) => start({ kind: 'gatehouse', ...place, backend: noBackend }),
    stopServers,
    async close() {
      await stopServers()
      await Promise.all(endings.splice(0).map((end) => end()))
      rmSync(home, { recursive: true, force: true })
    },
  }
}

const databaseEntry = fileURLToPath(new URL('./servers/database-process.ts', import.meta.url))

/** Starts one in a group of its own, out of reach of Ctrl-C: it ends when this process lets go of it. */
async function startDatabase(kind: 'postgres' | 'redis', endings: Ending[]): Promise<string> {
  const child = fork(databaseEntry, [kind], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const gone = once(child, 'exit')
  endings.push(async () => {
    if (child.connected) child.disconnect()
    await gone
  })
  const url = await Promise.race([once(child, 'message'), gone.then(() => [undefined])])
  if (typeof url[0] !== 'string') throw new Error(`No ${kind} could be started`)
  return url[0]
}
