/**
 * `npm run docs`: writes the pages that are made from the code. `--check` writes nothing and fails when
 * one of them is not what the code says.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { renderClients } from './docs/clients.ts'
import { renderClientsGuide } from './docs/clients-guide.ts'
import { renderCommandLine } from './docs/command-line.ts'
import { renderConfigSchema } from './docs/config-schema.ts'
import { renderDoctorFindings, renderWords } from './docs/doctor-findings.ts'
import { renderErrors } from './docs/errors.ts'
import { renderHttp } from './docs/http.ts'
import { renderRequirements } from './docs/requirements.ts'
import { renderSettings } from './docs/settings.ts'
import { renderStorageSchema } from './docs/storage-schema.ts'

/** Replaces what stands between `<!-- begin NAME -->` and `<!-- end NAME -->`. */
function fill(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`]
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`There is no place for ${name}`)
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`
}

function read(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** Runs the command line of this checkout and returns what it prints. */
function runCli(args: readonly string[]): string {
  const start = `process.exitCode = await (await import('./src/cli/main.ts')).runCommandLine(${JSON.stringify(args)})`
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', start], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '100' },
  })
  return child.stdout || child.stderr
}

const pages: Record<string, string> = {
  'config.schema.json': renderConfigSchema(),
  'docs/guides/clients.md': renderClientsGuide(),
  'docs/reference/clients.md': renderClients(),
  'docs/reference/errors.md': renderErrors(),
  'docs/reference/http.md': renderHttp(),
  'docs/reference/settings.md': renderSettings(),
  'docs/reference/command-line.md': renderCommandLine(runCli),
  'docs/reference/doctor-findings.md': renderDoctorFindings(),
  'docs/guides/troubleshooting.md': fill(
    read('docs/guides/troubleshooting.md'),
    'words',
    renderWords(),
  ),
  'docs/storage-schema.md': renderStorageSchema(),
  'README.md': fill(read('README.md'), 'requirements', renderRequirements()),
}

const isCheck = process.argv.includes('--check')
const stale = Object.entries(pages).filter(([path, text]) => read(path) !== text)
for (const [path, text] of isCheck ? [] : stale) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
const act = isCheck ? 'is not what the code says; run: npm run docs' : 'written'
for (const [path] of stale) console.log(`${path} ${act}`)
process.exit(isCheck && stale.length > 0 ? 1 : 0)
