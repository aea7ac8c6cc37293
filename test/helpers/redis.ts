/**
 * Real Redis servers for tests: `redis-server` from `REDIS_SERVER` or the PATH, on loopback, with a folder
 * of their own, ended by their process id.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createClient } from '@redis/client'

const binary = process.env.REDIS_SERVER ?? 'redis-server'

/**
 * Whether there is a `redis-server`. Tests that need one are skipped without it, but not with `CI=true`: then
 * importing this file fails.
 */
export const hasRedis = spawnSync(binary, ['--version'], { stdio: 'ignore' }).status === 0

if (!hasRedis && process.env.CI === 'true') {
  throw new Error(
    'redis-server is missing; install it (Debian, Ubuntu: apt-get install redis-server)',
  )
}

/** Settings of redis.conf, by name. */
type Settings = Readonly<Record<string, string>>

export interface RedisServer {
  readonly port: number
  readonly url: string
  /** Runs one command as the default user and returns its reply. */
  command(...args: string[]): Promise<unknown>
  /** Sends the process a signal. SIGKILL and SIGTERM end it: await {@link RedisServer.ended}. */
  signal(name: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void
  readonly ended: () => Promise<void>
  /** Starts it again after it ended, on the same port and with the same data. */
  restart(): Promise<void>
  /** Ends it and removes its data. */
  close(): Promise<void>
}

/** As durable as Gatehouse wants it, unless told otherwise. */
const durable: Settings = {
  bind: '127.0.0.1',
  save: '',
  appendonly: 'yes',
  appendfsync: 'always',
  'maxmemory-policy': 'noeviction',
}

/** Starts a server and waits until it accepts connections. */
export async function startRedis(settings: Settings = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-redis-'))
  const own = { ...durable, ...settings, dir: folder, logfile: '' }
  const started = await startOnFreePort(own)
  const { port, args } = started
  let { child } = started
  const password = settings.requirepass
  const ended = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    await new Promise((resolve) => child.once('exit', resolve))
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    command: (...command) => runCommand(port, password, command),
    signal: (name) => void child.kill(name),
    ended,
    restart: async () => {
      child = await startProcess(args)
    },
    close: async () => {
      child.kill('SIGKILL')
      await ended()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Starts a server of a cluster that owns these slots, or none. */
export async function startRedisNode(...slots: [first: number, last: number] | []) {
  const node = await startRedis({ 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' })
  if (slots.length > 0) await node.command('CLUSTER', 'ADDSLOTSRANGE', ...slots.map(String))
  return node
}

/** Makes one cluster of two servers that own all slots together. */
export async function joinRedisNodes(first: RedisServer, second: RedisServer): Promise<void> {
  const reply = (await second.command('CONFIG', 'GET', 'cluster-port')) as Record<string, string>
  const [bus = ''] = Object.values(reply)
  await first.command('CLUSTER', 'MEET', '127.0.0.1', `${second.port}`, bus)
  const isWhole = /cluster_state:ok[^]*cluster_slots_ok:16384[^]*cluster_known_nodes:2/
  for (const node of [first, second]) await waitForReply(node, ['CLUSTER', 'INFO'], isWhole)
}

/** Makes a server of the same cluster a replica, up to date and known to its master. */
export async function makeRedisReplica(replica: RedisServer, master: RedisServer): Promise<void> {
  await replica.command('CLUSTER', 'REPLICATE', String(await master.command('CLUSTER', 'MYID')))
  await waitForReply(replica, ['INFO', 'replication'], /master_link_status:up/)
  await waitForReply(master, ['CLUSTER', 'SLOTS'], new RegExp(`127.0.0.1,${replica.port}`))
}

async function waitForReply(server: RedisServer, command: string[], wanted: RegExp): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (wanted.test(String(await server.command(...command)))) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`${command.join(' ')} never says ${wanted}`)
}

async function runCommand(
  port: number,
  password: string | undefined,
  command: string[],
): Promise<unknown> {
  const socket = { port, host: '127.0.0.1', reconnectStrategy: false } as const
  const client = createClient({ socket, ...(password !== undefined && { password }) })
  client.on('error', () => {})
  await client.connect()
  try {
    return await client.sendCommand(command)
  } finally {
    client.destroy()
  }
}

/** Redis cannot pick a port itself, and somebody may take a free one first: then another is tried. */
async function startOnFreePort(settings: Settings) {
  for (let attempt = 1; ; attempt++) {
    const [port, clusterPort] = await findFreePorts()
    const all = { ...settings, port: `${port}`, 'cluster-port': `${clusterPort}` }
    const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
    try {
      return { port, args, child: await startProcess(args) }
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}

function startProcess(args: string[]): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines: string[] = []
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`redis-server ended:\n${lines.join('\n')}`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      if (/Ready to accept connections/.test(line)) resolve(child)
    })
  })
}

async function findFreePorts(): Promise<[number, number]> {
  const [first, second] = [await listen(), await listen()]
  const ports: [number, number] = [first.port, second.port]
  await first.close()
  await second.close()
  return ports
}

async function listen(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('Not listening on a port')
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()))
  return { port: address.port, close }
}
