/** What npm installs with Gatehouse: nothing that runs a script, nothing that was not meant. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { listFiles, readSource, root } from './helpers/sources.ts'

/** An entry of the lock file, as far as it is read here. */
interface Locked {
  version: string
  dev?: boolean
  devOptional?: boolean
  optional?: boolean
  link?: boolean
  resolved?: string
  integrity?: string
  hasInstallScript?: boolean
  os?: string[]
  optionalDependencies?: Record<string, string>
}

/** The manifest, as far as it is read here. */
interface Manifest {
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  engines: { node: string }
  exports: Record<string, string | { types: string; default: string }>
  scripts: Record<string, string>
  files: string[]
}

const manifest = JSON.parse(readSource('package.json')) as Manifest
const lock = JSON.parse(readSource('package-lock.json')) as { packages: Record<string, Locked> }
const locked = Object.entries(lock.packages).filter(([path]) => path !== '')
const runtime = locked.filter(([, entry]) => !entry.dev && !entry.devOptional)

describe('the lock file', () => {
  it('names no address to download from', () => {
    expect(locked.filter(([, entry]) => entry.resolved || entry.link)).toEqual([])
  })

  it('has a hash for every package, but for binaries of platforms it was not made on', () => {
    const bare = locked.filter(([, entry]) => !entry.integrity?.startsWith('sha512-'))
    const unexpected = bare.filter(([, { dev, optional, os }]) => !(dev && optional && os))
    expect(unexpected.map(([path]) => path)).toEqual([])
  })

  it('names every optional package; if not, run: node scripts/complete-lock.ts', () => {
    const missing = locked.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !lock.packages[`${path}/node_modules/${name}`])
        .filter((name) => !lock.packages[`node_modules/${name}`]),
    )
    expect(missing).toEqual([])
  })

  it('has no runtime package with an install script', () => {
    expect(runtime.length).toBeGreaterThan(10)
    expect(runtime.filter(([, entry]) => entry.hasInstallScript)).toEqual([])
  })

  it('has few runtime packages', () => {
    expect(runtime.length).toBeLessThanOrEqual(40)
  })
})

describe('the package', () => {
  it('pins development tools to one version', () => {
    const ranges = Object.entries(manifest.devDependencies)
    expect(ranges.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  })

  it('runs every script through the launcher, so that an older Node is no obstacle', () => {
    const direct = Object.entries(manifest.scripts).filter(
      ([, script]) => !/^(node scripts\/launch\.mjs |npm run |bash \.ci\/run$)/.test(script),
    )
    expect(direct).toEqual([])
  })

  it('exports only paths that have a source', () => {
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [] : [target.default],
    )
    const sources = targets.map((path) => path.replace('./dist/', 'src/').replace(/\.js$/, '.ts'))
    expect(sources.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it('imports only what it depends on', () => {
    const names = listFiles('src').flatMap((path) =>
      [...readSource(path).matchAll(/\bfrom '((?:@[\w.-]+\/)?[a-z][\w.-]*)/g)].map(
        ([, name]) => name,
      ),
    )
    const unknown = new Set(names.filter((name) => name && !(name in manifest.dependencies)))
    expect([...unknown].filter((name) => name !== 'node')).toEqual([])
  })

  it('keeps out of the installation scripts of its users', () => {
    const names = Object.keys(manifest.scripts)
    expect(names.filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([])
  })
})
