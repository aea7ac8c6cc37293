/**
 * The official conformance package, `server` mode, against Gatehouse in front of a program: the same server
 * as in `server.test.ts`, over standard input and output, so that all that HTTP asks of a server is ours.
 *
 * What is missing of 2025-11-25 are streams that a server ends to be polled: a program has none.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { type BearerProxy, startBearerProxy } from '../helpers/bearer-proxy.ts'
import { type Live, startLive } from '../helpers/live.ts'
import { verifiesThat } from '../verifies.ts'
import { isFailure, isSuccess, runSet } from './run-set.ts'

const everything = fileURLToPath(new URL('../helpers/stdio/everything.ts', import.meta.url))

let live: Live
let proxy: BearerProxy
let folder: string

beforeAll(async () => {
  proxy = await startBearerProxy()
  const backends = [{ command: process.execPath, args: [everything] }]
  live = await startLive({ issuer: proxy.origin, backends })
  const claims = { sub: 'user-1', client_id: 'conformance', scope: 'notes:read', gid: 'grant-1' }
  const aud = `${proxy.origin}/mcp`
  const token = await live.gatehouse.context.accessTokens.mint({ ...claims, aud }, 3600)
  proxy.open({ target: live.issuer, token })
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-conformance-'))
})
afterAll(async () => {
  await proxy.close()
  await live.close()
  await rm(folder, { recursive: true, force: true })
})

const sets = [
  { revision: '2025-11-25', scenarios: 33, passed: 80, failing: /^$/ },
  // The extension of tasks, which the SDK does not serve.
  { revision: '2026-07-28', scenarios: 50, passed: 164, failing: /^tasks-/ },
]

describe('conformance of a program behind the gate', () => {
  for (const { revision, scenarios, passed, failing } of sets)
    verifiesThat(
      'X10',
      `stdio, ${revision}: ${passed} checks pass`,
      async () => {
        const outcome = await runSet(revision, `${proxy.origin}/mcp`, join(folder, revision))
        expect(Object.keys(outcome)).toHaveLength(scenarios)
        for (const [scenario, found] of Object.entries(outcome))
          if (found.some(isFailure)) expect(scenario, String(found)).toMatch(failing)
        expect(Object.values(outcome).flat().filter(isSuccess)).toHaveLength(passed)
      },
      300_000,
    )
})
