/** A file of environment variables, as Docker Compose, systemd and the guides of many servers have one: `.env`. */
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import type { Problem } from './problems.ts'

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>

/** The environment of a process, with what a file adds to it. */
export interface JoinedEnvironment {
  readonly env: Variables
  readonly problems: readonly Problem[]
  /** Adds the file to the places that are variables of it: `A, B` becomes `A in .env, B`. */
  toPlace(place: string): string
}

/**
 * Lays the environment over the variables of a file: a variable of the process wins, as everywhere, even an
 * empty one, which takes the file's away.
 */
export function joinEnvFile(file: string | undefined, env: Variables): JoinedEnvironment {
  if (file === undefined) return { env, problems: [], toPlace: (place) => place }
  const { variables, problems } = readEnvFile(file)
  const own = new Set(Object.keys(env).filter((name) => env[name] !== undefined))
  const added = Object.entries(variables).filter(([name]) => !own.has(name))
  const fromFile = new Set(added.map(([name]) => name))
  return {
    env: { ...env, ...Object.fromEntries(added) },
    problems,
    toPlace: (place) =>
      place
        .split(', ')
        .map((name) => (fromFile.has(name) ? `${name} in ${file}` : name))
        .join(', '),
  }
}

function readEnvFile(file: string): { variables: Variables; problems: Problem[] } {
  try {
    return { variables: parseEnv(readFileSync(file, 'utf8')), problems: [] }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return {
      variables: {},
      problems: [{ place: file, setting: '', problem: `cannot be read: ${why}` }],
    }
  }
}
