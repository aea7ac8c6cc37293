/** `npm run build`: compiles `src/` to `dist/`, checks what came out, and bundles the command line. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { bundleCommand } from './bundle-command.ts'

/** An entry of `exports` in package.json. */
type Target = string | { types: string; default: string }

function listFiles(ending: string): string[] {
  const entries = readdirSync('dist', { recursive: true, encoding: 'utf8' })
  return entries.filter((entry) => entry.endsWith(ending)).map((entry) => join('dist', entry))
}

/** Import specifiers that still name a TypeScript file would not load once published. */
function findUnrewritten(): string[] {
  const specifier = /\bfrom\s+'(\.[^']*\.ts)'|\bimport\(\s*'(\.[^']*\.ts)'/
  return listFiles('.js').filter((file) => specifier.test(readFileSync(file, 'utf8')))
}

function findMissingTargets(): string[] {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
    exports: Record<string, Target>
  }
  return Object.values(manifest.exports)
    .flatMap((target) => (typeof target === 'string' ? [target] : [target.types, target.default]))
    .filter((target) => !existsSync(target))
}

rmSync('dist', { recursive: true, force: true })
const compiler = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']
const tsc = spawnSync(process.execPath, compiler, { stdio: 'inherit' })
if (tsc.status !== 0) process.exit(tsc.status ?? 1)
const faults = [
  ...findUnrewritten().map((file) => `${file} imports a .ts file`),
  ...findMissingTargets().map((file) => `package.json exports ${file}, which was not built`),
]
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exit(1)
await bundleCommand('.', 'dist')
console.log(`built ${listFiles('.js').length} files`)
