/** The files to deploy with: checked as far as that goes without a container engine (N5). */
import { spawnSync } from 'node:child_process'
import { validate } from 'dockerfile-utils'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readDockerfile } from '../scripts/dockerfile.ts'
import { settingsByName } from '../src/operate/config/settings.ts'
import { readSource } from './helpers/sources.ts'
import { verifiesThat } from './verifies.ts'

interface Service {
  build?: string
  image?: string
  user?: string
  ports?: string[]
  environment?: Record<string, string>
  networks: string[]
  secrets?: string[]
  depends_on?: Record<string, { condition: string }>
}

interface Compose {
  services: Record<'gatehouse' | 'backend' | 'tunnel', Service>
  networks: Record<string, { internal?: boolean }>
}

const manifest = JSON.parse(readSource('package.json')) as {
  devDependencies: Record<string, string>
  engines: { node: string }
  exports: Record<string, string | { types: string; default: string }>
}
const dockerfile = readDockerfile('Dockerfile')
const last = dockerfile.findLastIndex(({ name }) => name === 'FROM')
const image = dockerfile.slice(last)
const compose = parse(readSource('compose.yaml')) as Compose

/** Names of the environment that no setting reads. */
function findUnknownNames(names: string[]): string[] {
  return names.filter((name) => {
    const setting = settingsByName.get(name) ?? settingsByName.get(name.replace(/_FILE$/, ''))
    return setting === undefined
  })
}

describe('the Dockerfile', () => {
  it('has only instructions that exist, each stage from a Node that Gatehouse runs on', () => {
    const known = /^(FROM|WORKDIR|COPY|RUN|ENV|VOLUME|USER|EXPOSE|HEALTHCHECK|ENTRYPOINT|CMD)$/
    expect(dockerfile.filter(({ name }) => !known.test(name))).toEqual([])
    for (const { text } of dockerfile.filter(({ name }) => name === 'FROM')) {
      expect(text).toMatch(/^node:24-alpine( AS \w+)?$/)
    }
  })

  it('has no finding of a Dockerfile linter', () => {
    expect(validate(readSource('Dockerfile'))).toEqual([])
  })

  it('copies only what the engine is given', () => {
    const given = readSource('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
    const copied = dockerfile
      .filter(({ name, text }) => name === 'COPY' && !text.includes('--from='))
      .flatMap(({ words }) => words.slice(0, -1))
    expect(copied.filter((path) => !given.includes(path))).toEqual([])
  })

  it('gives the build every file that the package promises', () => {
    const promised = Object.values(manifest.exports)
      .flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
      .map((path) => path.replace(/^\.\//, ''))
      .filter((path) => !path.startsWith('dist/'))
    const copied = dockerfile.filter(({ name }) => name === 'COPY').flatMap(({ words }) => words)
    expect(promised.filter((path) => !copied.includes(path))).toEqual([])
  })

  it('brings the drivers in the versions that are tested', () => {
    const wanted = dockerfile.find(({ text }) => text.includes('npm pkg set'))?.words ?? []
    for (const name of ['pg', '@redis/client']) {
      expect(wanted).toContain(`dependencies.${name}=${manifest.devDependencies[name]}`)
    }
  })

  it('runs no install script, as nobody but root least of all', () => {
    const installs = dockerfile.filter(({ text }) => /npm (ci|install)/.test(text))
    expect(installs.every(({ text }) => text.includes('--ignore-scripts'))).toBe(true)
    expect(image.findLast(({ name }) => name === 'USER')?.text).toBe('node')
  })

  it('has a health check, and passes signals on to Gatehouse itself', () => {
    expect(image.find(({ name }) => name === 'HEALTHCHECK')?.text).toContain('/readyz')
    const entry = image.find(({ name }) => name === 'ENTRYPOINT')?.text ?? ''
    expect(JSON.parse(entry)).toEqual(['node', '/app/bin/gatehouse.js'])
  })

  it('sets variables that are settings', () => {
    const words = image.filter(({ name }) => name === 'ENV').flatMap((line) => line.words)
    const names = words
      .map((word) => word.split('=')[0] ?? '')
      .filter((name) => name !== 'NODE_ENV')
    expect(findUnknownNames(names)).toEqual([])
  })
})

describe('compose.yaml', () => {
  verifiesThat('N5', 'gateway, backend and tunnel, of which only the tunnel is reached', () => {
    const { gatehouse, backend, tunnel } = compose.services
    expect(Object.values(compose.services).flatMap(({ ports = [] }) => ports)).toEqual([])
    expect(backend.networks).not.toContain('front')
    expect(compose.networks.back?.internal).toBe(true)
    expect(gatehouse.networks).toEqual(['front', 'back'])
    expect(tunnel.networks).toContain('front')
    expect(tunnel.depends_on).toEqual({ gatehouse: { condition: 'service_healthy' } })
  })

  it('sets variables that are settings, and no secret in clear', () => {
    const { environment = {}, secrets } = compose.services.gatehouse
    expect(findUnknownNames(Object.keys(environment))).toEqual([])
    expect(environment.TOKEN_ENCRYPTION_KEY_FILE).toBe(`/run/secrets/${secrets?.[0]}`)
  })

  it('asks for nothing that its example of a .env lacks', () => {
    const asked = [...readSource('compose.yaml').matchAll(/\$\{(\w+)/g)].map(([, name]) => name)
    const example = readSource('deploy/compose.env.example')
    expect(asked.filter((name) => !new RegExp(`^#?${name}=`, 'm').test(example))).toEqual([])
  })

  it('takes images of a version, not whatever is newest', () => {
    for (const { image: name } of Object.values(compose.services)) {
      expect(name ?? 'built:here').toMatch(/^[\w./-]+:(?!latest)[\w.-]+$/)
    }
  })
})

describe('the systemd unit', () => {
  const unit = readSource('deploy/gatehouse.service')
  const checker = spawnSync('systemd-analyze', ['--version'])

  it('runs as nobody in particular, and does not start a wrong configuration again and again', () => {
    expect(unit).toMatch(/^DynamicUser=yes$/m)
    expect(unit).toMatch(/^StateDirectory=gatehouse$/m)
    expect(unit).toMatch(/^RestartPreventExitStatus=2$/m)
  })

  it.runIf(checker.status === 0)('pleases systemd-analyze', () => {
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', 'deploy/gatehouse.service'])
    expect([status, stderr.toString()]).toEqual([0, ''])
  })
})

describe('fly.toml', () => {
  it('sets variables that are settings and asks for the health of the same port', () => {
    const text = readSource('deploy/fly.toml')
    const [, block = ''] = /\[env\]\n([\s\S]*?)\n\n/.exec(text) ?? []
    const names = [...block.matchAll(/^ {2}(\w+) =/gm)].map(([, name = '']) => name)
    expect(names.length).toBeGreaterThan(2)
    expect(findUnknownNames(names)).toEqual([])
    expect(text).toContain('internal_port = 8787')
    expect(text).toContain("path = '/readyz'")
  })
})
