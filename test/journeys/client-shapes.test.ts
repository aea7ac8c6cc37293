/**
 * Every profile, played over HTTP: discovery, registration, authorization, tokens, tool calls, refreshes at
 * once, step-up, revocation. What is reached is what `test/clients/emulated.json` says.
 */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { profiles } from '../../src/profiles/registry.ts'
import { fetchDocument } from '../clients/documents.ts'
import { listWays, playClient, type Stage, toOwnClient } from '../clients/play.ts'
import { expectResults } from '../clients/results.ts'
import { startLive } from '../helpers/live.ts'

const typedIn = profiles.filter((profile) => listWays(profile).includes('typed-in'))

/** A deployment whose tools need more than a client gets at first, and say so in one of two ways. */
async function startStage(answer: 'forbidden' | 'tool-result'): Promise<Stage> {
  const live = await startLive({
    defaultScopes: ['notes:read'],
    fetchDocument,
    clients: typedIn.map(toOwnClient),
    policy: {
      connect: ['notes:read'],
      rules: [{ tool: 'add_*', scopes: ['notes:write'] }],
      otherwise: ['notes:read'],
      answer,
    },
  })
  return { live, browser: live.browser() }
}

let stages: { challenge: Stage; 'tool-result': Stage }
beforeAll(async () => {
  stages = {
    challenge: await startStage('forbidden'),
    'tool-result': await startStage('tool-result'),
  }
})
afterAll(async () => {
  for (const { live } of Object.values(stages)) await live.close()
})

describe.each(profiles)('$name ($id)', (profile) => {
  const { revisions, authorization } = profile
  const [, ...otherWays] = listWays(profile)
  const findStage = () => stages[authorization.stepUp ?? 'challenge']

  it.each(revisions)(
    'comes as far as the table says at %s (H1, X1, X10, RF-02)',
    async (revision) => {
      const reached = await playClient(profile, revision, findStage())
      expectResults('emulated', { id: profile.id, revision }, reached)
    },
  )

  it.each(otherWays)('connects with a client id that is %s, too (H6)', async (way) => {
    const [revision = '2025-11-25'] = revisions
    await playClient(profile, revision, findStage(), way)
  })
})
