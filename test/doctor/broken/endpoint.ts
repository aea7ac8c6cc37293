/** Servers whose MCP endpoint says something other than 401 with a challenge. */
import { all, at, type Broken, below, challenge, paths } from './broken.ts'
import { origin, page, type Reply, resourceMetadata } from './healthy.ts'

const initialized: Reply = {
  status: 200,
  body: { jsonrpc: '2.0', id: 1, result: { protocolVersion: '2025-11-25' } },
}
const stream = (body: string): Reply => ({
  status: 200,
  headers: { 'content-type': 'text/event-stream' },
  body,
})
const refused = (status: number): Reply => ({ status, body: { error: 'refused' } })
const metadataAt = (url: string) => `Bearer resource_metadata="${url}"`

export const answering: readonly Broken[] = [
  {
    name: 'metadata, and an MCP endpoint that lets everybody in',
    alter: at(paths.mcp, () => initialized),
    finds: ['open-with-metadata'],
  },
  {
    name: 'an MCP endpoint that wants a token for tools alone, as lazy authentication has it',
    alter: at(paths.mcp, (reply, { body }) => (/"initialize"/.test(body) ? initialized : reply)),
    finds: ['open-with-metadata'],
    spares: ['chatgpt', 'claude'],
  },
  {
    name: 'no OAuth at all',
    alter: () => (asked) =>
      asked.url.pathname === paths.mcp ? initialized : page('Not found', 404),
    finds: ['open-to-everybody'],
  },
  {
    name: 'a URL without the path',
    url: `${origin}/`,
    alter: at('/', () => page('Welcome')),
    finds: ['not-an-mcp-endpoint'],
    stops: ['chatgpt', 'codex'],
  },
  {
    name: 'a path where nothing is',
    url: `${origin}/mpc`,
    finds: ['mcp-path-not-found'],
    stops: ['chatgpt', 'claude', 'codex'],
    words: { claude: "Couldn't reach the MCP server" },
  },
  {
    name: 'a path where nothing is, at a server that says which is right and refuses the wrong one',
    url: `${origin}/mpc`,
    alter: all(
      at('/.well-known/oauth-protected-resource', () => ({ status: 200, body: resourceMetadata })),
      at(paths.authorize, () => page('That is not behind this address', 400)),
    ),
    finds: ['mcp-path-not-found'],
    stops: ['chatgpt', 'claude', 'codex'],
    says: /Give clients https:\/\/mcp\.example\.com\/mcp /,
  },
  {
    name: 'a path that takes no POST and is of no MCP server',
    alter: () => (asked) => (asked.method === 'GET' ? page('Welcome') : refused(405)),
    finds: ['post-not-allowed'],
    stops: ['chatgpt', 'claude', 'claude-code', 'codex', 'vscode'],
  },
  {
    name: 'an old server of HTTP+SSE, with tokens',
    alter: at(paths.mcp, (reply, { method }) => (method === 'POST' ? refused(405) : reply)),
    finds: ['http-sse-only'],
    stops: ['codex', 'goose', 'zed', 'copilot-studio'],
    spares: ['chatgpt', 'claude', 'vscode', 'cursor', 'gemini-cli', 'mcp-remote'],
    says: /ChatGPT.+Visual Studio Code/,
  },
  {
    name: 'an old server of HTTP+SSE without tokens, and nothing at its path for POST',
    url: `${origin}/sse`,
    alter: () => (asked) =>
      asked.url.pathname === '/sse' && asked.method === 'GET'
        ? stream('event: endpoint\ndata: /messages?sessionId=1\n\n')
        : page('Not found', 404),
    finds: ['http-sse-only', 'open-to-everybody'],
    stops: ['codex', 'goose'],
    spares: ['chatgpt', 'claude', 'vscode', 'python-sdk'],
  },
  {
    name: 'a stream without an answer, and no OAuth',
    alter: () => (asked) =>
      asked.url.pathname === paths.mcp ? stream(': hello\n\n') : page('Not found', 404),
    finds: ['stream-without-answer', 'open-to-everybody'],
    stops: ['chatgpt', 'claude', 'codex', 'vscode'],
  },
  {
    name: '406 before the token is looked at',
    alter: at(paths.mcp, () => refused(406)),
    finds: ['refused-before-authorization'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: '400 for a session that is missing',
    alter: at(paths.mcp, () => refused(400)),
    finds: ['refused-before-authorization'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: '403 in place of 401',
    alter: at(paths.mcp, () => refused(403)),
    finds: ['forbidden-in-place-of-401'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'a firewall that answers 403 to everybody, everywhere',
    alter: below('/', () => refused(403)),
    finds: ['forbidden-in-place-of-401'],
    stops: ['chatgpt', 'claude', 'vscode'],
  },
  {
    name: 'no OAuth, and a website at every other path',
    alter: () => (asked) => (asked.url.pathname === paths.mcp ? initialized : page('Welcome')),
    finds: ['open-to-everybody'],
  },
  {
    name: 'a website at every path, this one included',
    alter: below('/', () => page('Welcome')),
    finds: ['not-an-mcp-endpoint'],
    stops: ['chatgpt', 'codex'],
  },
  {
    name: 'a proxy that does not reach the server',
    alter: below('/', () => page('Bad Gateway', 502)),
    finds: ['mcp-endpoint-fails'],
    stops: ['chatgpt', 'claude', 'codex'],
  },
  {
    name: 'GET that answers 200',
    alter: at(paths.mcp, (reply, { method }) =>
      method === 'GET' || method === 'HEAD' ? page('This is an MCP server') : reply,
    ),
    finds: ['get-lets-everybody-in'],
    stops: ['codex'],
    spares: ['chatgpt', 'claude'],
  },
  {
    name: 'GET that answers 405',
    alter: at(paths.mcp, (reply, { method }) => (method === 'GET' ? refused(405) : reply)),
    finds: ['get-without-challenge'],
    spares: ['chatgpt', 'codex'],
  },
  {
    name: 'HEAD that answers 404',
    alter: at(paths.mcp, (reply, { method }) => (method === 'HEAD' ? refused(404) : reply)),
    finds: ['head-without-challenge'],
    spares: ['gemini-cli'],
  },
  {
    name: 'server/discover judged before the token',
    alter: at(paths.mcp, (reply, { headers }) =>
      headers['mcp-method'] === 'server/discover' ? refused(400) : reply,
    ),
    finds: ['discover-without-challenge'],
    spares: ['chatgpt', 'claude-code'],
  },
  {
    name: '401 without WWW-Authenticate',
    alter: challenge(''),
    finds: ['challenge-missing'],
    says: /resource_metadata="https:\/\/mcp\.example\.com\/\.well-known\/oauth-protected-resource\/mcp"/,
  },
  {
    name: 'a password in front (Basic)',
    alter: challenge('Basic realm="staging"'),
    finds: ['challenge-not-bearer'],
  },
  {
    name: 'a challenge without resource_metadata',
    alter: challenge('Bearer realm="mcp"'),
    finds: ['challenge-without-metadata'],
  },
  {
    name: 'a challenge with a relative address',
    alter: challenge(metadataAt(paths.resource)),
    finds: ['challenge-metadata-relative'],
  },
  {
    name: 'a challenge that names http',
    alter: challenge(metadataAt(`http://mcp.example.com${paths.resource}`)),
    finds: ['challenge-metadata-http'],
  },
  {
    name: 'a challenge that names another origin',
    alter: challenge(metadataAt(`https://auth.example.com${paths.resource}`)),
    finds: ['challenge-metadata-elsewhere'],
  },
]
