/** What is wrong with a configuration, in words: each problem with its place and the way out. */
import type { z } from 'zod'
import { findSimilar } from '../similar.ts'
import type { SettingPath } from './layers.ts'
import { findEnvironmentNames } from './settings.ts'

/** One problem. */
export interface Problem {
  /** Where the value was given: `gatehouse.yaml:3:5`, `GATEHOUSE_PORT`, `--port`. */
  readonly place: string
  /** The setting, such as `log.level`; empty when it is about a whole source. */
  readonly setting: string
  /** What is wrong, continuing the sentence that the setting begins. */
  readonly problem: string
}

/** One line for a problem. */
export function renderProblem({ place, setting, problem }: Problem): string {
  if (setting === '' || place === 'settings') return `${setting || place} ${problem}`
  return `${place}: ${setting} ${problem}`
}

/** The problems that an issue of the schema stands for: one for each unknown setting. */
export function toProblems(
  issue: z.core.$ZodIssue,
  locate: (path: SettingPath) => string,
  known: (path: SettingPath) => readonly string[],
): Problem[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  if (issue.code !== 'unrecognized_keys') {
    return [{ place: locate(path), setting: toName(path), problem: toSentence(issue) }]
  }
  return issue.keys.map((key) => ({
    place: locate([...path, key]),
    setting: toName([...path, key]),
    problem: `is not a setting${toHint(path, key, known)}`,
  }))
}

/** Where desktop clients have the programs that they start. */
const desktopServers = 'mcpServers'

/** What was meant: most who write a setting of a backend at the top have one backend. */
function toHint(
  path: SettingPath,
  key: string,
  known: (path: SettingPath) => readonly string[],
): string {
  if (path.length === 0 && known(['backends', 0]).includes(key))
    return ` here, but one of a backend: backends[0].${key}`
  if (path.length === 0 && key === desktopServers)
    return ': each server in it is an element of backends, with its name as id, and the same command, args and env'
  const similar = findSimilar(key, known(path))
  return similar === undefined ? '' : `; did you mean ${toName([...path, similar])}?`
}

/** The name of the setting at a path: `backends[0].to`. */
export function toName(path: SettingPath): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '')
}

function toSentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union' && 'options' in issue && issue.options) {
    return `must be one of ${issue.options.join(', ')}`
  }
  if (issue.input === undefined && issue.code !== 'custom') return toMissing(issue.path)
  if (issue.code === 'invalid_type') {
    return `must be ${typeWords[issue.expected] ?? issue.expected}`
  }
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`
  if (issue.code === 'too_small') {
    const isCounted = issue.origin === 'string' || issue.origin === 'array'
    return isCounted ? 'must not be empty' : `must be at least ${issue.minimum}`
  }
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`
  if (issue.code === 'invalid_key') return `has a bad name: ${issue.issues[0]?.message ?? ''}`
  return issue.message
}

function toMissing(path: readonly PropertyKey[]): string {
  const names = findEnvironmentNames(path.map(String))
  const variables = names.length === 0 ? '' : `, or as ${names.join(' or ')}`
  return `is missing; give it in the configuration file${variables}`
}

const typeWords: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'a map of settings',
  record: 'a map of settings',
  string: 'a text',
}
