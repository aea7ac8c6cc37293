/** Where a server's time goes under one operation: a CPU profile, summed up by function and by package. */
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Contender } from './contenders.ts'
import { runLoad } from './load.ts'
import { findPurpose } from './purposes.ts'
import { renderTable } from './report.ts'
import { lanes } from './servers/protocol.ts'

const warmUpMilliseconds = 3000
const milliseconds = 5000
const shownFunctions = 40

/** The parts of a .cpuprofile file that are read. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly children?: readonly number[]
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      readonly lineNumber: number
    }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Profiles a contender and returns the tables; the whole profile stays in a file that they name. */
export async function writeProfile(
  { name, server, operate }: Contender,
  operation: string,
  tell: (text: string) => void,
): Promise<string> {
  const file = join(tmpdir(), `gatehouse-${operation}-${process.pid}.cpuprofile`)
  await runLoad(operate, { lanes, milliseconds: warmUpMilliseconds })
  await server.profile(file)
  const latencies = await runLoad(operate, { lanes, milliseconds })
  await server.profile(file)
  tell(`the profile is ${file}`)
  const profile = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile
  return `\n${operation}: ${name}, ${latencies.length} operations\n\n${renderProfile(profile, latencies.length)}`
}

function renderProfile(profile: CpuProfile, operations: number): string {
  const stacks = createStacks(profile)
  const byPurpose = new Map<string, number>()
  const byPackage = new Map<string, number>()
  const byFunction = new Map<string, number>()
  profile.samples.forEach((id, n) => {
    const stack = stacks.find(id)
    const [innermost = ''] = stack
    if (innermost.startsWith('(idle)')) return
    const microseconds = (profile.timeDeltas[n] ?? 0) / operations
    add(byPurpose, findPurpose(stack), microseconds)
    add(byPackage, toPackage(innermost), microseconds)
    add(byFunction, innermost, microseconds)
  })
  return [
    renderTable(['µs/op', 'what for'], toRows(byPurpose)),
    renderTable(['µs/op', 'package'], toRows(byPackage)),
    renderTable(['µs/op', 'function, itself'], toRows(byFunction).slice(0, shownFunctions)),
  ].join('\n\n')
}

/** The stacks of a profile, by the id of their innermost node. */
function createStacks({ nodes }: CpuProfile) {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, toFrame(callFrame)]))
  const callers = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  )
  const known = new Map<number, readonly string[]>()
  const find = (id: number): readonly string[] => {
    const before = known.get(id)
    if (before) return before
    const caller = callers.get(id)
    const stack = [frames.get(id) ?? '', ...(caller === undefined ? [] : find(caller))]
    known.set(id, stack)
    return stack
  }
  return { find }
}

/** A frame as `function file`. */
function toFrame({ functionName, url }: { functionName: string; url: string }): string {
  return `${functionName || '(anonymous)'} ${toPlace(url)}`
}

function add(sums: Map<string, number>, name: string, more: number): void {
  sums.set(name, (sums.get(name) ?? 0) + more)
}

function toRows(sums: ReadonlyMap<string, number>): string[][] {
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .map(([name, microseconds]) => [microseconds.toFixed(2), name])
}

const checkout = fileURLToPath(new URL('..', import.meta.url))

function toPlace(url: string): string {
  return url.startsWith('file:') ? relative(checkout, fileURLToPath(url)) : url
}

/** A package, a room of `src`, or Node itself. */
function toPackage(frame: string): string {
  const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(frame) ?? []
  if (name !== undefined) return name
  const [, room] = / (src\/[^/]+)/.exec(frame) ?? []
  if (room !== undefined) return room
  if (frame.includes(' node:')) return 'node, JavaScript'
  if (!frame.endsWith(' ')) return frame
  return frame.startsWith('(') ? frame.trim() : 'node, native'
}
