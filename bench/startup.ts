/**
 * From the start of a process to its first 200. Gatehouse is built and laid out as its package is, because a
 * checkout runs from sources, whose types must be stripped first; all data is there from a start before.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { bundleCommand } from '../scripts/bundle-command.ts'
import { createConnections } from './http.ts'
import { toNodeCommand } from './placement.ts'
import { renderTable } from './report.ts'
import { findMedian } from './statistics.ts'
import { type Ratio, toRatio } from './summary.ts'
import type { Workshop } from './workshop.ts'

/** How long one program takes, in milliseconds. */
export interface Start {
  readonly name: string
  /** The first of all, which makes the data and fills caches. */
  readonly first: number
  readonly milliseconds: Ratio
  /** CPU time of the process until then; undefined where the system does not tell. */
  readonly cpuMilliseconds: number | undefined
}

/** One start, in milliseconds. */
interface Taken {
  readonly whole: number
  readonly cpu: number | undefined
}

/** What Gatehouse is to stay below. */
const mostMilliseconds = 300
const patienceMilliseconds = 15_000
const path = '/.well-known/oauth-authorization-server'
const checkout = fileURLToPath(new URL('..', import.meta.url))

/** Starts each program so many times, in turns. */
export async function measureStarts(
  workshop: Workshop,
  rounds: number,
  tell: (text: string) => void,
): Promise<Start[]> {
  tell('start: building Gatehouse')
  const programs = await toPrograms(workshop)
  // The same port every time: the issuer, to which Gatehouse's data belongs, has it in it.
  const port = await findPort()
  const taken = programs.map((): Taken[] => [])
  for (let round = 0; round <= rounds; round += 1) {
    tell(`start: round ${round} of ${rounds}`)
    for (const [n, { toArguments }] of programs.entries()) {
      taken[n]?.push(await timeStart(workshop, toArguments(port), port))
    }
  }
  return programs.map(({ name }, n) => {
    const [first, ...others] = taken[n] ?? []
    const cpu = others.flatMap((start) => start.cpu ?? [])
    return {
      name,
      first: first?.whole ?? Number.NaN,
      milliseconds: toRatio(others.map(({ whole }) => whole)),
      cpuMilliseconds: cpu.length > 0 ? findMedian(cpu) : undefined,
    }
  })
}

interface Program {
  readonly name: string
  /** What Node is called with so that it listens on a port. */
  toArguments(port: number): readonly string[]
}

async function toPrograms(workshop: Workshop): Promise<Program[]> {
  const toServer = (name: string) => join(checkout, 'bench', 'servers', name)
  const data = join(workshop.createFolder(), 'data')
  const main = await build(workshop.createFolder())
  const serve = ['serve', '--to', 'http://127.0.0.1:9/mcp', '--data', data]
  return [
    { name: 'bare node:http', toArguments: (port) => [toServer('start-bare.mjs'), `${port}`] },
    {
      name: 'oidc-provider',
      toArguments: (port) => [toServer('start-oidc-provider.mjs'), `${port}`],
    },
    {
      name: 'Gatehouse, SQLite FULL',
      toArguments: (port) => [main, ...serve, '--port', `${port}`],
    },
  ]
}

/** The package as it would be installed, below `folder`; returns its program. */
async function build(folder: string): Promise<string> {
  const compiler = join(checkout, 'node_modules/typescript/bin/tsc')
  const outDir = join(folder, 'dist')
  const args = [compiler, '-p', join(checkout, 'tsconfig.build.json'), '--outDir', outDir]
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (!existsSync(join(outDir, 'cli/main.js'))) throw new Error(`The build failed: ${stdout}`)
  await bundleCommand(checkout, outDir)
  mkdirSync(join(folder, 'bin'))
  copyFileSync(join(checkout, 'bin/gatehouse.js'), join(folder, 'bin/gatehouse.js'))
  copyFileSync(join(checkout, 'package.json'), join(folder, 'package.json'))
  // A folder of its own, in which the program may keep compiled code.
  mkdirSync(join(folder, 'node_modules'))
  const packages = readdirSync(join(checkout, 'node_modules'))
  for (const name of packages.filter((entry) => !entry.startsWith('.'))) {
    symlinkSync(join(checkout, 'node_modules', name), join(folder, 'node_modules', name))
  }
  return join(folder, 'bin/gatehouse.js')
}

async function timeStart(
  { placement }: Workshop,
  given: readonly string[],
  port: number,
): Promise<Taken> {
  const [command, ...before] = toNodeCommand(placement)
  const started = performance.now()
  const child = spawn(command, [...before, ...given], { stdio: 'ignore' })
  try {
    await waitForFirstAnswer(child, port, started)
    return { whole: performance.now() - started, cpu: readCpu(child.pid) }
  } finally {
    await end(child)
  }
}

/** CPU time of a process and all its threads so far, in milliseconds; Linux tells. */
function readCpu(pid: number | undefined): number | undefined {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return undefined
  const [user = 0, system = 0] = readFileSync(file, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return (user + system) * 10
}

/** Asks first: whoever is killed keeps nothing for the next start. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMilliseconds)
  await gone
  clearTimeout(timer)
}

async function waitForFirstAnswer(
  child: ChildProcess,
  port: number,
  started: number,
): Promise<void> {
  const connections = createConnections(`http://127.0.0.1:${port}`)
  while (performance.now() - started < patienceMilliseconds && child.exitCode === null) {
    try {
      const { status } = await connections.send({ method: 'GET', path, headers: {} })
      if (status === 200) return connections.close()
    } catch {
      // Nobody listens yet.
    }
    await sleep(2)
  }
  throw new Error(`Nobody answered on port ${port}`)
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('No port')
  return address.port
}

/** The table, and what is to be said of the target. */
export function renderStarts(starts: readonly Start[], rounds: number): string {
  const rows = starts.map(
    ({ name, first, milliseconds: { median, least, greatest }, ...start }) => [
      name,
      first.toFixed(0),
      median.toFixed(0),
      `${least.toFixed(0)}–${greatest.toFixed(0)}`,
      start.cpuMilliseconds?.toFixed(0) ?? '',
    ],
  )
  const own = starts.find(({ name }) => name.startsWith('Gatehouse'))?.milliseconds.median ?? NaN
  return [
    `\nstart: from the start of the process to the first 200; medians of ${rounds}\n`,
    renderTable(['program', 'first ever, ms', 'ms', 'least–greatest', 'CPU ms'], rows),
    `\n- Gatehouse: ${own.toFixed(0)} ms (target <= ${mostMilliseconds}): ${own <= mostMilliseconds ? 'met' : 'missed'}`,
  ].join('\n')
}
