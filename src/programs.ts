/** Backends that are programs, from their options: every mistake is a `TypeError`. */
import { type BackendOptions, listMisplaced } from './backend-options.ts'
import { type CallerVariables, callerFacts } from './identity/caller-facts.ts'
import type { StdioProgram } from './stdio-program.ts'

/** The program that a backend is; undefined for one that listens somewhere, or is not ours to reach. */
export function toProgram(options: BackendOptions, id: string): StdioProgram | undefined {
  const { command, args = [], env = {}, cwd, processes = {} } = options
  const refuse = (problem: string) => new TypeError(`Backend ${id}: ${problem}`)
  const [misplaced] = listMisplaced(options)
  if (command === undefined) {
    if (misplaced === undefined) return undefined
    throw refuse(`${misplaced} is about a program, and there is no command`)
  }
  if (misplaced !== undefined)
    throw refuse(`command starts the MCP server itself, so there can be no ${misplaced}`)
  const [program = '', ...first] = [command].flat()
  const words = [program, ...first, ...args, ...Object.keys(env), ...listTexts(env)]
  if (program === '') throw refuse('command must name a program')
  if (words.some((word) => word.includes('\0')))
    throw refuse('command, args and env must not have a NUL character')
  const { most = 100, perUser = Math.min(16, most), idleSeconds = 600 } = processes
  const bounds = { most, perUser, idleSeconds }
  for (const [name, value] of Object.entries(bounds)) {
    if (Number.isInteger(value) && value >= 1) continue
    throw refuse(`processes.${name} must be a whole number, at least 1`)
  }
  return Object.freeze({
    command: program,
    args: [...first, ...args],
    env: toVariables(env, refuse),
    ...(cwd !== undefined && { cwd }),
    maxProcesses: most,
    maxProcessesPerUser: perUser,
    idleSeconds,
  })
}

function listTexts(env: CallerVariables): string[] {
  return Object.values(env).filter((value) => typeof value === 'string')
}

function toVariables(
  env: CallerVariables,
  refuse: (problem: string) => TypeError,
): StdioProgram['env'] {
  for (const [name, value] of Object.entries(env)) {
    if (!/^[^=\s]+$/.test(name)) throw refuse(`${JSON.stringify(name)} in env is no variable name`)
    if (typeof value === 'string' || callerFacts.includes(value.caller)) continue
    throw refuse(`env.${name} must be a text, or { caller: ${callerFacts.join(' | ')} }`)
  }
  return Object.freeze({ ...env })
}
