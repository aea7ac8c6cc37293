/**
 * The four errors of the remote-mcp deployment (deployments §2): each as the server was then, and what the
 * doctor makes of it.
 */
import { expect } from 'vitest'
import { diagnose } from '../../src/doctor/checks.ts'
import { judge } from '../../src/doctor/verdict.ts'
import { verifiesEach } from '../verifies.ts'
import { at, paths, redirect, withMembers } from './broken/broken.ts'
import { origin, page } from './broken/healthy.ts'
import { type Alter, visitWorld } from './broken/world.ts'

interface Pattern {
  readonly name: string
  readonly alter: Alter
  readonly finding: string
  /** What has to be named in the advice: what a person changes. */
  readonly advice: RegExp
  readonly words?: RegExp
}

/** Neither documents nor anything else but registration, as the server was. */
const old = { client_id_metadata_document_supported: undefined }

/** The broker as it was: its authorization endpoint sends people to Auth0, which shows this page. */
function sendOn(clientId: string | undefined, words: string): Alter {
  return (healthy) => {
    const toUpstream = at(paths.authorize, (_, { url }) => {
      const to = new URL('https://tenant.example.com/authorize?response_type=code')
      to.searchParams.set('client_id', clientId ?? url.searchParams.get('client_id') ?? '')
      to.searchParams.set('redirect_uri', `${origin}/oauth2/callback`)
      return redirect(to.href)
    })
    const answer = toUpstream(withMembers(paths.server, old)(healthy))
    return (asked) => (asked.url.host === 'tenant.example.com' ? page(words, 403) : answer(asked))
  }
}

const errors: readonly Pattern[] = [
  {
    name: '“Failed to resolve OAuth client”: there is no registration endpoint',
    alter: withMembers(paths.server, { ...old, registration_endpoint: undefined }),
    finding: 'no-way-to-a-client-id',
    advice: /registration_endpoint/,
    words: /doesn't support RFC 7591|Failed to resolve OAuth client/,
  },
  {
    name: '“Unknown client: mcp_…”: the provider is given the id of the MCP client',
    alter: sendOn(undefined, 'Unknown client: mcp_0123456789abcdef0123456789abcdef'),
    finding: 'upstream-gets-our-client-id',
    advice: /tenant\.example\.com with the broker’s own client id/,
    words: /Something went wrong/,
  },
  {
    name: '“Something went wrong”: the provider does not allow the callback',
    alter: sendOn(
      'static-client',
      'Callback URL mismatch. The provided redirect_uri is not in the list',
    ),
    finding: 'upstream-refuses-callback',
    advice: /Allow exactly https:\/\/mcp\.example\.com\/oauth2\/callback/,
    words: /Something went wrong/,
  },
  {
    name: 'a registration that is answered with an empty client id',
    alter: (healthy) =>
      withMembers(paths.register, { client_id: '' })(withMembers(paths.server, old)(healthy)),
    finding: 'registration-without-client-id',
    advice: /set its id/,
    words: /Failed to resolve OAuth client/,
  },
]

verifiesEach('R7', errors, async ({ alter, finding, advice, words }) => {
  const visit = await visitWorld({ alter })
  const findings = diagnose(visit)
  expect(findings.map(({ id }) => id)).toEqual([finding])
  expect(findings[0]?.fix).toMatch(advice)
  const verdict = judge(visit, findings).find(({ client }) => client.id === 'chatgpt')
  expect(verdict).toMatchObject({ outcome: 'stumbles', finding })
  if (words) expect(verdict?.words).toMatch(words)
})
