/** `gatehouse doctor --self` on what it needs from elsewhere: providers, backends, documents of clients. */
import { writeFile } from 'node:fs/promises'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { askDocuments } from '../../src/cli/self-egress.ts'
import { createPinnedFetch, type FetchProblem } from '../../src/platform/pinned-fetch.ts'
import { createCertificate } from '../helpers/certificate.ts'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'
import { here, installForEachTest, look } from './installation.ts'

installForEachTest()

describe('gatehouse doctor --self on what lies outside', () => {
  it('names a provider that cannot be reached, and a here.backend that does not answer', async () => {
    const file = join(here.folder, 'gatehouse.yaml')
    const provider =
      'type: oidc\n    id: work\n    issuer: http://127.0.0.1:9\n    clientId: a\n    clientSecret: b'
    await writeFile(file, `to: http://127.0.0.1:9/mcp\nproviders:\n  - ${provider}\n`)
    const { ids, code } = await look(here.folder, ['--config', file])
    expect(code).toBe(1)
    expect(ids).toEqual(expect.arrayContaining(['provider-unreachable', 'backend-problem']))
  })
})

describe('the documents of clients', () => {
  const issuer = 'https://auth.example.com'

  /** Asks, with `outcome` for every host; returns what was asked and what came of it. */
  async function ask(outcome: FetchProblem, config: Parameters<typeof askDocuments>[0]) {
    const asked: string[] = []
    const facts = await askDocuments(config, async (url) => {
      asked.push(url)
      return outcome
    })
    return { asked, facts }
  }

  it.each(['name', 'address', 'connection', 'deadline'] as const)(
    'cannot be reached where each ends with “%s”',
    async (problem) => {
      const { facts } = await ask({ problem }, { issuer, clientMetadataDocuments: {} })
      expect(facts.length).toBeGreaterThan(1)
      for (const fact of facts) expect(fact.problem).toMatch(/\w/)
    },
  )

  it('can be where a host answers, whatever it says', async () => {
    const { facts } = await ask({ problem: 'status' }, { issuer, clientMetadataDocuments: {} })
    expect(facts.map(({ problem }) => problem)).toEqual(facts.map(() => undefined))
  })

  it('are those of the configured hosts', async () => {
    const rule = { hosts: ['cursor.com'] }
    const { asked } = await ask({ problem: 'name' }, { issuer, clientMetadataDocuments: rule })
    expect(asked).toEqual(['https://cursor.com/oauth/mcp-client.json'])
  })

  it.each([
    ['where they are off', { issuer }],
    ['for a URL of this machine', { issuer: 'http://localhost:1', clientMetadataDocuments: {} }],
    ['and its other names', { issuer: 'http://127.0.0.1:1', clientMetadataDocuments: {} }],
  ])('are not asked for %s', async (_, config) => {
    expect(await ask({ problem: 'name' }, config)).toEqual({ asked: [], facts: [] })
  })

  it('are read by the reader of the server', async () => {
    const certificate = createCertificate({ host: 'cursor.com' })
    const paths: (string | undefined)[] = []
    const server = createTlsServer(certificate, ({ url }, response) => {
      paths.push(url)
      response.writeHead(403).end()
    })
    const { port } = new URL(await listenOnLoopback(server))
    onTestFinished(() => closeNow(server))
    const read = createPinnedFetch({
      resolve: async () => ['127.0.0.1'],
      isAllowed: () => true,
      ca: certificate.cert,
    })
    const facts = await askDocuments(
      { issuer, clientMetadataDocuments: { hosts: ['cursor.com'] } },
      (url) => read(url.replace('cursor.com/', `cursor.com:${port}/`)),
    )
    expect(facts).toEqual([{ host: 'cursor.com', problem: undefined }])
    expect(paths).toEqual(['/oauth/mcp-client.json'])
  })
})
