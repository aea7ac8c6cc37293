/** Servers with nothing wrong: the doctor finds nothing that is false, and the clients connect. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { diagnose } from '../../src/doctor/checks.ts'
import { createReport, type Report } from '../../src/doctor/report.ts'
import { profiles } from '../../src/profiles/registry.ts'
import { fetchDocument, findDocumentRedirects } from '../clients/documents.ts'
import { startLive } from '../helpers/live.ts'
import { type Peer, startOidcWithSdk1, startSdk1, startSdk2 } from './peers.ts'
import { visit } from './visiting.ts'

const bestKnown = ['chatgpt', 'claude', 'claude-code', 'vscode', 'cursor', 'codex', 'gemini-cli']
/** Those that register in a way that the strict checks of `oidc-provider` allow. */
const allowedByOidcProvider = ['chatgpt', 'claude', 'claude-code', 'vscode', 'codex']

async function examine(url: string, ids: readonly string[]): Promise<Report> {
  const played = profiles.filter(({ id }) => ids.includes(id))
  const seen = await visit(url, { profiles: played })
  return createReport(seen, diagnose(seen))
}

async function examinePeer(start: () => Promise<Peer>, ids: readonly string[]): Promise<Report> {
  const peer = await start()
  try {
    return await examine(peer.url, ids)
  } finally {
    await peer.close()
  }
}

const listFindings = ({ findings }: Report): string[] => findings.map(({ id }) => id)
const listOutcomes = ({ verdicts }: Report): string[] =>
  verdicts.map(({ client, outcome }) => `${client.id} ${outcome}`)
const allConnect = (ids: readonly string[]): string[] => ids.map((id) => `${id} connects`)

/** `oidc-provider` warns on the console of every default that is left to it. */
beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  vi.spyOn(console, 'info').mockImplementation(() => {})
})
afterEach(() => vi.restoreAllMocks())

describe('no false alarm', () => {
  it.each([
    ['that takes metadata documents', { fetchDocument }],
    ['where clients register', { clientMetadataDocuments: false }],
  ])('against a Gatehouse %s, which keeps nothing of the visit', async (_, options) => {
    const live = await startLive(options)
    try {
      const report = await examine(live.url, bestKnown)
      expect(listOutcomes(report)).toEqual(allConnect(bestKnown))
      expect(listFindings(report)).toEqual(['private-address'])
      expect(report.findings[0]?.severity).toBe('note')
      expect(report.leftBehind).toEqual([])
    } finally {
      await live.close()
    }
  })

  it('against a Gatehouse that has copies of some documents and reads the others', async () => {
    const live = await startLive({ fetchDocument })
    try {
      const withDocument = profiles.filter(({ identification }) => identification.document)
      const played = withDocument.filter(findDocumentRedirects).map(({ id }) => id)
      const report = await examine(live.url, played)
      expect(listOutcomes(report)).toEqual(allConnect(played))
      expect(listFindings(report)).toEqual(['private-address'])
      const kept = live.audit
        .filter(({ event }) => event === 'client.registered')
        .map(({ clientId }) => clientId)
        .filter((id) => id?.startsWith('https://'))
      const shown = report.documentsShown.map(({ clientId }) => clientId)
      expect(new Set(shown)).toEqual(new Set(kept))
    } finally {
      await live.close()
    }
  })

  it('against the demo server of SDK 1.32, of which the truth is told', async () => {
    const report = await examinePeer(startSdk1, bestKnown)
    // Its demo provider asks nobody, lets secrets expire after 30 days, and sends no iss, without which
    // Gemini CLI takes no code (gemini-cli-core 0.61, utils/oauth-flow.js).
    const others = bestKnown.filter((id) => id !== 'gemini-cli')
    expect(listOutcomes(report)).toEqual([...allConnect(others), 'gemini-cli stumbles'])
    expect(listFindings(report)).toEqual([
      'iss-missing',
      'registration-expires',
      'code-without-a-person',
      'private-address',
    ])
    expect(report.leftBehind.map(({ client }) => client)).toHaveLength(bestKnown.length)
  })

  it('against oidc-provider with a resource server of SDK 1.32', async () => {
    const report = await examinePeer(startOidcWithSdk1, allowedByOidcProvider)
    expect(listOutcomes(report)).toEqual(allConnect(allowedByOidcProvider))
    expect(listFindings(report)).toEqual(['private-address'])
    expect(report.leftBehind).toEqual([])
  })

  it('against a server of SDK 2.x with an external issuer', async () => {
    const report = await examinePeer(startSdk2, allowedByOidcProvider)
    expect(listOutcomes(report)).toEqual(allConnect(allowedByOidcProvider))
    expect(listFindings(report)).toEqual(['private-address'])
    expect(report.leftBehind).toEqual([])
  })

  it('when more clients are played than a server registers in an hour', async () => {
    const registering = profiles.filter(({ identification: { registration, order } }) =>
      Boolean(registration && order.includes('registration')),
    )
    expect(registering.length).toBeGreaterThan(20)
    const report = await examinePeer(
      startSdk1,
      registering.map(({ id }) => id),
    )
    expect(listFindings(report)).not.toContain('registration-limited')
    expect(report.verdicts.at(-1)).toMatchObject({ outcome: 'unknown' })
  })
})

describe('a true alarm', () => {
  it('names the clients that oidc-provider refuses, and them alone', async () => {
    const report = await examinePeer(startOidcWithSdk1, ['claude', 'cursor'])
    expect(listOutcomes(report)).toEqual(['claude connects', 'cursor stumbles'])
    expect(report.verdicts[1]).toMatchObject({
      step: 'register',
      finding: 'registration-refuses-redirect',
    })
  })
})
