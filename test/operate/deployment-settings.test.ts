/** The appendix of the configuration guide: the settings of each deployment, as they stand there. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createConfig } from '../../src/config.ts'
import type { Config } from '../../src/context.ts'
import { loadConfig } from '../../src/operate/config/load.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'
import { toOptions } from '../../src/operate/config/to-options.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { keptLog } from '../helpers/gatehouse.ts'
import { verifiesThat } from '../verifies.ts'

const guide = readFileSync(new URL('../../docs/guides/configuration.md', import.meta.url), 'utf8')

/** The variables of one deployment's block. */
function readBlock(deployment: string): Record<string, string> {
  const block = new RegExp(`### ${deployment}\\n[^#]*?\`\`\`sh\\n([^\`]+)\`\`\``).exec(guide)?.[1]
  if (block === undefined) throw new Error(`The guide has no block for ${deployment}`)
  const lines = block.trim().split('\n')
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

async function configure(deployment: string, more: Record<string, string> = {}): Promise<Config> {
  const env = { ...readBlock(deployment), GATEHOUSE_TO: 'http://127.0.0.1:3000/mcp', ...more }
  const loaded = loadConfig({ env })
  if (!loaded.ok) throw new Error(loaded.problems.map(renderProblem).join('\n'))
  const { settings } = loaded
  const masterKey = settings.masterKey ?? new Uint8Array(32)
  const store = memoryStore({ clock: systemClock })
  const data = { store, masterKey, previousMasterKey: undefined }
  return createConfig(await toOptions(settings, data, keptLog()))
}

describe('the settings of', () => {
  it('hansard', async () => {
    expect(await configure('hansard')).toMatchObject({
      paths: { authorize: '/authorize', token: '/token' },
      scopes: { user: expect.any(String) },
      lifetimeFollowsUpstream: true,
    })
  })

  verifiesThat('A5', 'with the lifetimes of the guide', async () => {
    expect(await configure('att')).toMatchObject({
      issuer: 'https://mcp.example.com',
      oauthEnabled: true,
      defaultScopes: ['read'],
      lifetimes: { codeSeconds: 600, accessTokenSeconds: 3600, refreshIdleSeconds: 86_400 },
      paths: { stats: '/oauth/stats', page: '/oauth/authorize/page' },
    })
  })

  it('notion', async () => {
    expect(await configure('notion')).toMatchObject({
      paths: { authorize: '/oauth/authorize', token: '/oauth/token' },
      lifetimes: { codeSeconds: 600 },
    })
  })

  it('remote-mcp, with dynamic and with static registration', async () => {
    const paths = { authorize: '/oauth2/authorize', register: '/oauth2/register' }
    expect(await configure('remote-mcp')).toMatchObject({
      paths,
      registration: { mode: 'dynamic' },
    })
    const [, clients = ''] = /`GATEHOUSE_CLIENTS=(\[\{ id: chatgpt[^`]+)`/.exec(guide) ?? []
    const fixed = {
      OAUTH_USE_DYNAMIC_REGISTRATION: 'false',
      GATEHOUSE_REGISTRATION_STATIC_CLIENT_ID: 'chatgpt',
      GATEHOUSE_CLIENTS: clients,
    }
    expect(await configure('remote-mcp', fixed)).toMatchObject({
      registration: { mode: 'static', clientId: 'chatgpt' },
    })
  })

  verifiesThat('S5', 'with the settings of the guide', async () => {
    expect(await configure('studio')).toMatchObject({
      signingAlgorithm: 'HS256',
      paths: { health: '/auth/oauth/health', login: '/auth/oauth/login' },
      lifetimes: { accessTokenSeconds: 3600, refreshIdleSeconds: 2_592_000 },
    })
  })
})
