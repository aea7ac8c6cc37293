/** From findings to verdicts: who stumbles, where first, and over which words. */
import { describe, expect, it } from 'vitest'
import type { Explanation, Finding } from '../../src/doctor/finding.ts'
import { createReport } from '../../src/doctor/report.ts'
import type { ClientVisit, Visit } from '../../src/doctor/visit.ts'
import type { ClientProfile } from '../../src/profiles/profile.ts'
import { findProfile } from '../../src/profiles/registry.ts'
import { visit } from './visiting.ts'

function getProfile(id: string): ClientProfile {
  const profile = findProfile(id)
  if (profile === undefined) throw new Error(`No profile ${id}`)
  return profile
}

const answered = {
  request: { method: 'GET', url: 'https://mcp.example.com/authorize', headers: {} },
  response: { status: 200, headers: {}, body: '' },
  milliseconds: 1,
}
const refused = { ...answered, response: { ...answered.response, status: 400 } }

/** A visit of somebody who reached nothing, with these clients. */
async function createVisit(clients: readonly Partial<ClientVisit>[], url?: string): Promise<Visit> {
  const { shared } = await visit('http://127.0.0.1:1/mcp', { profiles: [] })
  return {
    shared: { ...shared, url: new URL(url ?? 'https://mcp.example.com/mcp') },
    clients: clients.map((client) => ({
      profile: getProfile('claude'),
      identification: 'registration',
      authorize: answered,
      ...client,
    })),
  }
}

function createFinding(id: string, more: Partial<Explanation> & { only?: string[] } = {}): Finding {
  return {
    id,
    severity: 'fault',
    title: id,
    seen: id,
    why: id,
    fix: id,
    evidence: [],
    breaks: [],
    ...more,
  }
}

describe('a verdict', () => {
  it.each([
    [200, /no token/],
    [401, /no metadata says where to sign in/],
  ])('on a server without OAuth that answers %i says why nothing is known', async (status, why) => {
    const { shared, clients } = await createVisit([
      { identification: 'none', authorize: undefined },
    ])
    const post = { ...answered, response: { status, headers: {}, body: '' } }
    const report = createReport({ shared: { ...shared, post }, clients }, [])
    expect(report.verdicts).toMatchObject([
      { outcome: 'unknown', reason: expect.stringMatching(why) },
    ])
  })

  it('names the first step that fails, and the words of that client for it', async () => {
    const claude = getProfile('claude')
    const report = createReport(await createVisit([{ profile: claude }]), [
      createFinding('later', { breaks: ['registration-succeeds'] }),
      createFinding('sooner', { breaks: ['ipv4-address'] }),
    ])
    const words = claude.failures.of?.['ipv4-address'] ?? claude.failures.reach
    expect(report.verdicts).toMatchObject([
      { outcome: 'stumbles', step: 'reach', finding: 'sooner', words },
    ])
    expect(words).toBeDefined()
  })

  it('has no words of an earlier step for what happens in the browser', async () => {
    const report = createReport(await createVisit([{ profile: getProfile('vscode') }]), [
      createFinding('refused', { breaks: ['authorization-page'], stops: 'authorize' }),
    ])
    expect(report.verdicts).toMatchObject([{ outcome: 'stumbles', step: 'authorize' }])
    expect(report.verdicts[0]?.words).toBeUndefined()
  })

  it('is not touched by what the client does not need, by others’ findings, by risks and notes', async () => {
    const report = createReport(await createVisit([{ profile: getProfile('vscode') }]), [
      createFinding('of others', { breaks: ['port-443'] }),
      createFinding('seen with others', { stops: 'authorize', only: ['claude'] }),
      createFinding('a risk', { severity: 'risk', stops: 'reach' }),
      createFinding('a note', { severity: 'note', stops: 'reach' }),
    ])
    expect(report.verdicts).toMatchObject([{ outcome: 'connects' }])
  })

  it('is unknown where nobody could look', async () => {
    const clients: Partial<ClientVisit>[] = [
      { identification: 'skipped' },
      { identification: 'typed-in' },
      { authorize: refused },
    ]
    const unseen = clients.map((client) => ({ authorize: undefined, ...client }))
    const { verdicts } = createReport(await createVisit(unseen as Partial<ClientVisit>[]), [])
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown', 'unknown'])
    expect(verdicts.every(({ reason }) => reason !== undefined)).toBe(true)
  })

  it('is not “connects” where the browser came back with an error', async () => {
    const location = 'https://claude.ai/api/mcp/auth_callback?error=server_error'
    const authorize = { ...answered, response: { status: 302, headers: { location }, body: '' } }
    const { verdicts } = createReport(await createVisit([{ authorize }]), [])
    expect(verdicts).toMatchObject([{ outcome: 'unknown' }])
  })
})

describe('a report', () => {
  it('says of loopback once that hosted clients do not reach it, and judges the rest', async () => {
    const finding = createFinding('private-address', { breaks: ['public-address'] })
    const local = createReport(await createVisit([{}], 'http://localhost:8787/mcp'), [finding])
    expect(local.findings).toMatchObject([{ severity: 'note', clients: [{ id: 'claude' }] }])
    expect(local.verdicts).toMatchObject([{ outcome: 'connects' }])
    const remote = createReport(await createVisit([{}], 'http://10.0.0.1/mcp'), [finding])
    expect(remote.verdicts).toMatchObject([{ outcome: 'stumbles' }])
  })

  it('puts faults before risks before notes, and keeps their order', async () => {
    const report = createReport(await createVisit([{}]), [
      createFinding('note', { severity: 'note' }),
      createFinding('first'),
      createFinding('risk', { severity: 'risk' }),
      createFinding('second'),
    ])
    expect(report.findings.map(({ id }) => id)).toEqual(['first', 'second', 'risk', 'note'])
  })

  it('hides a key in the address that was typed', async () => {
    const url = 'https://mcp.example.com/mcp?api_key=very-secret-key'
    const finding = createFinding('x', { fix: `Give clients ${url}` })
    const report = createReport(await createVisit([{}], url), [finding])
    expect(JSON.stringify(report)).not.toContain('very-secret-key')
  })

  it('names registrations that were left behind', async () => {
    const gone = { ...answered, response: { ...answered.response, status: 204 } }
    const visited = await createVisit([
      { registration: answered, clientId: 'stays' },
      { registration: answered, clientId: 'stays, too', removal: refused },
      { registration: answered, clientId: 'goes', removal: gone },
    ])
    const { leftBehind } = createReport(visited, [])
    expect(leftBehind.map(({ clientId }) => clientId)).toEqual(['stays', 'stays, too'])
  })

  it('names those, too, whose answer could not be read', async () => {
    const created = { ...answered, response: { ...answered.response, status: 201, body: '{"cl' } }
    const { leftBehind } = createReport(await createVisit([{ registration: created }]), [])
    expect(leftBehind).toEqual([{ client: 'Claude', endpoint: expect.any(String) }])
  })

  it('names clients whose metadata document the server has read, and no others', async () => {
    const shown = { identification: 'document', clientId: 'https://claude.ai/c' } as const
    const visited = await createVisit([
      shown,
      { ...shown, authorize: refused },
      { clientId: 'registered' },
    ])
    const { documentsShown } = createReport(visited, [])
    expect(documentsShown).toEqual([{ client: 'Claude', clientId: 'https://claude.ai/c' }])
  })

  it('says no more of what a server wrote than a person can read', async () => {
    const long = { seen: 'x'.repeat(60_000), fix: 'y'.repeat(60_000) }
    const finding = { ...createFinding('x'), ...long }
    const report = createReport(await createVisit([{ clientId: 'z' }]), [finding])
    expect(JSON.stringify(report.findings).length).toBeLessThan(8000)
  })
})
