/** Habits of single clients that decide what they send, or for how long they wait. */
import { describe, expect, it } from 'vitest'
import { diagnose } from '../../src/doctor/checks.ts'
import { chooseResource, chooseScope } from '../../src/doctor/client-requests.ts'
import { profiles } from '../../src/profiles/registry.ts'
import { at, paths } from './broken/broken.ts'
import { mcpUrl } from './broken/healthy.ts'
import { visitWorld } from './broken/world.ts'

function find(id: string) {
  const profile = profiles.find((one) => one.id === id)
  if (profile === undefined) throw new Error(`No client is called ${id}`)
  return profile
}

describe('what a client sends', () => {
  it('has a slash after the resource where it is known to add one', async () => {
    const { shared } = await visitWorld({})
    expect(chooseResource(find('le-chat'), shared)).toBe(`${mcpUrl}/`)
    expect(chooseResource(find('chatgpt'), shared)).toBe(mcpUrl)
  })

  it('is the scope of the challenge to its own first request', async () => {
    const challenge = (scope: string) => ({ 'www-authenticate': `Bearer scope="${scope}"` })
    const alter = at(paths.mcp, (_, { method }) => ({ status: 401, headers: challenge(method) }))
    const { shared } = await visitWorld({ alter })
    const scopes = ['claude-code', 'mcp-remote', 'codex'].map((id) => chooseScope(find(id), shared))
    expect(scopes).toEqual([
      expect.stringMatching(/^POST\b/),
      expect.stringMatching(/^GET\b/),
      expect.stringMatching(/^GET\b/),
    ])
  })
})

describe('an answer that takes longer than half of what a client waits', () => {
  it('is a risk for the clients that wait no longer', async () => {
    const [finding] = diagnose(await visitWorld({ milliseconds: 5100 }))
    expect(finding).toMatchObject({
      id: 'answer-slow',
      severity: 'risk',
      only: ['claude'],
    })
    expect(finding?.seen).toMatch(/took 5\.1 seconds; Claude waits 10$/)
  })

  it('is none up to there', async () => {
    expect(diagnose(await visitWorld({ milliseconds: 5000 }))).toEqual([])
  })
})
