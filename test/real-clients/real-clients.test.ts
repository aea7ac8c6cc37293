/** Real clients, as they are published, against a Gatehouse on loopback (issue 6). */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { expectResults } from '../clients/results.ts'
import { root } from '../helpers/sources.ts'
import { client as aiSdk } from './clients/ai-sdk.ts'
import { client as claudeCode } from './clients/claude-code.ts'
import { client as codex } from './clients/codex.ts'
import { client as geminiCli } from './clients/gemini-cli.ts'
import { client as inspector } from './clients/inspector.ts'
import { client as mcpRemote } from './clients/mcp-remote.ts'
import { addNote, client as mcporter } from './clients/mcporter.ts'
import { client as openaiAgents } from './clients/openai-agents.ts'
import { client as opencode } from './clients/opencode.ts'
import { bringClients, installCommand } from './install.ts'
import { type Played, play, playOverStdio } from './play.ts'
import { createStage } from './stage.ts'

/** The slowest first, so that nobody waits for it at the end. */
const clients = [
  opencode,
  geminiCli,
  inspector,
  mcporter,
  openaiAgents,
  mcpRemote,
  claudeCode,
  aiSdk,
  codex,
]

// Several at once keep a core busy while others wait; all at once starve one another.
vi.setConfig({ maxConcurrency: 3 })

const installed = await bringClients()
if (installed.size === 0) console.warn(`The real clients are not installed: ${installCommand}`)
const played: Played[] = []

describe.concurrent('a real client signs in, calls a tool and refreshes', () => {
  for (const client of clients) {
    const isHere = installed.has(client.program ?? client.name)
    it.skipIf(!isHere)(`${client.name} (X10)`, { timeout: 300_000 }, async () => {
      const result = await play(client)
      played.push(result)
      expectResults('real', { id: client.id, revision: result.revision }, result.steps)
    })
  }
})

describe.concurrent('a real client with a metadata document registers where none is read', () => {
  for (const client of [claudeCode, codex]) {
    const isHere = installed.has(client.program ?? client.name)
    it.skipIf(!isHere)(`${client.name} (X10)`, { timeout: 300_000 }, async () => {
      const { revision, steps } = await play(client, { withDocuments: false })
      expectResults('real', { id: client.id, revision }, steps)
    })
  }
})

/** One of each engine: SDK 1 in Node and in Bun, SDK 2, Rust, and a bridge back to standard input and output. */
const engines = [inspector, mcporter, mcpRemote, claudeCode, codex]

for (const program of ['sdk-1', 'sdk-2'] as const) {
  describe.concurrent(`a real client and a server of ${program} that Gatehouse starts`, () => {
    for (const client of engines) {
      const isHere = installed.has(client.program ?? client.name)
      it.skipIf(!isHere)(`${client.name} (X10)`, { timeout: 300_000 }, async () => {
        const steps = await playOverStdio(client, program)
        expect(steps).toEqual(expect.arrayContaining(['authorize', 'token', 'refresh']))
      })
    }
  })
}

describe('a real client that registers again on another loopback port', () => {
  it.skipIf(!installed.has(mcporter.name))(
    'refreshes with the token it has, where registrations are reused: mcporter (RD-04)',
    { timeout: 300_000 },
    async () => {
      const stage = await createStage({ reuseRegistrations: true })
      onTestFinished(() => stage.close())
      await mcporter.login(stage)
      stage.expireTokens()
      await addNote(stage, { title: 'After', text: 'Written by a real client' })
      const events = stage.live.audit.map(({ event }) => event)
      const count = (name: string) => events.filter((event) => event === name).length
      expect([count('client.registered'), count('token.refreshed')]).toEqual([2, 1])
      expect(count('authorize.started')).toBe(1)
    },
  )
})

it.skipIf(installed.size === 0)('at least seven of the nine do (X10)', () => {
  expect(played.length).toBeGreaterThanOrEqual(7)
})

afterAll(async () => {
  const lines = played.map(
    ({ client, revision, steps }) => `${client.name} at ${revision}: ${steps.join(', ')}`,
  )
  const count = `${played.length} of ${clients.length} real clients`
  const summary = [`${count} signed in, listed tools, called one and refreshed:`, ...lines.sort()]
  await mkdir(join(root, '.artifacts'), { recursive: true })
  await writeFile(join(root, '.artifacts', 'real-clients.txt'), `${summary.join('\n  ')}\n`)
})
