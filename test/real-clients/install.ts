/**
 * Brings the real clients: a folder with a lock of its own, because they are as large as everything else
 * together and nobody needs them who does not run these tests.
 *
 * With `CI=true` they are installed when they are missing; elsewhere whoever wants them does so.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../helpers/sources.ts'
import { startProgram } from './program.ts'

const folder = join(root, 'test', 'real-clients')

/** Where they are installed. */
export const modules = join(folder, 'node_modules')

/** How to install them. */
export const installCommand = 'npm ci --ignore-scripts --prefix test/real-clients'

/** A manifest, as far as it is read. */
interface Manifest {
  readonly version: string
  readonly dependencies: Record<string, string>
  readonly optionalDependencies: Record<string, string>
}

async function readManifest(path: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await readFile(join(path, 'package.json'), 'utf8')) as Manifest
  } catch {
    return undefined
  }
}

/** The clients whose package is installed in the version that is wanted, by the names of the packages. */
async function findInstalled(): Promise<{ wanted: string[]; installed: Set<string> }> {
  const manifest = await readManifest(folder)
  const all = { ...manifest?.dependencies, ...manifest?.optionalDependencies }
  const found = await Promise.all(
    Object.entries(all).map(async ([name, wanted]) => {
      const version = (await readManifest(join(modules, name)))?.version
      return version !== undefined && wanted.endsWith(version) ? [name] : []
    }),
  )
  return { wanted: Object.keys(all), installed: new Set(found.flat()) }
}

/** Installs what is missing where that is wanted; the names of the packages that are there then. */
export async function bringClients(): Promise<ReadonlySet<string>> {
  const { wanted, installed } = await findInstalled()
  if (installed.size === wanted.length || process.env.CI !== 'true') return installed
  const [command = '', ...args] = installCommand.split(' ')
  const env = { ...process.env, npm_config_audit: 'false', npm_config_fund: 'false' }
  const npm = startProgram(command, args, { cwd: root, env, deadlineSeconds: 400 })
  await npm.finish()
  return (await findInstalled()).installed
}
