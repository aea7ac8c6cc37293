/** The page of settings, from `src/operate/config/settings.ts` and a sentence for each. */
import { resolveEndpointPaths } from '../../src/oauth/endpoint-paths.ts'
import { providerTypes } from '../../src/operate/config/providers.ts'
import { type Setting, settingsByName } from '../../src/operate/config/settings.ts'

/** What each setting is, with its unit and default. A setting without a sentence fails `npm run docs`. */
const sentences: Readonly<Record<string, string>> = {
  publicUrl:
    'How clients reach Gatehouse: a bare https origin, or http on localhost. It is the issuer. Default `http://localhost:<port>`.',
  host: 'Address to listen on. Default `127.0.0.1`; `0.0.0.0` when `PORT` is set and the public URL is https.',
  port: 'Port to listen on, also read from `PORT`. Default 8787.',
  drainSeconds:
    'After SIGTERM: how long `/readyz` says no while requests are still taken, so that a load balancer looks away first. At most 600. Default 0.',
  data: 'Folder of the database and the master key. Default `gatehouse-data`.',
  'store.url':
    'Where everything is kept: `sqlite:PATH`, `postgres://…`, `redis://…`, `rediss://…` or `memory:`. Default SQLite in the data folder.',
  'store.directUrl':
    'PostgreSQL behind a transaction pooler: an address past the pooler, for LISTEN. Without it changes are polled.',
  'store.prefix': 'Redis: what all keys begin with. Default `gatehouse`.',
  'store.onWeakDurability':
    'Redis without append-only persistence: `refuse` to start or `warn`. Default `refuse`.',
  to: 'The one MCP server to protect, at `/mcp`: its Streamable HTTP URL.',
  command:
    'The one MCP server to protect, when it speaks over standard input and output and is to be started here: a program, or a list of it and its arguments. See [stdio servers](../guides/stdio.md).',
  env: 'Variables of that program, by name: a text, `{ env: NAME }`, `{ file: PATH }`, or `{ caller: email }` and the like. Of our own environment it gets `PATH`, `HOME` and their kind alone.',
  backends:
    'The MCP servers to protect, each with `to` (or `command`, `args`, `env`, `cwd`, `processes`: see [stdio servers](../guides/stdio.md)), `path`, `name`, `identity` (`none`, `headers`, `assertion`), `headers`, `transport` (`streamable-http`, `sse`), `ssePath`, `signInWith` (the id of the one provider that counts for it, or `local`), `forward: upstream-token` and `policy` (which scopes its operations need: see [scopes](../guides/scopes.md)).',
  'paths.base':
    'Path that all endpoints are below, such as `/oauth`; see [paths](../guides/paths.md). Default: the origin.',
  'paths.aliases':
    'Further paths and the endpoint that is served there too, such as `/oauth/authorise: authorize`.',
  oauthEnabled:
    'False: the MCP servers are open to whoever reaches them, without sign-in, tokens and metadata. Default true.',
  siteName: 'What people see on the pages. Default: the only server’s name, else the host.',
  scopes: 'Scopes and the sentence that a person reads for each. Default one scope, `mcp`.',
  defaultScopes: 'Scopes granted when a client asks for none that exists. Default all.',
  scopeHierarchy:
    'Scope → the narrower ones that it includes: see [scopes](../guides/scopes.md). Default none.',
  'lifetimes.codeSeconds': 'Authorization code, at most 600. Default 60.',
  'lifetimes.accessTokenSeconds': 'Access token. Default 3 600.',
  'lifetimes.refreshIdleSeconds': 'Refresh token without use. Default 30 days.',
  'lifetimes.refreshAbsoluteSeconds': 'A grant as a whole. Default 365 days.',
  'lifetimes.flowSeconds': 'From the authorization request to the code. Default 600.',
  'lifetimes.sessionSeconds': 'Browser sign-in. Default 86 400.',
  'refresh.graceSeconds':
    'For how long the previous refresh token gets the same successor, whatever happened. Default 120.',
  'refresh.lostResponseSeconds':
    'For how long it still does while nothing of the answer was used. Default 86 400; 300 when a backend verifies tokens itself.',
  'refresh.onReuse':
    'An older refresh token comes back: `revoke` the grant or only `refuse`. Default `revoke`.',
  signingAlgorithm:
    'Of access tokens: `ES256`, `EdDSA`, `RS256`, or `HS256` with `jwtSecret`. Default `ES256`, and `HS256` when there is a `jwtSecret`.',
  jwtSecret:
    'A secret that your backends share and verify access tokens with (HS256), at least 32 bytes as hex, base64, base64url or text.',
  jwtSecretPrevious: 'Tokens signed with this secret are accepted as well, while it changes.',
  signingKeyRotationSeconds: 'How long a signing key signs. Default 30 days.',
  noSignIn: 'Everyone on this machine gets in with one click. Loopback only. Default false.',
  letAnyoneIn:
    'With `noSignIn`: everyone who finds the address gets in, also through a proxy. Default false.',
  localSignIn: 'Accounts with e-mail and password. Default: when there is no identity provider.',
  dynamicRegistration: 'Whether clients may register themselves. Default true.',
  reuseRegistrations:
    'A public client that registers the same again, but for a loopback port, gets the same id. Default false.',
  'client.id':
    'One client of yours, in short: its id. The names with * count where there is no identity provider. Default `chatgpt`.',
  'client.secret': 'Its secret; kept as a hash. At least 16 characters are wise.',
  'client.name':
    'What people see on the consent page. Default `ChatGPT` when no redirect URIs are given.',
  'client.redirectUris': 'Where its codes may go. Default: the redirect URI of ChatGPT.',
  'client.scopes': 'The scopes it may have. Default all.',
  'client.tokenEndpointAuthMethod':
    '`client_secret_post`, `client_secret_basic`, or `none` for a public client. Default `client_secret_post`.',
  'client.pkce':
    '`optional`: for a client with a secret that sends no PKCE, such as a GPT action. Default `required`.',
  clients:
    'Clients of yours, each with `id`, `redirectUris` and the other members of `client`; see [configuration](../guides/configuration.md#clients).',
  clientMetadataDocuments:
    'Whether the URL of a metadata document is a client id: `true`, `false`, or `{ hosts: [claude.ai, …] }`; see [client metadata documents](../guides/client-metadata-documents.md). Default true where clients may register themselves.',
  'registration.mode':
    'How clients come to an id: `dynamic`, `static`, `management` or `verify`; see the guide. Default `dynamic`.',
  'registration.static.clientId':
    'Mode `static`: the id of the public client that everyone who registers gets.',
  'registration.verify.issuer':
    'Mode `verify`: the issuer whose access tokens the gate lets in, exactly as they name it.',
  'registration.verify.audience':
    'Their audience, for the only backend. Default: the public URL of each backend.',
  'registration.verify.algorithms':
    'Signature algorithms accepted, asymmetric ones only. Default: all of them.',
  'registration.verify.requiredScopes': 'Scopes that every token must have. Default none.',
  'registration.auth0.domain':
    'Mode `management`: the tenant, such as `example.eu.auth0.com`; not a custom domain.',
  'registration.auth0.clientId':
    'The machine-to-machine application that calls the Management API.',
  'registration.auth0.clientSecret': 'Its secret.',
  acceptNewProvider:
    'Start although an identity provider has another issuer or API than before; the ids of its people then mean whoever has them there. Default false.',
  acceptNewIssuer:
    'Start although the data belongs to another public URL; every client must connect again. Default false.',
  gateBodyLimitBytes: 'Largest request body passed on to an MCP server. Default 4 MiB.',
  'github.allowedLogins':
    'GitHub logins that may enter. Without any allow rule everyone with a GitHub account may.',
  'github.allowedEmails': 'Verified e-mail addresses that may enter.',
  'github.allowedDomains': 'Domains of verified e-mail addresses that may enter, exactly these.',
  'github.allow.organizations': 'Members of these GitHub organisations may enter.',
  'github.allow.teams': 'Members of these GitHub teams may, as `organisation/team`.',
  'github.endpoints.web': 'Base URL of GitHub’s pages, for Enterprise Server or an emulator.',
  'github.endpoints.api': 'Base URL of GitHub’s API, likewise.',
  'google.hostedDomain': 'Only accounts of this Google Workspace domain; Google offers no others.',
  'google.issuer': 'Default `https://accounts.google.com`; another one is for emulators.',
  'auth0.domain': 'Domain of the Auth0 tenant, such as `example.eu.auth0.com`.',
  'auth0.issuer': 'In place of the domain: the issuer, for emulators.',
  'auth0.audience': 'Identifier of the API that the access token is for, when it is forwarded.',
  'okta.issuer':
    'Issuer of the authorization server, such as `https://example.okta.com/oauth2/default`.',
  'entra.tenant':
    'Id of the Microsoft Entra tenant; or `organizations`, `consumers` or `common` for accounts of many.',
  'entra.allow.tenants': 'Ids of the tenants whose people may enter.',
  'oidc.label': 'What the sign-in button calls the provider. Default: its host.',
  'oidc.issuer': 'Issuer of an OpenID provider, exactly as its discovery document says.',
  'oidc.audience': 'Identifier of the API that the access token is for, when it is forwarded.',
  providers:
    'A list of identity providers, each with a `type`: see [providers](../guides/providers.md).',
  'allow.emails':
    'Verified e-mail addresses that may enter, at every provider that has no `allow` of its own.',
  'allow.domains': 'Domains of verified e-mail addresses, likewise.',
  'deny.emails': 'E-mail addresses that may never enter, whatever the provider.',
  'deny.domains': 'Domains of e-mail addresses, likewise.',
  callbackUrl:
    'Our callback as it is registered at the only provider, when that is another path than `/callback/<id>`.',
  invitedOnly:
    'Only people who were invited (`gatehouse users invite`) or are known already. Default false.',
  linkByVerifiedEmail:
    'A verified e-mail address makes accounts at several providers one user. Default false: whoever controls the address at one of them is that user.',
  contact: 'Whom a person who may not enter should ask: an address, a name, a link.',
  reverifySeconds:
    'When a client refreshes its tokens and the provider vouched longer ago than this, it is asked again. Default never.',
  lifetime:
    '`upstream`: no access token of ours lives longer than the provider’s. Default: as in `lifetimes`.',
  'sessions.perUser': 'Browsers a user may be signed in in; the oldest session ends. Default 5.',
  'developmentCookies.secure':
    'For development at `http://localhost` only: whether cookies are `Secure`. Default false there, and always true on https.',
  'developmentCookies.sameSite': 'Likewise: `lax`, `strict` or `none`. Default `lax`.',
  'log.level': '`debug`, `info`, `warn` or `error`. Default `info`.',
  'log.format': '`json` or `text`. Default `json`; `text` on a terminal.',
  'metrics.port': 'A port of its own for `GET /metrics`, without the admin token.',
  'metrics.host': 'Address of that port. Default `127.0.0.1`.',
  tokenEncryptionKey:
    'The master key, at least 32 bytes as base64, base64url, hex or text. Default: made in the data folder.',
  tokenEncryptionKeyPrevious: 'The master key until now, given once to change it.',
  debug: 'Show the stack of unexpected failures of a command. Default false.',
}

/** What the short forms of all providers have. */
const providerSentences: Readonly<Record<string, string>> = {
  clientId: 'Client ID of Gatehouse at the provider.',
  clientSecret: 'Its client secret.',
  callbackPath: 'Path of our callback. Default `/callback/<type>`.',
  'allow.emails': 'Verified e-mail addresses that may enter.',
  'allow.domains': 'Domains of verified e-mail addresses that may enter, exactly these.',
}

/** Where one endpoint is. */
function toPathSentence(name: string): string {
  const path = Object.entries(resolveEndpointPaths()).find(([known]) => known === name)?.[1]
  return `Path of \`${name}\`. Default \`${String(path)}\`, below the base path.`
}

/** What a setting is, in a sentence or two. */
export function findSentence(path: string): string | undefined {
  const [block = '', ...rest] = path.split('.')
  const isProvider = providerTypes.some((type) => type === block)
  if (block === 'paths' && sentences[path] === undefined) return toPathSentence(rest.join('.'))
  return sentences[path] ?? (isProvider ? providerSentences[rest.join('.')] : undefined)
}

function renderRow(setting: Setting, names: readonly string[]): string {
  const path = setting.path.join('.')
  const sentence = findSentence(path)
  if (sentence === undefined)
    throw new Error(`scripts/docs/settings.ts has no sentence for ${path}`)
  const environment = names.map((name) => `\`${name}\`${setting.secret ? ' (`_FILE`)' : ''}`)
  for (const name of setting.fallbacks) environment.push(`\`${name}\` *`)
  return `| \`${path}\` | ${sentence} | ${environment.join('<br>')} |`
}

/** `docs/reference/settings.md`. */
export function renderSettings(): string {
  const names = new Map<Setting, string[]>()
  for (const [name, setting] of settingsByName) {
    names.set(setting, [...(names.get(setting) ?? []), name])
  }
  return `# Settings

Made from \`src/operate/config/settings.ts\` by \`npm run docs\`. A configuration file (YAML or JSON, given with
\`--config\`) has them under these names; the environment overrides the file, and flags override both. Unknown
names are refused. A name with * only fills in what is left open of a provider that was chosen otherwise, and is read
with \`MCP_\` before it as well when it begins with \`OAUTH_\`. A secret can be \`{ env: NAME }\` or \`{ file: PATH }\` in the file, and \`NAME_FILE\` in the
environment.

| setting | what it is | environment |
|---|---|---|
${[...names].map(([setting, given]) => renderRow(setting, given)).join('\n')}
`
}
