/**
 * The official conformance package, `server` mode: what a server can do it can do behind Gatehouse.
 *
 * Each requirement set runs twice at the same time, once directly against a server and once through
 * Gatehouse in front of another like it, and every single check must come out the same. The package
 * cannot send a token, so a proxy adds it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { type BearerProxy, startBearerProxy } from '../helpers/bearer-proxy.ts'
import { type EverythingServer, startEverythingServer } from '../helpers/everything-server.ts'
import { type Live, startLive } from '../helpers/live.ts'
import { verifiesThat } from '../verifies.ts'
import { isFailure, isSuccess, runSet } from './run-set.ts'

let direct: EverythingServer
let behind: EverythingServer
let live: Live
let proxy: BearerProxy
let folder: string

beforeAll(async () => {
  direct = await startEverythingServer()
  behind = await startEverythingServer()
  proxy = await startBearerProxy()
  live = await startLive({ issuer: proxy.origin, backendUrl: behind.url })
  proxy.open({ target: live.issuer, token: await mintToken() })
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-conformance-'))
})
afterAll(async () => {
  await proxy.close()
  await live.close()
  await Promise.all([direct.close(), behind.close()])
  await rm(folder, { recursive: true, force: true })
})

function mintToken(): Promise<string> {
  const claims = { sub: 'user-1', client_id: 'conformance', scope: 'notes:read', gid: 'grant-1' }
  return live.gatehouse.context.accessTokens.mint({ ...claims, aud: `${proxy.origin}/mcp` }, 3600)
}

/** What happens directly, so that a server at which everything fails proves nothing. */
const sets = [
  { revision: '2025-11-25', scenarios: 33, passed: 84, failing: /^$/ },
  // The extension of tasks, which the SDK does not serve.
  { revision: '2026-07-28', scenarios: 50, passed: 164, failing: /^tasks-/ },
]

describe('conformance server', () => {
  for (const { revision, scenarios, passed, failing } of sets) {
    const aspect = `${revision}, ${passed} checks pass directly and the same ones through the gate`
    verifiesThat(
      'X10',
      aspect,
      async () => {
        live.audit.splice(0)
        const [directly, gated] = await Promise.all([
          runSet(revision, direct.url, join(folder, `${revision}-direct`)),
          runSet(revision, `${proxy.origin}/mcp`, join(folder, `${revision}-gated`)),
        ])
        expect(Object.keys(directly)).toHaveLength(scenarios)
        expect(Object.values(directly).flat().filter(isSuccess)).toHaveLength(passed)
        for (const [scenario, outcome] of Object.entries(directly))
          if (outcome.some(isFailure)) expect(scenario).toMatch(failing)
        expect(gated).toEqual(directly)
        const refusals = live.audit.map(({ reason }) => reason)
        expect(refusals, 'one rebound name, refused by Gatehouse itself').toEqual(['foreign_host'])
      },
      300_000,
    )
  }
})
