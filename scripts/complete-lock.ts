/**
 * Completes package-lock.json after `npm install`: `node scripts/complete-lock.ts`.
 *
 * A registry mirror may lack the binary packages of other platforms. npm then leaves them out of the
 * lock file and `npm ci` refuses it as out of sync, on every machine. They are added here by name and
 * version, as optional and for their platform only; their hash is filled in wherever they can be had.
 */
import { readFileSync, writeFileSync } from 'node:fs'

/** An entry of the lock file, as far as it is used here. */
interface Locked {
  version?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

/** Operating system, processor and C library that a binary package names at its end. */
const platform =
  /(?<os>android|darwin|freebsd|linux|openharmony|win32)-(?<cpu>arm64|arm|x64|ia32|ppc64|riscv64|s390x)(?:-(?<abi>\w+))?$/

function toEntry(name: string, version: string, dev: boolean): Locked {
  const { os, cpu, abi = '' } = platform.exec(name)?.groups ?? {}
  if (!os || !cpu) throw new Error(`${name} does not say which platform it is for`)
  const libc = os === 'linux' && { libc: [abi.startsWith('musl') ? 'musl' : 'glibc'] }
  return { version, cpu: [cpu], ...(dev && { dev }), ...libc, optional: true, os: [os] }
}

const text = readFileSync('package-lock.json', 'utf8')
const lock = JSON.parse(text) as { packages: Record<string, Locked> }
const missing = Object.entries(lock.packages).flatMap(([path, { dev, optionalDependencies }]) =>
  Object.entries(optionalDependencies ?? {})
    .filter(([name]) => !lock.packages[`${path}/node_modules/${name}`])
    .filter(([name]) => !lock.packages[`node_modules/${name}`])
    .map(
      ([name, version]) => [`node_modules/${name}`, toEntry(name, version, dev === true)] as const,
    ),
)
const packages = [...Object.entries(lock.packages), ...missing]
packages.sort(([a], [b]) => a.localeCompare(b, 'en'))
writeFileSync(
  'package-lock.json',
  `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, undefined, 2)}\n`,
)
console.log(`${missing.length} packages of other platforms added`)
