/**
 * Finds Chromium for the browser tests, and brings it where that is allowed.
 *
 * `CHROMIUM` names an executable; otherwise the usual names are looked for on the `PATH`
 * and in the usual places.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const places = [
  '/usr/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The path of a Chromium or Chrome executable; undefined when there is none. */
export function findChromium(): string | undefined {
  const named = process.env.CHROMIUM
  if (named) return isExecutable(named) ? named : undefined
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const onPath = folders.flatMap((folder) => names.map((name) => join(folder, name)))
  return [...onPath, ...places].find(isExecutable)
}

/** Whether system packages may be installed without asking: a root user on a system with apt-get. */
function mayInstall(): boolean {
  if (process.getuid?.() !== 0) return false
  return spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0
}

function runApt(args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = spawnSync('apt-get', args, { env, encoding: 'utf8', timeout: 300_000 })
  if (apt.status !== 0) console.error(`apt-get ${args.join(' ')}:\n${apt.stdout}${apt.stderr}`)
  return apt.status === 0
}

/** Like {@link findChromium}, after installing it from the system's packages where it is missing and we may. */
export function bringChromium(): string | undefined {
  const found = findChromium()
  if (found || !mayInstall()) return found
  console.log('gatehouse: Chromium is missing: installing it with apt-get')
  if (!runApt(['update'])) return undefined
  runApt(['install', '-y', '--no-install-recommends', 'chromium', 'fonts-liberation'])
  return findChromium()
}
