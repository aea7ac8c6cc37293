/** The house as data: what may import what, and the budgets and bans that hold for every source file. */
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findImports, listFiles, readSource, stripComments, stripText } from './helpers/sources.ts'

/** Files directly in `src/` are rooms of their own, but for these, which are parts of `gatehouse.ts`. */
const partsOfGatehouse = [
  'addressee',
  'answers',
  'backends',
  'config',
  'error-shapes',
  'installation',
  'operations',
  'programs',
  'scope-rules',
  'signing',
]

/** The rooms, from the top down: a room may import itself and every room in a later row. */
const rows = [
  ['cli', 'index'],
  ['gatehouse'],
  ['operate'],
  ['options'],
  ['backend-options'],
  ['routes'],
  ['console', 'doctor', 'server', 'gate'],
  ['context'],
  ['stdio-program'],
  ['identity'],
  ['tokens'],
  ['storage'],
  ['platform'],
  ['oauth', 'profiles'],
  ['errors'],
]

/** What the rows would allow and the house does not. */
const neverImports: Record<string, readonly string[]> = {
  index: ['operate', 'routes', 'console', 'doctor', 'server', 'oauth', 'profiles'],
  operate: ['routes', 'console', 'doctor', 'server', 'gate'],
  options: ['routes', 'console', 'doctor', 'server', 'gate'],
}

/** Where Node's own modules may be imported, by folder prefix; the first row that fits decides. */
const nodeModules: readonly { folder: string; allowed: RegExp }[] = [
  { folder: 'src/platform/', allowed: /./ },
  { folder: 'src/operate/', allowed: /./ },
  { folder: 'src/cli/', allowed: /./ },
  { folder: 'src/storage/records/', allowed: /^node:crypto$/ },
  { folder: 'src/storage/', allowed: /./ },
  { folder: 'src/tokens/', allowed: /^node:crypto$/ },
]

/** Packages that the pure rooms may use: they reach nothing and know no clock. */
const purePackages = /^(zod|ipaddr\.js)$/

const sources = listFiles('src').filter((path) => path.endsWith('.ts'))
const tooLong = 300

function findRoom(path: string): string {
  const [, first = ''] = path.split('/')
  const room = first.replace(/\.ts$/, '')
  return partsOfGatehouse.includes(room) ? 'gatehouse' : room
}

function findRow(room: string): number {
  return rows.findIndex((row) => row.includes(room))
}

function resolveImport(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier)
}

/** Why `path` may not import `specifier`; undefined when it may. */
function findBreach(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('node:')) {
    const row = nodeModules.find(({ folder }) => path.startsWith(folder))
    return row?.allowed.test(specifier) ? undefined : `${path} imports ${specifier}`
  }
  const from = findRoom(path)
  if (!specifier.startsWith('.')) {
    const isPure = from === 'oauth' || from === 'profiles'
    return isPure && !purePackages.test(specifier) ? `${path} imports ${specifier}` : undefined
  }
  const to = findRoom(resolveImport(path, specifier))
  const isAllowed = findRow(to) > findRow(from) && !neverImports[from]?.includes(to)
  return to === from || isAllowed ? undefined : `${path} imports ${specifier}`
}

/** Lines of `src/` outside the excepted folders that match, as `file:line`. */
function findLines(pattern: RegExp, except: string[] = [], read = stripText): string[] {
  const searched = sources.filter((path) => !except.some((folder) => path.startsWith(folder)))
  return searched.flatMap((path) =>
    read(readSource(path))
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
  )
}

describe('imports', () => {
  it('finds the sources it judges', () => {
    expect(sources.length).toBeGreaterThan(20)
  })

  it('knows every room', () => {
    const rooms = new Set(sources.map(findRoom))
    expect([...rooms].filter((room) => findRow(room) < 0)).toEqual([])
  })

  it('run one way, downwards, and Node is imported only where it is allowed', () => {
    const breaches = sources.flatMap((path) =>
      findImports(readSource(path)).flatMap((specifier) => findBreach(path, specifier) ?? []),
    )
    expect(breaches).toEqual([])
  })

  it('of the context and the options are types only', () => {
    const runtime = ['src/context.ts', 'src/options.ts'].filter((path) =>
      /^\s*import (?!type\b)/m.test(stripComments(readSource(path))),
    )
    expect(runtime).toEqual([])
  })

  it('of the adapters stay inside the platform', () => {
    const adapters = sources.filter((path) => path.startsWith('src/platform/adapters/'))
    const outside = adapters.flatMap((path) =>
      findImports(readSource(path))
        .filter((specifier) => specifier.startsWith('.'))
        .filter((specifier) => findRoom(resolveImport(path, specifier)) !== 'platform')
        .map((specifier) => `${path} imports ${specifier}`),
    )
    expect(outside).toEqual([])
  })
})

describe('budgets and bans', () => {
  it(`keeps source files to ${tooLong} lines`, () => {
    const long = sources.filter((path) => readSource(path).trimEnd().split('\n').length > tooLong)
    expect(long).toEqual([])
  })

  it('has no drawers', () => {
    const drawer = /(^|\/)(utils?|helpers?|common|misc|shared)(\.ts|\/)/
    expect(sources.filter((path) => drawer.test(path))).toEqual([])
  })

  it('reads the environment in operate/config only', () => {
    expect(findLines(/\bprocess\.env\b/, ['src/operate/config'])).toEqual([])
  })

  it('prints in cli only', () => {
    expect(findLines(/\bconsole\./, ['src/cli/'])).toEqual([])
  })

  it('has named exports only, listed one by one', () => {
    expect(findLines(/\bexport\s+default\b|\bexport\s+\*/)).toEqual([])
  })

  it('never says any, never asserts non-null, never silences the compiler', () => {
    expect(findLines(/[:<|&,(]\s*any\b(?!\s*\()|\bas any\b/)).toEqual([])
    expect(findLines(/[\w)\]]!(?=[.;,)\]]|\s*$)/)).toEqual([])
    expect(
      findLines(/@ts-(ignore|nocheck|expect-error)|(oxlint|eslint)-disable/, [], String),
    ).toEqual([])
  })

  it('uses erasable syntax only: no enums, no namespaces', () => {
    expect(findLines(/^\s*(export\s+)?(const\s+)?(enum|namespace)\s/)).toEqual([])
  })

  it('has no classes but the error', () => {
    expect(findLines(/^\s*(export\s+)?(abstract\s+)?class\s/, ['src/errors.ts'])).toEqual([])
  })

  it('leaves the clock and randomness to the platform', () => {
    const chance = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\brandomBytes\(|\brandomUUID\(/
    const owners = ['src/platform/', 'src/cli/', 'src/operate/']
    expect(findLines(chance, owners)).toEqual([])
  })
})

describe('all files', () => {
  const readable =
    /\.(ts|mjs|js|json|md|yaml|yml|html|txt|svg)$|(^|\/)(run|LICENSE|\.npmrc|\.gitignore)$/
  const files = listFiles('.').filter((path) => readable.test(path))

  it('name no path of a machine and no package registry', () => {
    const place =
      /(^|[\s'"`(=:])\/(work|root|tmp|opt\/n24|home\/\w+)\/|\bregistry\.\w+\.(org|com|dev)\b/m
    const named = files.filter((path) => place.test(readSource(path)))
    expect(named).toEqual([])
  })
})
