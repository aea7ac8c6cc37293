/** Backends that are programs, as they are configured, and what contradicts itself in that. */
import { z } from 'zod'
import { type BackendOptions, listMisplaced, type MisplacedOption } from '../../backend-options.ts'
import { callerFacts } from '../../identity/caller-facts.ts'
import type { SettingPath } from './layers.ts'
import { type Problem, toName } from './problems.ts'
import type { SecretReference } from './secrets.ts'

const text = z.string().min(1, 'must not be empty')

const callerFact = z.strictObject({
  caller: z.enum(callerFacts),
})

const variableName = z.string().regex(/^[^=\s]+$/, 'must be the name of a variable')

/** How many of a program run at a time. */
const processBounds = z.strictObject({
  most: z.int().min(1).max(10_000).optional(),
  perUser: z.int().min(1).max(10_000).optional(),
  idleSeconds: z.int().min(1).max(86_400).optional(),
})

/**
 * The settings of a program; a value of a variable may be a secret that stands elsewhere.
 *
 * @param resolve reads such a secret, or reports why it cannot be read
 */
export function createProgramSchemas(
  resolve: (reference: SecretReference, context: z.RefinementCtx) => string,
) {
  const value = z
    .union(
      [text, z.strictObject({ env: text }), z.strictObject({ file: text }), callerFact],
      `must be a text, { env: NAME }, { file: PATH } or { caller: ${callerFacts.join(' | ')} }`,
    )
    .transform((given, context) =>
      typeof given === 'object' && 'caller' in given ? given : resolve(given, context),
    )
  /** Those that also say the only backend, without a list of backends. */
  const short = {
    command: z
      .union([text, z.array(text).min(1)], 'must be a program, or a list of it and its arguments')
      .optional(),
    env: z.record(variableName, value).optional(),
  }
  const whole = {
    ...short,
    args: z.array(z.string()).optional(),
    cwd: text.optional(),
    processes: processBounds.optional(),
  }
  return { short, whole }
}

/** A setting that cannot be as it is. */
interface Breach {
  readonly path: SettingPath
  readonly problem: string
}

/** What is configured of backends and cannot be, because they are programs or because they are none. */
export function findProgramConflicts(
  backends: readonly BackendOptions[],
  locate: (path: SettingPath) => string,
): Problem[] {
  const breaches = backends.flatMap((backend, index) => findBreaches(backend, ['backends', index]))
  return breaches.map(({ path, problem }) => ({
    place: locate(path),
    setting: toName(path),
    problem,
  }))
}

function findBreaches(backend: BackendOptions, path: SettingPath): Breach[] {
  const toProblem = backend.command === undefined ? toIdle : toContradiction
  return listMisplaced(backend).map((name) => ({ path: [...path, name], problem: toProblem(name) }))
}

function toIdle(): string {
  return 'is about a program, and there is no command; name it, or remove this'
}

function toContradiction(name: MisplacedOption): string {
  if (name === 'to')
    return 'contradicts command: the MCP server listens there, or is started here; remove one'
  if (name === 'transport') return 'is about a server that listens; with command remove it'
  return 'cannot reach a program, which has no requests: say it in env, see docs/guides/stdio.md'
}
