/** Servers whose authorization endpoint shows no page to sign in on, and what is around it. */
import { all, at, type Broken, paths, redirect, withHeaders, withMembers } from './broken.ts'
import { type Asked, origin, page, type Reply } from './healthy.ts'

/** Sends the browser back to the client. */
function back({ url }: Asked, parameters: Readonly<Record<string, string>>): Reply {
  const to = new URL(url.searchParams.get('redirect_uri') ?? origin)
  for (const [name, value] of Object.entries(parameters)) to.searchParams.set(name, value)
  to.searchParams.set('state', url.searchParams.get('state') ?? '')
  return redirect(to.href)
}

const refusing = (error: string, description: string) =>
  at(paths.authorize, (_, asked) =>
    back(asked, { error, error_description: description, iss: origin }),
  )

/** A broker that sends people on to a provider, which answers with this page. */
function broker(clientId: (asked: Asked) => string, answer: Reply) {
  return all(
    at(paths.authorize, (_, asked) => {
      const to = new URL('https://provider.example.com/authorize?response_type=code')
      to.searchParams.set('client_id', clientId(asked))
      to.searchParams.set('redirect_uri', `${origin}/oauth2/callback`)
      return redirect(to.href)
    }),
    (healthy) => (asked) => (asked.url.host === 'provider.example.com' ? answer : healthy(asked)),
  )
}

export const unauthorized: readonly Broken[] = [
  {
    name: 'an authorization endpoint on a host that is down',
    alter: withMembers(paths.server, {
      authorization_endpoint: 'https://gone.example.net/authorize',
    }),
    finds: ['authorize-unreachable'],
    stops: ['chatgpt', 'claude', 'codex'],
  },
  {
    name: 'an authorization endpoint that is not there',
    alter: at(paths.authorize, () => page('Not found', 404)),
    finds: ['authorize-not-found'],
    stops: ['chatgpt', 'claude', 'codex'],
  },
  {
    name: 'an authorization endpoint that fails',
    alter: at(paths.authorize, () => page('Internal Server Error', 500)),
    finds: ['authorize-fails'],
    stops: ['chatgpt', 'claude', 'codex'],
  },
  {
    name: 'scopes that are advertised and refused',
    alter: refusing('invalid_scope', 'offline_access is not allowed'),
    finds: ['authorize-refuses-scope'],
    stops: ['chatgpt', 'codex'],
    says: /invalid_scope/,
  },
  {
    name: 'the resource parameter refused',
    alter: refusing('invalid_target', 'AADSTS9010010: The resource parameter is not supported'),
    finds: ['authorize-refuses-resource'],
    stops: ['chatgpt', 'claude', 'claude-code'],
  },
  {
    name: 'metadata for another path, whose resource is refused',
    alter: all(
      withMembers(paths.resource, { resource: `${origin}/other` }),
      refusing('invalid_target', 'Unknown resource'),
    ),
    finds: ['resource-other-path'],
    stops: ['claude-code', 'vscode'],
  },
  {
    name: 'loopback ports that are compared',
    alter: at(paths.authorize, (reply, { url }) =>
      /127\.0\.0\.1|localhost/.test(url.searchParams.get('redirect_uri') ?? '')
        ? page('Invalid redirect_uri for OAuth client', 400)
        : reply,
    ),
    finds: ['authorize-refuses-redirect'],
    stops: ['claude-code', 'codex'],
    spares: ['chatgpt', 'claude'],
  },
  {
    name: 'PKCE refused',
    alter: refusing('invalid_request', 'code_challenge_method S256 is not supported'),
    finds: ['authorize-refuses-pkce'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'a refusal without a reason',
    alter: refusing('invalid_request', 'No'),
    finds: ['authorize-refused'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'JSON in place of a page',
    alter: at(paths.authorize, () => ({ status: 200, body: { login_url: '/login' } })),
    finds: ['authorize-not-a-page'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'a code for anybody',
    alter: at(paths.authorize, (_, asked) => back(asked, { code: 'a-code', iss: origin })),
    finds: ['code-without-a-person'],
  },
  {
    name: 'iss promised and not sent',
    alter: at(paths.authorize, (_, asked) => back(asked, { code: 'a-code' })),
    finds: ['iss-missing', 'code-without-a-person'],
    stops: ['claude-code', 'codex', 'gemini-cli'],
  },
  {
    name: 'iss neither promised nor sent',
    alter: all(
      at(paths.authorize, (_, asked) => back(asked, { code: 'a-code' })),
      withMembers(paths.server, { authorization_response_iss_parameter_supported: undefined }),
    ),
    finds: ['iss-missing', 'code-without-a-person'],
    stops: ['gemini-cli'],
    spares: ['claude-code', 'codex'],
  },
  {
    name: 'a broker that gives the provider the id of the MCP client',
    alter: broker(
      ({ url }) => url.searchParams.get('client_id') ?? '',
      page('Unknown client: mcp_0123456789abcdef', 403),
    ),
    finds: ['upstream-gets-our-client-id'],
    stops: ['chatgpt', 'claude'],
    says: /own client id in place of/,
  },
  {
    name: 'a broker whose callback the provider does not allow',
    alter: broker(() => 'static-client', page('Callback URL mismatch', 403)),
    finds: ['upstream-refuses-callback'],
    stops: ['chatgpt', 'claude'],
    words: { chatgpt: /Something went wrong/ },
    says: /Allow exactly https:\/\/mcp\.example\.com\/oauth2\/callback/,
  },
  {
    name: 'a broker whose provider refuses it',
    alter: broker(() => 'static-client', page('Service not found: https://api', 400)),
    finds: ['upstream-refuses'],
    stops: ['chatgpt'],
  },
]

const aTime = 1_900_000_000

export const surrounded: readonly Broken[] = [
  {
    name: 'answers that take seven seconds',
    milliseconds: 7000,
    finds: ['answer-slow'],
    spares: ['claude', 'codex'],
    says: /took 7\.0 seconds; Claude waits 10/,
  },
  {
    name: 'metadata without CORS',
    alter: at(paths.server, (reply) => ({ ...reply, headers: {} })),
    finds: ['cors-missing-on-metadata'],
    stops: ['inspector-1'],
    spares: ['chatgpt', 'claude'],
  },
  {
    name: 'a preflight that wants a token',
    alter: (healthy) => (asked) => (asked.method === 'OPTIONS' ? { status: 401 } : healthy(asked)),
    finds: ['cors-missing-on-mcp'],
    stops: ['inspector-1'],
    spares: ['chatgpt', 'claude'],
  },
  {
    name: 'a preflight that allows the origin and not the token',
    alter: (healthy) => (asked) => {
      const { headers, ...reply } = healthy(asked)
      if (asked.method !== 'OPTIONS') return { ...reply, headers }
      return { ...reply, headers: { ...headers, 'access-control-allow-headers': 'content-type' } }
    },
    finds: ['cors-missing-on-mcp'],
    stops: ['inspector-1'],
    spares: ['chatgpt', 'claude'],
    says: /lacks Authorization, MCP-Protocol-Version/,
  },
  {
    name: 'keys that are not there',
    alter: at('/jwks', () => page('Not found', 404)),
    finds: ['jwks-unreachable'],
  },
  {
    name: 'private keys published',
    alter: at('/jwks', (reply) => ({
      ...reply,
      body: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'secret' }] },
    })),
    finds: ['jwks-private'],
  },
  {
    name: 'a clock that is wrong',
    alter: withHeaders(paths.mcp, { date: new Date(aTime * 1000).toUTCString() }),
    finds: ['clock-skew'],
    says: /seconds ahead of/,
  },
]
