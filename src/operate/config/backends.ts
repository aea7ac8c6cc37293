/** The backends that are configured, by `backends` or in one of the short ways. */
import { resolve } from 'node:path'
import type { Given, Layers, SettingPath } from './layers.ts'
import type { Problem } from './problems.ts'
import type { RawConfig } from './schema.ts'

/** What the sources say, and where problems go. */
export interface BackendDraft {
  readonly raw: RawConfig
  readonly layers: Layers
  readonly flags: readonly Given[]
  readonly problems: Problem[]
}

type RawBackend = RawConfig['backends'][number]

/** The short ways to say one backend, or from a stronger source to move the only one. */
const shortWays = ['to', 'command'] as const

/**
 * All backends.
 *
 * @param folder where relative working directories of programs start
 */
export function toBackends(draft: BackendDraft, folder: string): RawConfig['backends'] {
  const { raw, layers, problems } = draft
  const refuse = (setting: string, problem: string) =>
    problems.push({ place: layers.locate([setting]), setting, problem })
  let backends: RawConfig['backends'] = raw.backends.map((backend) => inFolder(backend, folder))
  for (const way of shortWays) {
    if (raw[way] === undefined) continue
    const problem = findShortProblem(way, draft)
    if (problem === undefined) backends = [toShort(way, draft, backends[0])]
    else refuse(way, problem)
  }
  if (raw.env === undefined) return backends
  const [only, ...others] = backends
  if (only?.command !== undefined && others.length === 0)
    return [{ ...only, env: { ...only.env, ...raw.env } }]
  refuse('env', 'is about the one program that is served; say it in backends[].env')
  return backends
}

function inFolder(backend: RawBackend, folder: string): RawBackend {
  return backend.cwd === undefined ? backend : { ...backend, cwd: resolve(folder, backend.cwd) }
}

/** What said otherwise how to reach the backend goes with what it said. */
function toShort(
  way: (typeof shortWays)[number],
  { raw }: BackendDraft,
  backend: RawBackend = {},
): RawBackend {
  const { to: _, command: __, args: ___, ...rest } = backend
  return { ...rest, [way]: raw[way] }
}

function findShortProblem(
  way: (typeof shortWays)[number],
  draft: BackendDraft,
): string | undefined {
  const { raw } = draft
  const [only, ...others] = raw.backends
  if (others.length > 0) {
    return `names one backend, but ${others.length + 1} are configured; change it in backends`
  }
  const strength = findStrength([way], draft)
  const other = shortWays.find((name) => name !== way && raw[name] !== undefined)
  if (other !== undefined && findStrength([other], draft) >= strength)
    return `contradicts ${other}: the MCP server listens there, or is started here; remove one`
  const place = shortWays.find((name) => only?.[name] !== undefined)
  if (place === undefined || JSON.stringify(only?.[place]) === JSON.stringify(raw[way])) return
  if (strength > findStrength(['backends', 0, place], draft)) return
  const flag = way === 'to' ? ', or move it with --to' : ''
  return `contradicts backends[0].${place}: name the MCP server in one of them${flag}`
}

/** How strong the source of a value is: file, environment, flags. */
function findStrength(path: SettingPath, { layers, flags }: BackendDraft): number {
  if (isFromFile(layers, path)) return 0
  const place = layers.locate(path)
  return flags.some((flag) => flag.place === place) ? 2 : 1
}

/** Whether a value is from the configuration file, from whose folder its relative paths start. */
export function isFromFile(layers: Layers, path: SettingPath): boolean {
  return /:\d+:\d+$/.test(layers.locate(path))
}
