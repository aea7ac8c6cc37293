/** File, environment and flags laid over each other, remembering where each value came from. */
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import type * as Yaml from 'yaml'
import { findSimilar } from '../similar.ts'
import type { Problem } from './problems.ts'
import { providerTypes } from './providers.ts'
import { parsePublicUrl } from './public-url.ts'
import { keepSentences } from './scope-sentences.ts'
import { fallbackNames, type Setting, type SettingKind, settingsByName } from './settings.ts'

const require = createRequire(import.meta.url)

/** Loaded where there is YAML to read: most starts have none, and it has more files than all of ours. */
const loadYaml = (): typeof Yaml => require('yaml')

/** A path inside the configuration, such as `['backends', 0, 'to']`. */
export type SettingPath = readonly (string | number)[]

/** One value and where it was given. */
export interface Given {
  readonly path: readonly string[]
  readonly value: unknown
  /** In words a person can go to: `--port`, `GATEHOUSE_PORT`. */
  readonly place: string
}

/** A configuration file as it was parsed. */
export interface ParsedFile {
  readonly tree: Record<string, unknown>
  readonly problems: readonly Problem[]
  /** `gatehouse.yaml:3:5` for the deepest part of the path that the file has. */
  locate(path: SettingPath): string
}

/** What all the sources say together. */
export interface Layers {
  readonly tree: Record<string, unknown>
  /** Where the value at a path came from. */
  locate(path: SettingPath): string
}

/** Parses the text of a configuration file: YAML 1.2, of which JSON is a part. */
export function parseConfigFile(name: string, source: string): ParsedFile {
  const { LineCounter, parseDocument } = loadYaml()
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false })
  const toPlace = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${name}:${line}:${col}`
  }
  const problems = document.errors.map((error) => ({
    place: toPlace(error.pos[0]),
    setting: '',
    problem: error.message,
  }))
  const content: unknown = problems.length > 0 ? {} : (document.toJS() ?? {})
  const isTree = isRecord(content)
  if (!isTree) {
    problems.push({ place: `${name}:1:1`, setting: '', problem: 'must be a map of settings' })
  }
  return {
    tree: isTree ? content : {},
    problems,
    locate: (path) => toPlace(findOffset(document, path)),
  }
}

/** Lays values over the file's, later ones over earlier ones; names of scopes keep the file's sentences. */
export function mergeLayers(file: ParsedFile | undefined, given: readonly Given[]): Layers {
  const tree = structuredClone(file?.tree ?? {})
  for (const { path, value } of given) {
    const isScopes = path.join('.') === 'scopes'
    setIn(tree, path, isScopes ? keepSentences(value, file?.tree.scopes) : value)
  }
  return {
    tree,
    locate(path) {
      const winner = given.findLast((one) => one.path.every((part, index) => path[index] === part))
      if (winner !== undefined) return winner.place
      const [block = ''] = path
      const isInFile = file !== undefined && Object.hasOwn(file.tree, block)
      const sibling = given.findLast((one) => one.path.length > 1 && one.path[0] === block)
      if (!isInFile && sibling !== undefined) return sibling.place
      return file?.locate(path) ?? 'settings'
    },
  }
}

/**
 * What the environment says. Empty variables count as absent. Names of one setting that contradict
 * each other are a problem, and so is a `GATEHOUSE_` name that is no setting.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): {
  given: Given[]
  problems: Problem[]
} {
  const given: Given[] = []
  const problems: Problem[] = []
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || text === '' || isClusterLink(name, text)) continue
    const setting = settingsByName.get(name)
    const fileSetting = settingsByName.get(name.replace(/_FILE$/, ''))
    if (setting !== undefined) {
      given.push({ path: setting.path, value: toValue(text, setting.kind), place: name })
    } else if (fileSetting?.secret === true) {
      given.push({ path: fileSetting.path, value: { file: resolve(text) }, place: name })
    } else if (name.startsWith('GATEHOUSE_') && name !== 'GATEHOUSE_CONFIG') {
      problems.push({ place: name, setting: '', problem: toUnknownName(name) })
    }
  }
  return { given, problems: [...problems, ...findContradictions(given)] }
}

/**
 * What the names that only fill in add to the providers that all other layers have chosen and left open.
 */
export function readFallbacks(
  env: Readonly<Record<string, string | undefined>>,
  { tree }: Layers,
): { given: Given[]; problems: Problem[] } {
  const given = fallbackNames.flatMap(([name, { path, kind, secret }]) => {
    if (!isOpen(path, tree)) return []
    const text = env[name]
    const file = secret ? env[`${name}_FILE`] : undefined
    return [
      ...(text ? [{ path, value: toValue(text, kind), place: name }] : []),
      ...(file ? [{ path, value: { file: resolve(file) }, place: `${name}_FILE` }] : []),
    ]
  })
  return { given, problems: findContradictions(given) }
}

/** Whether a name that only fills in may: of the provider that was chosen, or of a client of ours where none was. */
function isOpen([block = '', member = '']: Setting['path'], tree: Layers['tree']): boolean {
  const chosen = tree[block]
  if (isRecord(chosen) && chosen[member] !== undefined) return false
  return block === 'client' ? !hasIssuer(tree) : isRecord(chosen)
}

/** Whether somebody else says who people are, or issues the tokens. */
function hasIssuer({ providers, registration, ...blocks }: Layers['tree']): boolean {
  if (providerTypes.some((type) => blocks[type] !== undefined)) return true
  if (Array.isArray(providers) && providers.length > 0) return true
  return isRecord(registration) && registration.mode === 'verify'
}

/**
 * Kubernetes links every pod to a service called "gatehouse" with GATEHOUSE_SERVICE_HOST,
 * GATEHOUSE_PORT=tcp://… and the like: not settings, and not typos either.
 */
function isClusterLink(name: string, text: string): boolean {
  return (
    /^GATEHOUSE_(SERVICE_|PORT_\d)/.test(name) ||
    (name === 'GATEHOUSE_PORT' && /^\w+:\/\//.test(text))
  )
}

function toUnknownName(name: string): string {
  const similar = findSimilar(name, [...settingsByName.keys()])
  return `is not a setting${similar === undefined ? '' : `; did you mean ${similar}?`}`
}

function findContradictions(given: readonly Given[]): Problem[] {
  return given.flatMap((later, index) => {
    const earlier = given.slice(0, index).find((one) => one.path.join() === later.path.join())
    if (earlier === undefined) return []
    if (toComparable(earlier) === toComparable(later)) return []
    return [
      {
        place: `${earlier.place}, ${later.place}`,
        setting: later.path.join('.'),
        problem: 'has two different values; remove one of them',
      },
    ]
  })
}

/** `https://host` and `https://host/` are one public URL. */
function toComparable({ path, value }: Given): string {
  const url = path.join('.') === 'publicUrl' && typeof value === 'string' && parsePublicUrl(value)
  return JSON.stringify(url && 'origin' in url ? url.origin : value)
}

const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  '1': true,
  false: false,
  no: false,
  off: false,
  '0': false,
}

/** The value of a variable's text; a text that does not fit is left for the schema to refuse. */
function toValue(text: string, kind: SettingKind): unknown {
  if (kind === 'number') return /^\d+$/.test(text) ? Number(text) : text
  if (kind === 'boolean') return booleans[text.toLowerCase()] ?? text
  if (kind === 'list') return toList(text)
  if (kind === 'registration-mode') return toRegistrationMode(text)
  if (kind === 'scopes') return /^\s*[{[]|:\s/.test(text) ? parseYaml(text) : toList(text)
  if (kind === 'yaml') return parseYaml(text)
  return text
}

function toRegistrationMode(text: string): string {
  const isDynamic = booleans[text.toLowerCase()]
  if (isDynamic === undefined) return text
  return isDynamic ? 'dynamic' : 'static'
}

function toList(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '')
}

function parseYaml(text: string): unknown {
  try {
    return loadYaml().parse(text)
  } catch {
    return text
  }
}

function setIn(tree: Record<string, unknown>, path: Setting['path'], value: unknown): void {
  const [first, ...rest] = path
  if (first === undefined) return
  if (rest.length === 0) {
    tree[first] = value
    return
  }
  const below = tree[first]
  const branch = isRecord(below) ? below : {}
  tree[first] = branch
  setIn(branch, rest, value)
}

/** The offset of the deepest node that the path leads to. */
function findOffset(document: Yaml.Document, path: SettingPath): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true)
    if (loadYaml().isNode(node) && node.range) return node.range[0]
  }
  return 0
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
