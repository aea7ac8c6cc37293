/** The backends that options stand for: defaults filled in, every mistake a `TypeError`. */
import type { BackendOptions } from './backend-options.ts'
import type { Backend } from './context.ts'
import { needsUpstreamToken } from './identity/caller-facts.ts'
import {
  type EndpointPaths,
  isPlainPath,
  listPlaces,
  verifyPlaces,
} from './oauth/endpoint-paths.ts'
import { listResources } from './oauth/resource.ts'
import { toProgram } from './programs.ts'

/**
 * The effective backends.
 *
 * @throws TypeError naming the option, what it is and what it must be
 */
export function createBackends(
  options: readonly BackendOptions[],
  issuer: string,
  paths: EndpointPaths,
): Backend[] {
  const backends = options.map((backend) => toBackend(backend, issuer))
  verifyBackends(backends)
  for (const backend of backends) verifyRoom(backend, paths)
  return backends
}

function toBackend(options: BackendOptions, issuer: string): Backend {
  const { id = 'mcp', path = '/mcp', identity = 'none', headers = {}, transport } = options
  const ssePath = options.ssePath ?? (transport === 'sse' ? path : undefined)
  if (!/^[a-z0-9-]+$/.test(id)) {
    throw new TypeError(
      `Backend id ${JSON.stringify(id)} must be lower-case letters, digits and hyphens`,
    )
  }
  for (const [name, value] of Object.entries({ path, ssePath: ssePath ?? path })) {
    if (isPlainPath(value)) continue
    throw new TypeError(`Backend ${name} ${JSON.stringify(value)} must look like /mcp`)
  }
  const program = toProgram(options, id)
  if (ssePath !== undefined && options.to === undefined && program === undefined) {
    throw new TypeError(`Backend ${id}: ssePath and transport sse need a "to" to forward to`)
  }
  // Whoever starts a program for a user's token keeps that token, as whoever forwards it does.
  const forward = needsUpstreamToken(options.env) ? 'upstream-token' : options.forward
  const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return Object.freeze({
    id,
    name: options.name ?? id,
    path,
    resource: issuer + path,
    ...(options.to !== undefined && { to: new URL(options.to) }),
    ...(program && { program }),
    ...(transport !== undefined && { transport }),
    ...(ssePath !== undefined && { ssePath }),
    identity,
    ...(forward !== undefined && { forward }),
    ...(options.signInWith !== undefined && { signInWith: options.signInWith }),
    headers: Object.freeze(Object.fromEntries(lowerCase) as Record<string, string>),
    ...(options.policy && { policy: options.policy }),
  })
}

function verifyBackends(backends: readonly Backend[]): void {
  if (backends.length === 0) throw new TypeError('At least one backend is needed')
  const ids = new Set(backends.map((backend) => backend.id))
  if (ids.size < backends.length) throw new TypeError('Two backends have the same id')
  const paths = backends.flatMap(listPaths)
  if (new Set(paths).size < paths.length) throw new TypeError('Two backends have the same path')
}

/** What is below a backend's paths is the backend's, and nothing of ours. */
function verifyRoom({ id, path, ssePath = path }: Backend, paths: EndpointPaths): void {
  const places = listPlaces(paths)
  verifyPlaces([...places, { name: `backend ${id}`, path, hasChildren: true }])
  verifyPlaces([...places, { name: `backend ${id} ssePath`, path: ssePath, hasChildren: true }])
}

/** Every path at which a backend is reached. */
function listPaths({ path, ssePath }: Backend): string[] {
  if (ssePath === undefined) return [path]
  return [path, ...(ssePath === path ? [] : [ssePath]), `${ssePath}/messages`]
}

/** Further names of resources, and the resource that each one stands for. */
export function toResourceAliases(backends: readonly Backend[]): ReadonlyMap<string, string> {
  const names = backends.flatMap((backend) =>
    listResources(backend).map(({ resource }): [string, string] => [resource, backend.resource]),
  )
  return new Map(names.filter(([alias, resource]) => alias !== resource))
}
