/** The guide to clients, made from their profiles. */
import type { ClientProfile, Requirement, Step } from '../../src/profiles/profile.ts'
import { findProfile, profiles } from '../../src/profiles/registry.ts'
import { engineWords, requirementWords, stepWords } from './client-words.ts'

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

function renderAdding({ adding }: ClientProfile): string[] {
  if (adding === undefined) return []
  const copy = adding.toCopy?.(server)
  return [adding.steps, ...(copy === undefined ? [] : ['', '```', copy, '```']), '']
}

function renderClientId({ identification, redirects }: ClientProfile): string {
  const { order, document, registration } = identification
  const ways = order.map((way) => {
    if (way === 'typed-in') return 'one that a person types in'
    if (way === 'document') {
      const condition = document?.needsNone ? ', where `none` is listed' : ''
      return `its metadata document ${document?.ids.map(toCode).join(', ')}${condition}`
    }
    const { client_name: name } = { ...registration }
    return typeof name === 'string' ? `registration as ${toCode(name)}` : 'registration'
  })
  const uris = [...(redirects.uris ?? registration?.redirect_uris ?? [])]
  const used = redirects.used ? ` In use, for example, ${toCode(redirects.used)}.` : ''
  const places =
    uris.length > 0 ? `${uris.map(toCode).join(', ')}.${used}` : describeUnknown(redirects)
  return [`- Client id: ${ways.join('; then ')}.`, `- Codes go to: ${places}`].join('\n')
}

function describeUnknown({ loopback, hosts }: ClientProfile['redirects']): string {
  if (hosts.length > 0) return `${hosts.join(', ')}.`
  return loopback ? 'the machine that it runs on.' : 'addresses that nobody has published.'
}

function renderRequests({ discovery, authorization, tokens, revisions, engine }: ClientProfile) {
  const scopes = authorization.scope.map((place) => scopeWords[place]).join(', else ')
  const offline = authorization.addsOfflineAccess ? ', and `offline_access` where it is listed' : ''
  const invents = authorization.invents?.map(toCode).join(', ')
  const refresh =
    tokens.refreshesSecondsBefore === 0
      ? 'when a token is refused'
      : `${tokens.refreshesSecondsBefore} seconds before a token ends`
  return [
    `- First request: ${discovery.firstRequest}. MCP ${revisions.join(', ')}. Its OAuth code: ${engineWords[engine]}.`,
    `- Scopes: those of ${scopes}${offline}${invents ? `; also ${invents}` : ''}.`,
    `- Refreshes ${refresh}${tokens.timeoutSeconds ? `, and waits ${tokens.timeoutSeconds} seconds for an answer` : ''}.`,
  ].join('\n')
}

const scopeWords = {
  challenge: 'the challenge',
  'resource-metadata': 'the protected-resource metadata',
  'server-metadata': 'the authorization server metadata',
} as const

function renderWords({ failures }: ClientProfile): string[] {
  const { of = {}, ...steps } = failures
  const special = Object.entries(of) as [Requirement, string][]
  const general = Object.entries(steps) as [Step, string][]
  if (special.length + general.length === 0) return []
  return [
    '| its user reads | when |',
    '|---|---|',
    ...special.map(([name, words]) => `| ${words} | unless ${requirementWords[name]} |`),
    ...general.map(([step, words]) => `| ${words} | ${stepWords[step]} |`),
    '',
  ]
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
    ...(original?.adding === profile.adding ? [] : renderAdding(profile)),
    renderClientId(profile),
    renderRequests(profile),
    '',
    ...known,
    ...(original?.failures === profile.failures ? [] : renderWords(profile)),
    `For the doctor it is \`${id}\`. Sources: ${from.join('; ')}.`,
    '',
  ].join('\n')
}

function toCode(text: string): string {
  return `\`${text}\``
}

/** `docs/guides/clients.md`. */
export function renderClientsGuide(): string {
  const sections = Object.entries(groups).flatMap(([runs, [title, text]]) => [
    `## ${title}`,
    '',
    `${text}\n`,
    ...profiles.filter((profile) => profile.runs === runs).map(renderClient),
  ])
  return `# Clients

How a person adds an MCP server in each client, what the client then sends, and the words that its user reads
when something is missing. Made from \`src/profiles/clients/\` by \`npm run docs\`; vendors change these things
monthly, so each section says where it is from and when. [The reference](../reference/clients.md) says what was
proven with each client, and which clients insist on what.

Give every client the same address, the MCP URL, such as \`${server.url}\`. To see what a client
would stumble over, here or at any other MCP server (in a checkout, write \`npm run gatehouse --\` for
\`gatehouse\`):

\`\`\`
gatehouse doctor ${server.url} --as chatgpt,claude,vscode
\`\`\`

In the words, \`…\` stands for a name or an address. Where a client has no words here, nobody has published any.
Not here are clients of which nobody has published enough: Windsurf, JetBrains, Kiro, Warp.

${sections.join('\n')}`
}
