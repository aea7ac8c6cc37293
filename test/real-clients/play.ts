/** Plays one client from nothing to a call with a refreshed token, and tells how far it came. */
import { strict as assert } from 'node:assert'
import type { Policy } from '../../src/oauth/policy.ts'
import type { AuditEventName } from '../../src/platform/ports.ts'
import type { Revision } from '../../src/profiles/profile.ts'
import type { ProvenStep } from '../clients/results.ts'
import type { RealClient } from './client.ts'
import { createStage, type Stage, type StageOptions, type StageProgram } from './stage.ts'

/** What was seen of a client. */
export interface Played {
  readonly client: RealClient
  /** The MCP revision in which it called the tool. */
  readonly revision: Revision
  /** In no order. */
  readonly steps: readonly ProvenStep[]
}

/** How it is played. */
interface Options {
  /** Whether the server reads metadata documents, as it does by default. */
  readonly withDocuments?: boolean
}

/** Adding a note needs more than signing in gives. */
const policy: Policy = {
  connect: ['notes:read'],
  rules: [{ tool: 'add_*', scopes: ['notes:write'] }],
  otherwise: ['notes:read'],
}

/** Fails with what went wrong, in the client's words or in ours. */
export async function play(client: RealClient, options: Options = {}): Promise<Played> {
  const { withDocuments = true } = options
  const wanted = {
    clientMetadataDocuments: withDocuments,
    ...(client.stepsUp && { policy, defaultScopes: ['notes:read'] }),
  }
  return onStage(client, wanted, (stage) => {
    const { document } = client
    assert.equal(findClientId(stage) === document, withDocuments && document !== undefined)
    return { client, revision: findRevision(stage), steps: findSteps(stage) }
  })
}

/** The same in front of a program, of which there is one for each session; which steps were seen. */
export function playOverStdio(
  client: RealClient,
  program: StageProgram,
): Promise<readonly ProvenStep[]> {
  return onStage(client, { program }, (stage) => {
    const ended = stage.live.log.lines.filter(
      ({ message }) => message === 'A program ended by itself',
    )
    assert.deepEqual(ended, [])
    return findSteps(stage)
  })
}

async function onStage<Seen>(
  client: RealClient,
  options: StageOptions,
  look: (stage: Stage) => Seen,
): Promise<Seen> {
  const stage = await createStage({
    ...options,
    ...(client.refreshesSecondsBefore && { accessTokenSeconds: client.refreshesSecondsBefore }),
  })
  try {
    await playOn(client, stage)
    return look(stage)
  } catch (error) {
    const events = stage.live.audit.map(({ event, reason }) => [event, reason].join(' ').trim())
    throw new Error(`${[...stage.troubles, ...events].join('\n')}\n${String(error)}`, {
      cause: error,
    })
  } finally {
    await stage.close()
  }
}

async function playOn(client: RealClient, stage: Stage): Promise<void> {
  await client.login(stage)
  assert.equal(countEvents(stage, 'code.issued'), 1, 'one sign-in, one code')
  await useTools(client, stage, 'Before')

  const { length } = stage.live.audit
  stage.expireTokens()
  await useTools(client, stage, 'After')
  const since = stage.live.audit.slice(length).map(({ event }) => event)
  assert(since.includes('token.refreshed'), `it refreshed, but saw: ${since.join(' ')}`)
  assert(!since.includes('authorize.started'), 'nobody is asked again')
  await client.logout?.(stage)
}

async function useTools(client: RealClient, stage: Stage, title: string): Promise<void> {
  const said = await client.useTools(stage, { title, text: 'Written by a real client' })
  assert.match(said, /list_notes/)
  assert.match(said, /Added note/)
  assert((await stage.findNotes()).includes(title), 'the tool was called')
}

function countEvents({ live }: Stage, name: AuditEventName): number {
  return live.audit.filter(({ event }) => event === name).length
}

/** Who it came as: the id that it was signed in with. */
function findClientId({ live }: Stage): string | undefined {
  return live.audit.find(({ event }) => event === 'code.issued')?.clientId
}

/** What the server has written down for each step. */
function findSteps(stage: Stage): ProvenStep[] {
  const steps: [ProvenStep, boolean][] = [
    ['discovery', countEvents(stage, 'authorize.started') > 0],
    ['registration', countEvents(stage, 'client.registered') > 0],
    ['authorize', countEvents(stage, 'code.issued') > 0],
    ['token', countEvents(stage, 'token.issued') > 0],
    ['refresh', countEvents(stage, 'token.refreshed') > 0],
    ['step-up', countEvents(stage, 'code.issued') > 1],
    ['revoke', countEvents(stage, 'token.revoked') > 0],
  ]
  return steps.flatMap(([step, isDone]) => (isDone ? [step] : []))
}

/** Some say it in every message, some only in the first. */
function findRevision({ calls }: Stage): Revision {
  const { revision } =
    calls.find(({ method }) => /^(initialize|server\/discover)$/.test(method)) ?? {}
  assert(revision, 'the client says which revision it speaks')
  return revision as Revision
}
