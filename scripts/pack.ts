/** Packs the built package into one file, `node scripts/pack.ts FILE`, the way npm would publish it. */
import { spawnSync } from 'node:child_process'
import { renameSync } from 'node:fs'
import { dirname, join } from 'node:path'

const [target] = process.argv.slice(2)
if (!target) throw new TypeError('usage: node scripts/pack.ts FILE')
const folder = dirname(target)
const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
const npm = spawnSync('npm', args, { encoding: 'utf8', shell: process.platform === 'win32' })
if (npm.status !== 0) throw new Error(`npm pack failed:\n${npm.stderr}`)
const [packed] = JSON.parse(npm.stdout) as { filename: string; files: unknown[]; size: number }[]
if (!packed) throw new Error('npm pack printed nothing')
renameSync(join(folder, packed.filename), target)
console.log(`${packed.files.length} files, ${Math.round(packed.size / 1024)} KiB`)
