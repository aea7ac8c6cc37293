/** Where the endpoints of the authorization server live below the issuer: each by itself, or all below a base path. */

/** Path of every endpoint that other code or a document refers to. */
export interface EndpointPaths {
  readonly authorize: string
  readonly token: string
  readonly register: string
  readonly revoke: string
  readonly introspect: string
  readonly jwks: string
  readonly consent: string
  readonly signIn: string
  /** Providers send the browser back to this path and their id, unless they have a path of their own. */
  readonly callback: string
  readonly setup: string
  readonly stats: string
  readonly health: string
  readonly providers: string
  /** The consent page by the name that some guides give it: the same as `authorize` (A3). */
  readonly page: string
  /** Another such name of `authorize` (S3). */
  readonly login: string
  /** Below which the others are by default; empty: the origin. */
  readonly base: string
  /** Further paths and what is served there too; no document ever names them. */
  readonly aliases: Readonly<Record<string, EndpointName>>
}

/** One endpoint that has a path. */
export type EndpointName = Exclude<keyof EndpointPaths, 'base' | 'aliases'>

/** The paths that somebody chooses; the others follow from `base`. */
export type EndpointPathOptions = {
  readonly [name in keyof EndpointPaths]?: EndpointPaths[name] | undefined
}

/** Where the endpoints are without a base path. */
const atOrigin = {
  authorize: '/authorize',
  token: '/token',
  register: '/register',
  revoke: '/revoke',
  introspect: '/introspect',
  jwks: '/jwks',
  consent: '/consent',
  signIn: '/sign-in',
  callback: '/callback',
  setup: '/setup',
} as const

/** What is not of OAuth itself has no place of its own at the origin: without a base it is below `/oauth`. */
const belowBase = {
  stats: '/stats',
  health: '/health',
  providers: '/providers',
  page: '/authorize/page',
  login: '/login',
} as const

/** The endpoints, in the order of the documentation. */
export const endpointNames = Object.keys({ ...atOrigin, ...belowBase }) as readonly EndpointName[]

/** What is at a fixed place of the origin, whatever the base. */
export const fixedPaths = ['/', '/healthz', '/readyz', '/metrics'] as const

/** What has further paths below its own. */
const withChildren: ReadonlySet<EndpointName> = new Set(['register', 'callback'])

/**
 * The paths that these choices come to.
 *
 * @throws TypeError naming the choice that cannot be a path, or both of two that take each other's place
 */
export function resolveEndpointPaths(options: EndpointPathOptions = {}): EndpointPaths {
  const { base = '', aliases = {}, ...chosen } = options
  if (base !== '') verifyPath('base', base)
  const defaults = {
    ...addBase(base, atOrigin),
    ...addBase(base === '' ? '/oauth' : base, belowBase),
  }
  const given = Object.fromEntries(Object.entries(chosen).filter(([, path]) => path !== undefined))
  const paths: EndpointPaths = Object.freeze({
    ...defaults,
    ...given,
    base,
    aliases: Object.freeze({ ...aliases }),
  })
  verifyPlaces(listPlaces(paths))
  return paths
}

function addBase<T extends Record<string, string>>(base: string, paths: T): T {
  const joined = Object.entries(paths).map(([name, path]) => [name, base + path])
  return Object.fromEntries(joined) as T
}

/** A path that is taken, and by what. */
export interface Place {
  /** As the options name it, such as `paths.token`. */
  readonly name: string
  readonly path: string
  /** Whether it also takes every path below. */
  readonly hasChildren: boolean
}

/** Every path that these endpoints and their aliases take, and the fixed ones. */
export function listPlaces(paths: EndpointPaths): Place[] {
  const own = endpointNames.map((name) => {
    verifyPath(name, paths[name])
    return { name: `paths.${name}`, path: paths[name], hasChildren: withChildren.has(name) }
  })
  const aliases = Object.entries(paths.aliases).map(([path, name]) => {
    verifyAlias(path, name)
    return { name: `paths.aliases[${JSON.stringify(path)}]`, path, hasChildren: false }
  })
  const fixed = fixedPaths.map((path) => ({ name: `the fixed ${path}`, path, hasChildren: false }))
  return [...fixed, ...own, ...aliases]
}

function verifyAlias(path: string, name: EndpointName): void {
  verifyPath(`aliases[${JSON.stringify(path)}]`, path)
  if (name === 'callback') {
    throw new TypeError(
      `paths.aliases[${JSON.stringify(path)}] cannot be callback: providers send the browser to one path; set the callbackPath of the provider`,
    )
  }
  if (endpointNames.includes(name)) return
  throw new TypeError(
    `paths.aliases[${JSON.stringify(path)}] must be one of ${endpointNames.filter((one) => one !== 'callback').join(', ')}, not ${JSON.stringify(name)}`,
  )
}

/** Whether a text is a path that can be served as it stands: no parameter, no encoding, no way upwards. */
export function isPlainPath(path: string): boolean {
  return /^(\/[A-Za-z0-9._~-]+)+$/.test(path) && !/\/\.{1,2}(\/|$)/.test(path)
}

function verifyPath(name: string, path: string): void {
  if (!isPlainPath(path)) {
    throw new TypeError(`paths.${name} ${JSON.stringify(path)} must look like /oauth/token`)
  }
  if (!/^\/\.well-known(\/|$)/.test(path)) return
  throw new TypeError(
    `paths.${name} ${JSON.stringify(path)} is under /.well-known, where metadata documents are; choose another`,
  )
}

/**
 * Refuses places that take each other's: the same path, or one below another that takes what is below it.
 *
 * @throws TypeError naming both
 */
export function verifyPlaces(places: readonly Place[]): void {
  for (const [index, place] of places.entries()) {
    const other = places.slice(0, index).find((earlier) => doCollide(earlier, place))
    if (other === undefined) continue
    throw new TypeError(
      place.path === other.path
        ? `${other.name} and ${place.name} are both ${place.path}; give each a path of its own`
        : `${other.name} (${other.path}) and ${place.name} (${place.path}) take each other's place; give one of them another path`,
    )
  }
}

function doCollide(a: Place, b: Place): boolean {
  return a.path === b.path || isBelow(a, b) || isBelow(b, a)
}

function isBelow(parent: Place, { path }: Place): boolean {
  return parent.hasChildren && path.startsWith(`${parent.path}/`)
}
