/** Programs that the tests need beside Node: where they are, and bringing them where that is allowed. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where a program may be. */
export interface Program {
  /** The environment variable that names an executable; then nothing else is looked at. */
  readonly variable: string
  /** What it may be called, on the `PATH`. */
  readonly names: readonly string[]
  /** Where it may be besides. */
  readonly places: readonly string[]
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The path of an executable; undefined when there is none. */
export function findProgram({ variable, names, places }: Program): string | undefined {
  const named = process.env[variable]
  if (named) return isExecutable(named) ? named : undefined
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const onPath = folders.flatMap((folder) => names.map((name) => join(folder, name)))
  return [...onPath, ...places].find(isExecutable)
}

/** Whether system packages may be installed without asking: a root user on a system with apt-get. */
function mayInstall(): boolean {
  if (process.getuid?.() !== 0) return false
  return spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0
}

function runApt(args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = spawnSync('apt-get', args, { env, encoding: 'utf8', timeout: 300_000 })
  if (apt.status !== 0) console.error(`apt-get ${args.join(' ')}:\n${apt.stdout}${apt.stderr}`)
  return apt.status === 0
}

/** Like {@link findProgram}, after installing it from the system's packages where it is missing and we may. */
export function bringProgram(program: Program, packages: readonly string[]): string | undefined {
  const found = findProgram(program)
  if (found || !mayInstall()) return found
  console.log(`gatehouse: installing ${packages.join(' ')} with apt-get`)
  if (!runApt(['update'])) return undefined
  runApt(['install', '-y', '--no-install-recommends', ...packages])
  return findProgram(program)
}
