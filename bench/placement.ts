/**
 * Which process runs where. Every measured server has one core to itself, threads and all; the measuring
 * process and the databases share another one. Where that cannot be had, only CPU time means anything.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Ties a process to cores; Linux has it. */
const taskset = 'taskset'

/** Where servers run. */
export interface Placement {
  /** Core of every measured server; undefined where the system decides. */
  readonly serverCore: number | undefined
  /** What was done, for the report. */
  readonly note: string
}

/** Moves this process, and with it what it starts, to one core, and keeps another one for the servers. */
export function placeProcesses(): Placement {
  const cores = findCores()
  const [clientCore] = cores
  const serverCore = cores.at(-1)
  if (clientCore === undefined || serverCore === undefined) {
    return {
      serverCore: undefined,
      note: `no taskset here: ${availableParallelism()} cores shared by server and client; go by CPU time`,
    }
  }
  if (clientCore === serverCore) {
    return { serverCore: undefined, note: 'one core for server and client: go by CPU time' }
  }
  execFileSync(taskset, ['-acp', `${clientCore}`, `${process.pid}`], { stdio: 'ignore' })
  return {
    serverCore,
    note: `each server on core ${serverCore} alone (taskset), client and databases on core ${clientCore}`,
  }
}

/** The command line that runs Node on the core of the servers. */
export function toNodeCommand({ serverCore }: Placement): readonly [string, ...string[]] {
  if (serverCore === undefined) return [process.execPath]
  return [taskset, '-c', `${serverCore}`, process.execPath]
}

/** A tick of the kernel's clock, in microseconds; the same on every Linux that matters. */
const tickMicroseconds = 10_000

/**
 * For how long the core of the servers has been busy since the machine started, with whatever it was, in
 * microseconds; undefined where servers have no core to themselves.
 */
export function readBusyMicroseconds({ serverCore }: Placement): number | undefined {
  if (serverCore === undefined) return undefined
  const [, fields] = new RegExp(`^cpu${serverCore} (.*)$`, 'm').exec(readStat()) ?? []
  if (fields === undefined) return undefined
  const [user = 0, nice = 0, system = 0, , , ...rest] = fields.split(' ').map(Number)
  const [interrupts = 0, softInterrupts = 0, stolen = 0] = rest
  return (user + nice + system + interrupts + softInterrupts + stolen) * tickMicroseconds
}

function readStat(): string {
  return readFileSync('/proc/stat', 'utf8')
}

/** The cores this process may use; none without `taskset`. */
function findCores(): number[] {
  const asked = spawnSync(taskset, ['-cp', `${process.pid}`], { encoding: 'utf8' })
  const [, list] = /:\s*([\d,-]+)\s*$/.exec(asked.stdout ?? '') ?? []
  if (asked.status !== 0 || list === undefined) return []
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, n) => first + n)
  })
}
