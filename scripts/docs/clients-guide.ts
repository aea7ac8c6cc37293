/** The guide to clients, made from their profiles. */
import type { ClientProfile, Requirement, Step } from '../../src/profiles/profile.ts'
import { findProfile, profiles } from '../../src/profiles/registry.ts'
import { brokenWords, engineWords, stepWords } from './client-words.ts'

const server = { name: 'notes', url: 'https://mcp.example.com/mcp' }

const groups = {
  'vendor-cloud': [
    'Hosted assistants',
    "These come from their vendor's computers, so that the MCP URL and every host in the metadata must be on the internet.",
  ],
  'own-machine': [
    "Programs on a person's machine",
    'These reach whatever that machine reaches, loopback and private networks too.',
  ],
  'own-server': [
    'Programs that people host, and libraries',
    'Their redirect URIs are wherever they run. The hosts here are examples.',
  ],
} as const satisfies Record<ClientProfile['runs'], readonly [string, string]>

function renderAdding({ adding }: ClientProfile, original: ClientProfile | undefined): string[] {
  if (adding === undefined) return []
  if (adding === original?.adding) return [`Added like ${toLink(original)}.`, '']
  const copy = adding.toCopy?.(server)
  return [adding.steps, ...(copy === undefined ? [] : ['', '```', copy, '```']), '']
}

function renderClientId({ identification, redirects }: ClientProfile): string {
  const { order, document, registration } = identification
  const ways = order.map((way) => {
    if (way === 'typed-in') return 'a person types one in'
    if (way === 'document') {
      const condition = document?.needsNone ? ', where `none` is listed' : ''
      return `the URL of its metadata document ${document?.ids.map(toCode).join(' or ')}${condition}`
    }
    const { client_name: name } = { ...registration }
    return typeof name === 'string' ? `it registers as ${toCode(name)}` : 'it registers'
  })
  const uris = [...(redirects.uris ?? registration?.redirect_uris ?? [])]
  const used = redirects.used ? ` In use, for example, ${toCode(redirects.used)}.` : ''
  const places =
    uris.length > 0 ? `${uris.map(toCode).join(', ')}.${used}` : describeUnknown(redirects)
  return [`- Client id: ${ways.join('; else ')}.`, `- Redirect URIs: ${places}`].join('\n')
}

function describeUnknown({ loopback, hosts }: ClientProfile['redirects']): string {
  if (hosts.length > 0) return `${hosts.join(', ')}.`
  return loopback ? 'the machine that it runs on.' : 'addresses that nobody has published.'
}

function renderRequests({ discovery, authorization, tokens, revisions, engine }: ClientProfile) {
  const scopes = authorization.scope.map((place) => scopeWords[place]).join(', else ')
  const offline = authorization.addsOfflineAccess ? ', and `offline_access` where it is listed' : ''
  const otherwise = authorization.scopeOtherwise?.map(toCode).join(', ')
  const invents = authorization.invents?.map(toCode).join(', ')
  const refresh =
    tokens.refreshesSecondsBefore === 0
      ? 'when a token is refused'
      : `${tokens.refreshesSecondsBefore} seconds before a token ends`
  return [
    `- First request: ${discovery.firstRequest}. MCP ${revisions.join(', ')}. OAuth code: ${engineWords[engine]}.`,
    `- Scopes: those of ${scopes}${otherwise ? `, else ${otherwise}` : ''}${offline}${invents ? `; at times ${invents} as well` : ''}.`,
    `- Refreshes ${refresh}${tokens.timeoutSeconds ? `, and waits ${tokens.timeoutSeconds} seconds for an answer` : ''}.`,
  ].join('\n')
}

const scopeWords = {
  challenge: 'the challenge',
  'resource-metadata': 'the protected-resource metadata',
  'server-metadata': 'the authorization server metadata',
} as const

function renderWords({ failures }: ClientProfile, original: ClientProfile | undefined): string[] {
  if (failures === original?.failures) return [`It shows the words of ${toLink(original)}.`, '']
  const causes = listCauses(failures)
  if (causes.size === 0) return ['Nobody has published what it says when it fails.', '']
  const rows = [...causes].map(([words, wrong]) => `| ${words} | ${wrong.join('; or ')} |`)
  return ['| it says | what is wrong |', '|---|---|', ...rows, '']
}

/** Words that a client shows, each with all that can be behind them. */
function listCauses({ of = {}, ...steps }: ClientProfile['failures']): Map<string, string[]> {
  const special = Object.entries(of) as [Requirement, string][]
  const general = Object.entries(steps) as [Step, string][]
  const causes = [
    ...special.map(([name, words]) => [words, brokenWords[name]] as const),
    ...general.map(([step, words]) => [words, stepWords[step]] as const),
  ]
  const byWords = new Map<string, string[]>()
  for (const [words, wrong] of causes) byWords.set(words, [...(byWords.get(words) ?? []), wrong])
  return byWords
}

function renderClient(profile: ClientProfile): string {
  const { id, name, problems = [], sources, variantOf = '' } = profile
  const original = findProfile(variantOf)
  const from = sources.map(({ what, kind, seen }) => `${what} (${kind}, ${seen})`)
  const known =
    problems.length > 0 ? ['Known problems:', '', ...problems.map((one) => `- ${one}`), ''] : []
  return [
    `### <a id="${id}"></a>${name}`,
    '',
    ...renderAdding(profile, original),
    ...renderWords(profile, original),
    ...known,
    'What it does:',
    '',
    renderClientId(profile),
    renderRequests(profile),
    '',
    `For the doctor: \`--as ${id}\`. Sources: ${from.join('; ')}.`,
    '',
  ].join('\n')
}

function toLink({ id, name }: ClientProfile): string {
  return `[${name}](#${id})`
}

function toCode(text: string): string {
  return `\`${text}\``
}

/** `docs/guides/clients.md`. */
export function renderClientsGuide(): string {
  const parts = Object.entries(groups).map(([runs, [title, text]]) => {
    const members = profiles.filter((profile) => profile.runs === runs)
    return { title, text, members }
  })
  const contents = parts.map(
    ({ title, members }) => `- ${title}: ${members.map(toLink).join(', ')}.`,
  )
  const sections = parts.flatMap(({ title, text, members }) => [
    `## ${title}`,
    '',
    `${text}\n`,
    ...members.map(renderClient),
  ])
  return `# Clients

How a person adds an MCP server in each client, what it says when it fails and what is wrong then, and what it
does. Give every client the same address, the MCP URL, such as \`${server.url}\`.

${contents.join('\n')}

The client of FastMCP is the [Python SDK](#python-sdk), Qwen Code is [Gemini CLI](#gemini-cli). Not here, because
nobody has published enough: Windsurf, JetBrains, Kiro, Warp, MCPJam, OpenClaw, ServiceNow, Portkey.

## A client shows an error

Let the doctor look; it works for any MCP server on the internet or on your machine, and asks it just what
that client asks. It names the first thing that is wrong and says what to change (in a checkout, write
\`npm run gatehouse --\` for \`gatehouse\`; the end of each section has the \`--as\` of that client):

\`\`\`
gatehouse doctor ${server.url} --as chatgpt
\`\`\`

Or find the words in the client's section: beside them stands what is wrong, and where the client says the same for
several things, all of them. \`…\` stands for a name or an address. How to mend each is in
[troubleshooting](troubleshooting.md), by the same words. Afterwards delete the server in the client and add it
again: many keep what they read before.

What the sections speak of:

- Challenge: the header field \`WWW-Authenticate\` of the 401 that a request to the MCP URL without a token gets.
- Protected-resource metadata: JSON below \`/.well-known/oauth-protected-resource\`. It says what the MCP URL is
  (\`resource\`) and who issues its tokens (\`authorization_servers\`).
- Authorization server metadata: JSON below \`/.well-known/oauth-authorization-server\` (OAuth) or
  \`/.well-known/openid-configuration\` (OpenID). It has the \`issuer\` and all endpoints.
- Registration: the client sends its name and redirect URIs to the registration endpoint, and gets a client id.
- Metadata document: JSON about the client on its vendor's web site. The URL of it is the client id.

Made from \`src/profiles/clients/\` by \`npm run docs\`; vendors change these things monthly, so each section says
where it is from and when. [The reference](../reference/clients.md) says what was proven with each client, and
which clients insist on what.

${sections.join('\n')}`
}
