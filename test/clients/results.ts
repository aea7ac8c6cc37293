/**
 * How far each client has been seen to come, as committed data: `emulated.json` for profiles that were
 * played over HTTP, `real.json` for the programs themselves. The table in `docs/reference/clients.md` is
 * made from both; the tests that play them hold the files to what they have just seen.
 *
 * A file maps the id of a profile to MCP revisions, and a revision to the steps that were reached, in their
 * order, as one line: `"claude-code": { "2026-07-28": "discovery registration authorize token refresh" }`.
 */
import { strictEqual } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Revision } from '../../src/profiles/profile.ts'

/** The steps of the table, in their order. */
export const provenSteps = [
  'discovery',
  'registration',
  'authorize',
  'token',
  'refresh',
  'step-up',
  'revoke',
] as const

/** One step of the table. */
export type ProvenStep = (typeof provenSteps)[number]

/** `emulated`: its profile was played over HTTP. `real`: the program itself ran. */
export type Proof = 'emulated' | 'real'

/** Revision by revision, the steps of one client. */
type Reached = Readonly<Partial<Record<Revision, string>>>

/** What a file says, by the id of a profile. */
export function readResults(proof: Proof): Readonly<Record<string, Reached>> {
  const text = readFileSync(new URL(`${proof}.json`, import.meta.url), 'utf8')
  return JSON.parse(text) as Record<string, Reached>
}

/**
 * Fails when a client came less far than the file says, and when it came further.
 *
 * @param reached the steps that a test has just seen complete, in any order
 */
export function expectResults(
  proof: Proof,
  client: { readonly id: string; readonly revision: Revision },
  reached: readonly ProvenStep[],
): void {
  const seen = provenSteps.filter((step) => reached.includes(step)).join(' ')
  const written = readResults(proof)[client.id]?.[client.revision] ?? ''
  const place = `${client.id} at ${client.revision} in test/clients/${proof}.json`
  strictEqual(seen, written, `${place} says "${written}", and the test saw "${seen}"`)
}
