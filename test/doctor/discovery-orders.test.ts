/** Clients that look for the authorization server in an order of their own, and those that go on to a second one. */
import { describe, expect, it } from 'vitest'
import { diagnose } from '../../src/doctor/checks.ts'
import { clientRequestsAllowed } from '../../src/doctor/play.ts'
import { createReport, listObservations } from '../../src/doctor/report.ts'
import { listViews } from '../../src/doctor/views.ts'
import type { Visit } from '../../src/doctor/visit.ts'
import { sharedRequestsAllowed } from '../../src/doctor/walk.ts'
import { all, at, paths, withMembers } from './broken/broken.ts'
import { origin, page, resourceMetadata, serverMetadata } from './broken/healthy.ts'
import { type Alter, visitWorld } from './broken/world.ts'

const issuer = `${origin}/tenant`
const notFound = () => page('Not found', 404)
const served = (body: Readonly<Record<string, unknown>>) => () => ({
  status: 200,
  headers: { 'access-control-allow-origin': '*' },
  body,
})

/** The issuer has a path, and its document is here alone. */
const onlyAt = (place: string): Alter =>
  all(
    withMembers(paths.resource, { authorization_servers: [issuer] }),
    at(paths.server, notFound),
    at(place, served({ ...serverMetadata, issuer })),
  )

/** Two servers are named, and the first has no document. */
const second = (members: Readonly<Record<string, unknown>> = {}): Alter =>
  all(
    withMembers(paths.resource, { authorization_servers: [`${origin}/gone`, issuer] }),
    at(paths.server, notFound),
    at(`${paths.server}/tenant`, served({ ...serverMetadata, issuer, ...members })),
  )

function judge(visit: Visit) {
  const { verdicts } = createReport(visit, diagnose(visit))
  return Object.fromEntries(verdicts.map(({ client, ...verdict }) => [client.id, verdict]))
}

describe('a client that looks where others do not', () => {
  it('is Gemini, after the path of the issuer', async () => {
    const visit = await visitWorld({
      alter: onlyAt('/tenant/.well-known/oauth-authorization-server'),
    })
    const verdicts = judge(visit)
    expect(verdicts['gemini-app']).toMatchObject({
      outcome: 'unknown',
      reason: expect.stringMatching(/type a client id/),
    })
    expect(verdicts['chatgpt']).toMatchObject({ finding: 'server-metadata-missing' })
    expect(verdicts['n8n']).toMatchObject({ finding: 'server-metadata-missing' })
    const [missing] = diagnose(visit)
    const sentences = missing?.seen.split('; ') ?? []
    expect(sentences).toEqual([...new Set(sentences)])
  })

  it('is Gemini, which does not find the document of RFC 8414 there', async () => {
    const visit = await visitWorld({ alter: onlyAt(`${paths.server}/tenant`) })
    const findings = diagnose(visit)
    expect(findings).toMatchObject([{ id: 'server-metadata-elsewhere', only: ['gemini-app'] }])
    expect(findings[0]?.fix).toContain(`${origin}/tenant/.well-known/oauth-authorization-server`)
    const verdicts = judge(visit)
    expect(verdicts['gemini-app']).toMatchObject({ outcome: 'stumbles', step: 'discover' })
    expect(verdicts['chatgpt']).toMatchObject({ outcome: 'connects' })
  })

  it('is n8n, at the origin in the end, within its few requests', async () => {
    const visit = await visitWorld({ alter: onlyAt(`${paths.server}`) })
    const verdicts = judge(visit)
    expect(verdicts['n8n']).toMatchObject({ outcome: 'connects' })
    expect(verdicts['gemini-app']).toMatchObject({ finding: 'server-metadata-missing' })
    const n8n = visit.clients.filter(({ profile }) => profile.id === 'n8n')
    const own = listObservations({ ...visit, clients: n8n }).filter(
      (seen) => !listShared(visit).includes(seen),
    )
    expect(own.map(({ request }) => `${request.method} ${new URL(request.url).pathname}`)).toEqual([
      'GET /.well-known/oauth-authorization-server',
      'POST /register',
      'GET /authorize',
      expect.stringMatching(/^DELETE \/register\//),
    ])
    expect(own.length).toBeLessThanOrEqual(clientRequestsAllowed)
  })

  it('is judged after those that see what all see', async () => {
    const visit = await visitWorld({ alter: onlyAt(`${paths.server}/tenant`) })
    const views = listViews(visit).map(({ clients }) => clients.map(({ profile }) => profile.id))
    expect(views).toEqual([expect.arrayContaining(['chatgpt', 'codex']), ['gemini-app']])
  })

  it('asks nothing more where the issuer has no path', async () => {
    const visit = await visitWorld({})
    expect(visit.clients.filter(({ server }) => server !== undefined)).toEqual([])
  })
})

describe('the second of two authorization servers', () => {
  it('is where clients go that try each, when the first has no document', async () => {
    const visit = await visitWorld({ alter: second() })
    expect(listShared(visit).length).toBeLessThanOrEqual(sharedRequestsAllowed)
    const verdicts = judge(visit)
    expect(verdicts['codex']).toEqual({ outcome: 'connects' })
    expect(verdicts['chatgpt']).toEqual({ outcome: 'connects' })
    expect(verdicts['claude']).toMatchObject({ finding: 'server-metadata-missing' })
  })

  it('is judged by what its own document says, for those alone', async () => {
    const visit = await visitWorld({ alter: second({ issuer: `${origin}/other` }) })
    const verdicts = judge(visit)
    expect(verdicts['codex']).toMatchObject({ outcome: 'stumbles', finding: 'issuer-mismatch' })
    expect(verdicts['claude']).toMatchObject({ finding: 'server-metadata-missing' })
  })

  it('is missed as well where it has no document either', async () => {
    const visit = await visitWorld({
      alter: all(second(), at(`${paths.server}/tenant`, notFound)),
    })
    expect(judge(visit)['chatgpt']).toMatchObject({ finding: 'server-metadata-missing' })
  })

  it('is not looked at when the first has a document', async () => {
    const servers = [...resourceMetadata.authorization_servers, issuer]
    const visit = await visitWorld({
      alter: withMembers(paths.resource, { authorization_servers: servers }),
    })
    expect(visit.shared.next).toBeUndefined()
    expect(judge(visit)['codex']).toEqual({ outcome: 'connects' })
  })

  it('is none when it is the first once more', async () => {
    const servers = [`${origin}/gone`, `${origin}/gone`]
    const alter = all(second(), withMembers(paths.resource, { authorization_servers: servers }))
    const visit = await visitWorld({ alter })
    expect(visit.shared.next).toBeUndefined()
    expect(judge(visit)['chatgpt']).toMatchObject({ finding: 'server-metadata-missing' })
  })

  it('leaves a third one unknown, where the doctor does not look', async () => {
    const servers = [`${origin}/gone`, `${origin}/away`, issuer]
    const visit = await visitWorld({
      alter: all(second(), withMembers(paths.resource, { authorization_servers: servers })),
    })
    expect(judge(visit)['codex']).toMatchObject({
      outcome: 'unknown',
      reason: expect.stringMatching(/next authorization server/),
    })
  })
})

function listShared(visit: Visit) {
  return listObservations({ ...visit, clients: [] })
}
