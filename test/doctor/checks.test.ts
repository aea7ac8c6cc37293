/** Every broken server there is, visited by the real doctor as every client: the right cause, and nothing else. */
import { describe, expect, it } from 'vitest'
import { checks, diagnose } from '../../src/doctor/checks.ts'
import { loginExplanations } from '../../src/doctor/login/explanations.ts'
import { explainUnknown, judge } from '../../src/doctor/verdict.ts'
import { requirements } from '../../src/profiles/profile.ts'
import { surrounded, unauthorized } from './broken/authorization.ts'
import { all, at, type Broken, paths, withMembers } from './broken/broken.ts'
import { answering } from './broken/endpoint.ts'
import { fronted } from './broken/front.ts'
import { mcpUrl, page, serverMetadata } from './broken/healthy.ts'
import { withResourceMetadata, withServerMetadata } from './broken/metadata.ts'
import { unreached } from './broken/reach.ts'
import { unregistered } from './broken/registration.ts'
import { visitWorld } from './broken/world.ts'

const themes: Record<string, readonly Broken[]> = {
  'that is not reached': unreached,
  'with something in front': fronted,
  'with another answer than 401': answering,
  'with other resource metadata': withResourceMetadata,
  'with other server metadata': withServerMetadata,
  'without client ids': unregistered,
  'without a page to sign in on': unauthorized,
  'with something wrong around it': surrounded,
}

const provenByCertificates = [
  'certificate-expired',
  'certificate-not-yet-valid',
  'certificate-wrong-name',
  'certificate-untrusted',
]

async function examine(broken: Broken): Promise<void> {
  const visit = await visitWorld(broken)
  const findings = diagnose(visit)
  expect(findings.map(({ id }) => id)).toEqual(broken.finds)
  const [first] = findings
  if (broken.says) expect(`${first?.seen} ${first?.fix}`).toMatch(broken.says)
  const verdicts = judge(visit, findings)
  const stopped = verdicts.filter(({ outcome }) => outcome === 'stumbles')
  const ids = stopped.map(({ client }) => client.id)
  expect(ids).toEqual(expect.arrayContaining([...(broken.stops ?? [])]))
  expect(ids.filter((id) => broken.spares?.includes(id))).toEqual([])
  if (broken.stops === undefined) expect(ids).toEqual([])
  const words = Object.fromEntries(stopped.map(({ client, words }) => [client.id, words]))
  for (const [id, said] of Object.entries(broken.words ?? {})) expect(words[id]).toMatch(said)
}

it('finds nothing wrong with a healthy server', async () => {
  expect(diagnose(await visitWorld({}))).toEqual([])
})

it('finds nothing wrong with an OpenID document that nobody comes to', async () => {
  const body = { ...serverMetadata, logo_uri: null, scopes_supported: 'mcp' }
  const alter = at(paths.openid, () => ({ status: 200, body }))
  expect(diagnose(await visitWorld({ alter }))).toEqual([])
})

it('finds nothing wrong with a bot challenge on the sign-in page, which a browser opens', async () => {
  const headers = { 'content-type': 'text/html', 'cf-mitigated': 'challenge' }
  const visit = await visitWorld({ alter: at(paths.authorize, () => ({ status: 403, headers })) })
  expect(diagnose(visit)).toEqual([])
  const outcomes = new Set(judge(visit, []).map(({ outcome }) => outcome))
  expect([...outcomes]).toEqual(['unknown'])
  const [reason] = visit.clients.map((client) => explainUnknown(client, visit.shared))
  expect(reason).toBe('a page of Cloudflare is in front of the sign-in page; see in a browser')
})

it('finds nothing wrong with a key in the URL, which is hidden in what it shows alone', async () => {
  const url = `${mcpUrl}?code=q7Zx9Kp3vR8sT2wY`
  const alter = all(
    withMembers(paths.resource, { resource: url }),
    at(paths.authorize, (reply, asked) =>
      asked.url.searchParams.get('resource') === url ? reply : page('Unknown resource', 400),
    ),
  )
  const visit = await visitWorld({ url, alter })
  const played = new Set(['chatgpt', 'claude', 'claude-code', 'codex', 'vscode'])
  const clients = visit.clients.filter(({ profile }) => played.has(profile.id))
  expect(diagnose({ ...visit, clients })).toEqual([])
  expect(JSON.stringify(clients)).not.toContain('q7Zx9Kp3vR8sT2wY')
})

for (const [theme, servers] of Object.entries(themes)) {
  describe(`a server ${theme}`, () => {
    it.each(servers)('$name', examine)
  })
}

describe('the checks', () => {
  const ids = checks.map(({ id }) => id)
  const broken = Object.values(themes).flat()

  it('have ids of their own', () => {
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('come after the causes that they name', () => {
    const early = checks.flatMap(({ id, after = [] }) =>
      after.filter((cause) => !ids.slice(0, ids.indexOf(id)).includes(cause)),
    )
    expect(early).toEqual([])
  })

  it('are each seen at a broken server, here or in reach.test.ts', () => {
    const seen = new Set([...broken.flatMap(({ finds }) => finds), ...provenByCertificates])
    expect(ids.filter((id) => !seen.has(id))).toEqual([])
  })

  it('break everything that a client can insist on, together with the login', () => {
    const broken = new Set<string>(checks.flatMap(({ breaks }) => breaks))
    for (const { breaks } of Object.values(loginExplanations)) {
      for (const requirement of breaks) broken.add(requirement)
    }
    expect(Object.keys(requirements).filter((requirement) => !broken.has(requirement))).toEqual([])
  })
})
