/** Settings that contradict each other, and problems that hide what is really wrong. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createConfig } from '../../src/config.ts'
import { type ConfigSources, loadConfig } from '../../src/operate/config/load.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'
import { openData } from '../../src/operate/config/to-options.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { memoryStore } from '../../src/storage/memory.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-contradictions-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function writeConfig(text: string): Promise<string> {
  const file = join(folder, 'gatehouse.yaml')
  await writeFile(file, text)
  return file
}

function findProblems(sources: ConfigSources): string[] {
  const loaded = loadConfig({ env: {}, ...sources })
  return loaded.ok
    ? []
    : loaded.problems.map((problem) => renderProblem(problem).replaceAll(`${folder}/`, ''))
}

const flag = (path: string, value: unknown) => ({ path: [path], value, place: `--${path}` })
const one = 'http://127.0.0.1:1/mcp'
const other = 'http://127.0.0.1:2/mcp'

describe('two addresses for one backend', () => {
  const problem =
    'contradicts backends[0].to: name the MCP server in one of them, or move it with --to'

  it('are a problem where both are in the file (S1)', async () => {
    const file = await writeConfig(`to: ${one}\nbackends:\n  - { id: notes, to: "${other}" }\n`)
    expect(findProblems({ file })).toEqual([`gatehouse.yaml:1:5: to ${problem}`])
  })

  it('are a problem where both are in the environment (S1)', () => {
    const env = { GATEHOUSE_TO: one, GATEHOUSE_BACKENDS: `[{ "to": "${other}" }]` }
    expect(findProblems({ env })).toEqual([`GATEHOUSE_TO: to ${problem}`])
  })

  it('are a problem where the file has the one and the environment the backend of the other', async () => {
    const file = await writeConfig(`to: ${one}\n`)
    const env = { GATEHOUSE_BACKENDS: `[{ "to": "${other}" }]` }
    expect(findProblems({ file, env })).toEqual([`gatehouse.yaml:1:5: to ${problem}`])
  })

  it('are none when they are the same, or when a stronger source moves the backend', async () => {
    const file = await writeConfig(`backends:\n  - { id: notes, to: "${other}" }\n`)
    expect(findProblems({ file, env: { GATEHOUSE_TO: one } })).toEqual([])
    expect(findProblems({ file, flags: [flag('to', one)] })).toEqual([])
    const env = { GATEHOUSE_BACKENDS: `[{ "to": "${other}" }]` }
    expect(findProblems({ env, flags: [flag('to', one)] })).toEqual([])
    expect(findProblems({ env: { ...env, GATEHOUSE_TO: other } })).toEqual([])
  })
})

it('OAuth that is off, and a setting that is about it: a problem that names both (A1)', () => {
  const env = { OAUTH_ENABLED: 'false' }
  expect(findProblems({ env, flags: [flag('noSignIn', true)] })).toEqual([
    'OAUTH_ENABLED: oauthEnabled is false, which contradicts noSignIn: that is OAuth with one click; remove one',
  ])
  const verify = {
    GATEHOUSE_REGISTRATION_MODE: 'verify',
    GATEHOUSE_REGISTRATION_VERIFY_ISSUER: 'https://id.example/',
  }
  expect(findProblems({ env: { ...env, ...verify } })).toEqual([
    'OAUTH_ENABLED: oauthEnabled is false, which contradicts registration.mode verify: without OAuth no token is looked at; remove one',
  ])
  const others = { GITHUB_CLIENT_ID: 'a', GITHUB_CLIENT_SECRET: 'b', OAUTH_VALID_SCOPES: 'read' }
  expect(findProblems({ env: { ...env, ...others } })).toEqual([])
})

it('nobody signs in, and accounts to sign in with: a problem (A7)', () => {
  const env = { GATEHOUSE_LOCAL_SIGN_IN: 'true' }
  expect(findProblems({ env, flags: [flag('noSignIn', true)] })).toEqual([
    '--noSignIn: noSignIn contradicts localSignIn: with it nobody signs in; remove one of them',
  ])
  expect(findProblems({ flags: [flag('noSignIn', true), flag('localSignIn', false)] })).toEqual([])
})

describe('a file that says nothing', () => {
  const needs = { needsBackend: true }

  it('is the only problem when it cannot be read', () => {
    expect(findProblems({ file: join(folder, 'none.yaml'), ...needs })).toEqual([
      expect.stringMatching(/^none\.yaml cannot be read: ENOENT/),
    ])
  })

  it('is the only problem when it is broken', async () => {
    const file = await writeConfig('store: postgres://a\nbackends: [\n')
    expect(findProblems({ file, ...needs })).toEqual([
      expect.stringMatching(/^gatehouse\.yaml:3:1 Flow sequence/),
    ])
  })

  it('does not hide what else is wrong', () => {
    expect(
      findProblems({ file: join(folder, 'none.yaml'), ...needs, env: { GATEHOUSE_PRT: '1' } }),
    ).toHaveLength(2)
  })
})

it('a missing secret is asked for by its setting and by the names of its variable', () => {
  expect(findProblems({ env: { GITHUB_CLIENT_ID: 'id' } })).toEqual([
    'GITHUB_CLIENT_ID: github.clientSecret is missing; give it in the configuration file, or as GITHUB_CLIENT_SECRET or GATEHOUSE_GITHUB_CLIENT_SECRET',
  ])
})

describe('a file where the data folder should be', () => {
  it.each([
    ['itself', 'file', undefined],
    ['on the way', 'file/data', undefined],
    ['itself, with a master key', 'file', Buffer.alloc(32)],
  ])('is told as that: %s', async (_, name, masterKey) => {
    await writeFile(join(folder, 'file'), 'text')
    const data = join(folder, name)
    const store = { driver: 'sqlite', path: join(data, 'gatehouse.db') } as const
    await expect(
      openData({ data, store, masterKey, previousMasterKey: undefined }),
    ).rejects.toMatchObject({
      name: 'StartError',
      message: `${data} cannot be a folder, because a file is in its place; choose another place with --data or --store`,
    })
  })
})

it('an embedder is told the same contradiction as a TypeError (A7)', () => {
  const options = {
    issuer: 'http://localhost:8787',
    backends: [{ to: one }],
    store: memoryStore({ clock: systemClock }),
    masterKey: new Uint8Array(32),
  }
  expect(() => createConfig({ ...options, noSignIn: true, localSignIn: true })).toThrow(
    new TypeError('noSignIn contradicts localSignIn: with it nobody signs in; leave one out'),
  )
  expect(createConfig({ ...options, noSignIn: true, localSignIn: false }).noSignIn).toBe(true)
})
