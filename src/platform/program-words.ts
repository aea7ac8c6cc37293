/** What the owner of a program reads when it does not run, wherever that is said. */
import type { ProgramEnd } from './line-process.ts'

/** The last of what a program said. */
export interface LastWords {
  hear(line: string): void
  list(): readonly string[]
}

/** Lines that are kept. */
const wordsKept = 8

/** Keeps the last lines that say something: an error of Node is followed by more lines of its stack than are kept. */
export function createLastWords(): LastWords {
  const kept: string[] = []
  return {
    hear(line) {
      if (line.trim() === '' || /^\s+at /.test(line)) return
      kept.push(line)
      if (kept.length > wordsKept) kept.shift()
    },
    list: () => kept,
  }
}

/** Why a program could not be started, from the code of the system. */
export function describeFailure(
  failure: NonNullable<ProgramEnd['failure']>,
  command: string,
): string {
  if (failure === 'EACCES') return 'it may not be run, or is a folder'
  if (failure !== 'ENOENT') return failure
  if (/\s/.test(command))
    return 'there is no command of this name; its arguments are elements of their own, as in [npx, -y, some-server]'
  return 'there is no such command on this machine, or its cwd is missing'
}
