/** Reads a Dockerfile as far as ours goes: comments, continued lines, one instruction after the other. */
import { readFileSync } from 'node:fs'

/** One instruction. */
export interface Instruction {
  /** In capitals: `RUN`. */
  readonly name: string
  /** All that follows, continued lines joined. */
  readonly text: string
  readonly words: readonly string[]
}

/** The instructions of a Dockerfile, in order. */
export function readDockerfile(path: string): Instruction[] {
  const text = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n\s*/g, '')
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', ...words] = line.trim().split(/\s+/)
      return { name: name.toUpperCase(), text: line.trim().slice(name.length).trim(), words }
    })
}
