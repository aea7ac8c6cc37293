/** The page of settings, from `src/operate/config/settings.ts` and a sentence for each. */
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
  backends:
    'The MCP servers to protect, each with `to`, `path`, `name`, `identity` (`none`, `headers`, `assertion`) and `headers`.',
  siteName: 'What people see on the pages. Default: the only server’s name, else the host.',
  scopes: 'Scopes and the sentence that a person reads for each. Default one scope, `mcp`.',
  defaultScopes: 'Scopes granted when a client asks for none that exists. Default all.',
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
  signingAlgorithm: 'Of access tokens: `ES256`, `EdDSA` or `RS256`. Default `ES256`.',
  signingKeyRotationSeconds: 'How long a signing key signs. Default 30 days.',
  noSignIn: 'Everyone on this machine gets in with one click. Loopback only. Default false.',
  letAnyoneIn:
    'With `noSignIn`: everyone who finds the address gets in, also through a proxy. Default false.',
  localSignIn: 'Accounts with e-mail and password. Default: when there is no identity provider.',
  dynamicRegistration: 'Whether clients may register themselves. Default true.',
  reuseRegistrations:
    'A public client that registers exactly the same again gets the same id. Default false.',
  acceptNewIssuer:
    'Start although the data belongs to another public URL; every client must connect again. Default false.',
  gateBodyLimitBytes: 'Largest request body passed on to an MCP server. Default 4 MiB.',
  'github.clientId': 'Sign in with GitHub: client ID of the OAuth App.',
  'github.clientSecret': 'Its client secret.',
  'github.allowedLogins':
    'GitHub logins that may enter. Without any allow-list everyone with a GitHub account may.',
  'github.allowedEmails': 'Verified e-mail addresses that may enter.',
  'github.allowedDomains': 'Domains of verified e-mail addresses that may enter, exactly these.',
  'github.endpoints.web': 'Base URL of GitHub’s pages, for Enterprise Server or an emulator.',
  'github.endpoints.api': 'Base URL of GitHub’s API, likewise.',
  'log.level': '`debug`, `info`, `warn` or `error`. Default `info`.',
  'log.format': '`json` or `text`. Default `json`; `text` on a terminal.',
  'metrics.port': 'A port of its own for `GET /metrics`, without the admin token.',
  'metrics.host': 'Address of that port. Default `127.0.0.1`.',
  tokenEncryptionKey:
    'The master key, at least 32 bytes as base64, base64url, hex or text. Default: made in the data folder.',
  tokenEncryptionKeyPrevious: 'The master key until now, given once to change it.',
  debug: 'Show the stack of unexpected failures of a command. Default false.',
}

function renderRow(setting: Setting, names: readonly string[]): string {
  const path = setting.path.join('.')
  const sentence = sentences[path]
  if (sentence === undefined)
    throw new Error(`scripts/docs/settings.ts has no sentence for ${path}`)
  const environment = names.map((name) => `\`${name}\`${setting.secret ? ' (`_FILE`)' : ''}`)
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
names are refused. A secret can be \`{ env: NAME }\` or \`{ file: PATH }\` in the file, and \`NAME_FILE\` in the
environment.

| setting | what it is | environment |
|---|---|---|
${[...names].map(([setting, given]) => renderRow(setting, given)).join('\n')}
`
}
