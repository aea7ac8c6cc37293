/**
 * Resource indicators (RFC 8707): which protected server a token is for.
 *
 * Clients write the same URL in several ways (upper-case host, default port, a trailing slash); all
 * of them become the one configured string. Beyond that the comparison is exact: no prefix, no dot
 * segments, no percent-decoding (AZ-17, AZ-18).
 */
import { OAuthError } from '../errors.ts'

/**
 * Finds the configured resource that a request means, and returns it as configured.
 *
 * Several values must mean the same one (older Codex sends `resource` twice). Without any, the only
 * resource is meant; so is it when the value is the bare origin, which clients send that read the
 * MCP URL as `https://host/`. `aliases` are further names of resources. Everything else throws
 * `invalid_target`.
 */
export function resolveResource(
  values: readonly string[],
  resources: readonly string[],
  aliases: ReadonlyMap<string, string> = new Map(),
): string {
  if (values.length === 0) return resolveDefault(resources)
  const found = new Set(
    values.map((value) => findResource(value, resources) ?? findAlias(value, aliases)),
  )
  const [resource] = found
  if (found.size === 1 && resource !== undefined) return resource
  if (found.has(undefined)) {
    throw invalidTarget(
      'Parameter "resource" names no server behind this one; use the resource of the protected-resource metadata',
      'resource_unknown',
    )
  }
  throw invalidTarget('Parameter "resource" names more than one server', 'resource_several')
}

/** Where the protected-resource metadata of a path is served (RFC 9728 §3.1). */
export function resourceMetadataPath(path: string): string {
  return `/.well-known/oauth-protected-resource${path === '/' ? '' : path}`
}

function resolveDefault(resources: readonly string[]): string {
  const [only, ...others] = resources
  if (only !== undefined && others.length === 0) return only
  throw invalidTarget(
    'Parameter "resource" is missing; name the server that the token is for',
    'resource_missing',
  )
}

function findResource(value: string, resources: readonly string[]): string | undefined {
  if (resources.includes(value)) return value
  const wanted = toCanonical(value)
  if (wanted === undefined) return undefined
  const exact = resources.find((resource) => toCanonical(resource)?.whole === wanted.whole)
  if (exact !== undefined) return exact
  const [only, ...others] = resources
  const bareOrigin = wanted.whole === wanted.origin
  if (only === undefined || others.length > 0 || !bareOrigin) return undefined
  return toCanonical(only)?.origin === wanted.origin ? only : undefined
}

function findAlias(value: string, aliases: ReadonlyMap<string, string>): string | undefined {
  const alias = findResource(value, [...aliases.keys()])
  return alias === undefined ? undefined : aliases.get(alias)
}

/** A protected server: where it is, and what it is called in tokens and metadata. */
export interface ResourceName {
  readonly path: string
  readonly resource: string
}

/**
 * The names of one server, its own first: clients of HTTP+SSE know it by the URL of their stream, and
 * strict ones accept no other. Tokens for any of them are tokens for the first.
 */
export function listResources(
  server: ResourceName & { readonly ssePath?: string },
): readonly ResourceName[] {
  const { path, resource, ssePath = path } = server
  const own = { path, resource }
  if (ssePath === path) return [own]
  return [own, { path: ssePath, resource: resource.slice(0, -path.length) + ssePath }]
}

/** Undefined when it is no absolute http(s) URL, or has userinfo, a query or a fragment. */
function toCanonical(value: string): { origin: string; whole: string } | undefined {
  const match = /^(https?):\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?(\/[^?#\\\s]*)?$/i.exec(
    value,
  )
  if (match === null) return undefined
  const [, scheme = '', host = '', port = '', path = ''] = match
  const defaultPort = scheme.toLowerCase() === 'https' ? ':443' : ':80'
  const origin = `${scheme}://${host}${port === defaultPort ? '' : port}`.toLowerCase()
  return { origin, whole: origin + (path.endsWith('/') ? path.slice(0, -1) : path) }
}

function invalidTarget(description: string, reason: string): OAuthError {
  return new OAuthError('invalid_target', description, { reason })
}
