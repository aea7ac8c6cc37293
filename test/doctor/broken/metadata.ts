/** Servers whose two documents of discovery are missing, wrong or somewhere else. */
import {
  all,
  at,
  type Broken,
  below,
  challenge,
  paths,
  redirect,
  withHeaders,
  withMembers,
} from './broken.ts'
import { origin, page, type Reply, resourceMetadata, serverMetadata } from './healthy.ts'

const notFound = () => page('Not found', 404)
const text = (body: string): Reply => ({
  status: 200,
  headers: { 'content-type': 'application/json', 'access-control-allow-origin': '*' },
  body,
})

export const withResourceMetadata: readonly Broken[] = [
  {
    name: 'no protected-resource metadata',
    alter: at(paths.resource, notFound),
    finds: ['resource-metadata-missing'],
    stops: ['chatgpt', 'claude'],
    words: { chatgpt: /does not implement OAuth|Something went wrong/ },
  },
  {
    name: 'a single-page app that answers every path',
    alter: (healthy) => (asked) => {
      const reply = healthy(asked)
      return reply.status === 404 || asked.url.pathname === paths.resource ? page('My app') : reply
    },
    finds: ['resource-metadata-html'],
    stops: ['chatgpt', 'claude', 'claude-code', 'codex'],
  },
  {
    name: 'protected-resource metadata that is cut off',
    alter: at(paths.resource, () => text('{"resource": "https://mcp.exa')),
    finds: ['resource-metadata-not-json'],
    stops: ['chatgpt', 'claude-code', 'codex'],
  },
  {
    name: 'protected-resource metadata sent as text/plain',
    alter: withHeaders(paths.resource, { 'content-type': 'text/plain' }),
    finds: ['metadata-content-type'],
    spares: ['chatgpt', 'claude'],
  },
  {
    name: 'protected-resource metadata behind a redirect',
    alter: at(paths.resource, () => redirect(`${paths.resource}/`, 301)),
    finds: ['resource-metadata-redirects'],
    stops: ['chatgpt'],
  },
  {
    name: 'protected-resource metadata that fails',
    alter: at(paths.resource, () => page('Internal Server Error', 500)),
    finds: ['resource-metadata-fails'],
    stops: ['chatgpt'],
  },
  {
    name: 'protected-resource metadata that wants a token',
    alter: below('/.well-known/oauth-protected-resource', () => ({ status: 401 })),
    finds: ['resource-metadata-protected'],
    stops: ['chatgpt'],
  },
  {
    name: 'protected-resource metadata on a host that is down',
    alter: challenge('Bearer resource_metadata="https://gone.example.net/metadata"'),
    finds: ['resource-metadata-unreachable', 'challenge-metadata-elsewhere'],
    stops: ['chatgpt'],
  },
  {
    name: 'protected-resource metadata without authorization_servers',
    alter: withMembers(paths.resource, { authorization_servers: undefined }),
    finds: ['authorization-servers-missing'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'two authorization servers',
    alter: withMembers(paths.resource, {
      authorization_servers: [origin, 'https://login.example.com'],
    }),
    finds: ['several-authorization-servers'],
    spares: ['chatgpt', 'claude'],
  },
  {
    name: 'two authorization servers, of which the first is down',
    alter: withMembers(paths.resource, {
      authorization_servers: ['https://gone.example.net', origin],
    }),
    finds: ['server-metadata-unreachable', 'several-authorization-servers'],
    stops: ['claude', 'claude-code', 'vscode'],
    spares: ['chatgpt', 'codex', 'goose'],
  },
  {
    name: 'no resource',
    alter: withMembers(paths.resource, { resource: undefined }),
    finds: ['resource-missing'],
    stops: ['claude', 'claude-code', 'vscode'],
  },
  {
    name: 'a resource on another host',
    alter: withMembers(paths.resource, { resource: 'https://api.example.com/mcp' }),
    finds: ['resource-other-host'],
    stops: ['claude', 'claude-code', 'vscode', 'codex'],
    words: { 'claude-code': /does not match expected/, vscode: /does not match target server url/ },
  },
  {
    name: 'a resource with http',
    alter: withMembers(paths.resource, { resource: 'http://mcp.example.com/mcp' }),
    finds: ['resource-http'],
    stops: ['claude', 'claude-code', 'vscode'],
  },
  {
    name: 'a resource with a slash at the end',
    alter: withMembers(paths.resource, { resource: `${origin}/mcp/` }),
    finds: ['resource-trailing-slash'],
    stops: ['vscode', 'claude'],
    spares: ['claude-code', 'codex'],
    says: /Set "resource" to "https:\/\/mcp\.example\.com\/mcp"/,
  },
  {
    name: 'a resource at another path',
    alter: withMembers(paths.resource, { resource: `${origin}/other` }),
    finds: ['resource-other-path'],
    stops: ['vscode', 'claude-code'],
  },
  {
    name: 'the bare origin as resource',
    alter: withMembers(paths.resource, { resource: origin }),
    finds: ['resource-other-path'],
    stops: ['vscode'],
    spares: ['claude-code', 'codex'],
  },
  {
    name: 'localhost behind a tunnel',
    alter: below('/', (reply, { url }) =>
      url.pathname === paths.mcp || url.pathname.startsWith('/.well-known/')
        ? (JSON.parse(JSON.stringify(reply).replaceAll(origin, 'http://localhost:3000')) as Reply)
        : reply,
    ),
    finds: ['wrong-public-url'],
    stops: ['chatgpt', 'claude', 'claude-code', 'vscode'],
    says: /resource: http:\/\/localhost:3000\/mcp/,
  },
  {
    name: 'the internal host of a container as issuer',
    alter: withMembers(paths.resource, { authorization_servers: ['http://backend:8080'] }),
    finds: ['wrong-public-url'],
    stops: ['chatgpt', 'claude'],
    says: /authorization_servers: http:\/\/backend:8080/,
  },
]

const { issuer, ...withoutIssuer } = serverMetadata
const underTenant = `${origin}/tenant`
const atTenant = withMembers(paths.resource, { authorization_servers: [underTenant] })

const withoutDocuments = all(below('/.well-known/', notFound), challenge('Bearer'))
const guessing = ['claude-code', 'vscode', 'codex', 'mcp-remote', 'inspector', 'python-sdk']
const withoutGuess = ['chatgpt', 'claude', 'gemini-cli', 'zed', 'cursor']

export const withServerMetadata: readonly Broken[] = [
  {
    name: 'no metadata at all, and the endpoints where MCP 2025-03-26 had them',
    alter: withoutDocuments,
    finds: ['metadata-missing', 'challenge-without-metadata'],
    stops: withoutGuess,
    spares: guessing,
    says: /POST https:\/\/mcp\.example\.com\/register answered 201.+Serve https:\/\/mcp\.example\.com\/\.well-known\/oauth-authorization-server/,
    words: { chatgpt: /does not implement OAuth|Something went wrong/ },
  },
  {
    name: 'no metadata at all, and a registration that fails where clients guess',
    alter: all(
      withoutDocuments,
      at(paths.register, () => ({ status: 400, body: { error: 'invalid_redirect_uri' } })),
    ),
    finds: ['metadata-missing', 'registration-refuses-redirect', 'challenge-without-metadata'],
    stops: [...withoutGuess, ...guessing],
  },
  {
    name: 'no metadata at all, and nothing where clients guess',
    alter: all(withoutDocuments, at(paths.register, notFound)),
    finds: ['metadata-missing', 'challenge-without-metadata'],
    stops: [...withoutGuess, ...guessing],
    says: /POST https:\/\/mcp\.example\.com\/register answered 404/,
  },
  {
    name: 'no metadata at all, and a page for people where clients guess',
    alter: all(
      withoutDocuments,
      at(paths.register, () => page('Sign up')),
    ),
    finds: ['metadata-missing', 'challenge-without-metadata'],
    stops: [...withoutGuess, ...guessing],
  },
  {
    name: 'a proxy that takes a part of the path away, and leaves the documents out',
    url: `${origin}/api/mcp`,
    alter: (healthy) => (asked) =>
      asked.url.pathname.startsWith('/api/')
        ? healthy({ ...asked, url: new URL(asked.url.pathname.slice(4), origin) })
        : notFound(),
    finds: ['metadata-missing'],
    stops: [...withoutGuess, ...guessing],
    says: /takes \/api away.+oauth-protected-resource\/api\/mcp/,
  },
  {
    name: 'a gateway that wants a token for everything, documents and registration included',
    alter: (healthy) => (asked) =>
      asked.url.pathname === paths.mcp
        ? healthy(asked)
        : { status: 401, body: { message: 'Unauthorized' } },
    finds: ['resource-metadata-protected'],
    stops: [...withoutGuess, ...guessing],
    says: /well-known/,
  },
  {
    name: 'a challenge that names metadata which is not there',
    alter: all(
      below('/.well-known/', notFound),
      at(paths.register, notFound),
      challenge(`Bearer resource_metadata="${origin}/oauth/resource.json"`),
    ),
    finds: ['metadata-missing'],
    stops: [...withoutGuess, ...guessing],
    says: /The challenge names https:\/\/mcp\.example\.com\/oauth\/resource\.json/,
  },
  {
    name: 'no authorization-server metadata, and the endpoints where clients guess',
    alter: at(paths.server, notFound),
    finds: ['server-metadata-missing'],
    stops: withoutGuess,
    spares: guessing,
  },
  {
    name: 'an authorization server that is named, without metadata and without endpoints to guess',
    alter: all(at(paths.server, notFound), at(paths.register, notFound)),
    finds: ['server-metadata-missing'],
    stops: [...withoutGuess, ...guessing],
  },
  {
    name: 'an issuer with a path, and metadata at the root only',
    alter: atTenant,
    finds: ['server-metadata-missing'],
    stops: ['chatgpt'],
    says: /Serve it at https:\/\/mcp\.example\.com\/\.well-known\/oauth-authorization-server\/tenant/,
  },
  {
    name: 'an issuer with a path, and metadata before the path alone',
    alter: all(
      atTenant,
      at(`${paths.server}/tenant`, () => ({
        status: 200,
        headers: { 'access-control-allow-origin': '*' },
        body: { ...serverMetadata, issuer: underTenant },
      })),
    ),
    finds: ['server-metadata-elsewhere'],
    stops: ['gemini-app'],
    spares: ['chatgpt', 'claude', 'claude-code', 'codex', 'n8n'],
    says: /same document at https:\/\/mcp\.example\.com\/tenant\/\.well-known\/oauth-authorization-server/,
  },
  {
    name: 'a web page in place of the authorization-server metadata',
    alter: at(paths.server, () => page('My app')),
    finds: ['server-metadata-html'],
    stops: ['chatgpt', 'claude-code', 'codex'],
  },
  {
    name: 'authorization-server metadata that is no JSON',
    alter: at(paths.server, () => text('issuer: https://mcp.example.com')),
    finds: ['server-metadata-not-json'],
    stops: ['chatgpt', 'claude-code'],
  },
  {
    name: 'authorization-server metadata behind a redirect',
    alter: at(paths.server, () => redirect('https://login.example.com/metadata')),
    finds: ['server-metadata-redirects'],
    stops: ['chatgpt'],
  },
  {
    name: 'authorization-server metadata that fails',
    alter: at(paths.server, () => page('Internal Server Error', 500)),
    finds: ['server-metadata-fails'],
    stops: ['chatgpt'],
  },
  {
    name: 'authorization-server metadata that wants a token',
    alter: at(paths.server, () => ({ status: 403 })),
    finds: ['server-metadata-protected'],
    stops: ['chatgpt'],
  },
  {
    name: 'an authorization server that is down',
    alter: withMembers(paths.resource, { authorization_servers: ['https://gone.example.net'] }),
    finds: ['server-metadata-unreachable'],
    stops: ['chatgpt', 'claude-code', 'vscode', 'codex'],
  },
  {
    name: 'a web page at the OpenID document, which nobody needs',
    alter: at(paths.openid, () => page('My app')),
    finds: ['optional-document-broken'],
    spares: ['chatgpt', 'claude-code', 'codex'],
  },
  {
    name: 'an error at the OpenID document, which nobody needs',
    alter: at(paths.openid, () => page('Internal Server Error', 500)),
    finds: ['optional-document-broken'],
    spares: ['chatgpt', 'claude-code'],
  },
  {
    name: 'no issuer',
    alter: at(paths.server, (reply) => ({ ...reply, body: withoutIssuer })),
    finds: ['issuer-missing'],
    stops: ['chatgpt', 'claude-code', 'codex'],
  },
  {
    name: 'an issuer with a slash at the end',
    alter: withMembers(paths.server, { issuer: `${issuer}/` }),
    finds: ['issuer-trailing-slash'],
    stops: ['claude-code', 'chatgpt'],
    spares: ['codex'],
    words: { 'claude-code': /Issuer mismatch/ },
  },
  {
    name: 'a link to the issuer with a slash at the end',
    alter: withMembers(paths.resource, { authorization_servers: [`${issuer}/`] }),
    finds: ['issuer-trailing-slash'],
    stops: ['chatgpt'],
    spares: ['claude-code', 'codex'],
  },
  {
    name: 'the issuer of the provider behind it',
    alter: withMembers(paths.server, {
      issuer: 'https://example.eu.auth0.com/',
      authorization_response_iss_parameter_supported: undefined,
    }),
    finds: ['issuer-mismatch', 'iss-unadvertised'],
    stops: ['claude-code', 'chatgpt'],
  },
  {
    name: 'no token endpoint',
    alter: withMembers(paths.server, { token_endpoint: undefined }),
    finds: ['endpoints-missing'],
    stops: ['chatgpt', 'claude', 'claude-code'],
  },
  {
    name: 'endpoints with http',
    alter: withMembers(paths.server, {
      authorization_endpoint: 'http://mcp.example.com/authorize',
      token_endpoint: 'http://mcp.example.com/token',
      registration_endpoint: 'http://mcp.example.com/register',
      authorization_response_iss_parameter_supported: undefined,
    }),
    finds: ['endpoints-http', 'iss-unadvertised'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'endpoints on localhost',
    alter: withMembers(paths.server, {
      authorization_endpoint: 'http://localhost:9000/authorize',
      registration_endpoint: 'http://localhost:9000/register',
      jwks_uri: 'http://localhost:9000/jwks',
      authorization_response_iss_parameter_supported: undefined,
    }),
    finds: ['wrong-public-url', 'iss-unadvertised'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'the authorization endpoint on another origin, without iss',
    alter: withMembers(paths.server, {
      authorization_endpoint: 'https://login.example.com/authorize',
      authorization_response_iss_parameter_supported: undefined,
    }),
    finds: ['authorization-endpoint-elsewhere', 'iss-unadvertised'],
    stops: ['codex'],
    spares: ['chatgpt', 'claude'],
    words: { codex: /origin does not match/ },
  },
  {
    name: 'PKCE that is not mentioned',
    alter: withMembers(paths.server, { code_challenge_methods_supported: undefined }),
    finds: ['s256-unlisted'],
    stops: ['chatgpt'],
    spares: ['claude-code', 'codex'],
  },
  {
    name: 'PKCE with plain only',
    alter: withMembers(paths.server, { code_challenge_methods_supported: ['plain'] }),
    finds: ['s256-left-out'],
    stops: ['chatgpt', 'claude-code', 'codex'],
  },
  {
    name: 'no response types',
    alter: withMembers(paths.server, { response_types_supported: undefined }),
    finds: ['response-types-without-code'],
    stops: ['claude-code'],
  },
  {
    name: 'response types without code',
    alter: withMembers(paths.server, { response_types_supported: ['token'] }),
    finds: ['response-types-without-code'],
    stops: ['claude-code'],
  },
  {
    name: 'members that are null',
    alter: withMembers(paths.server, { service_documentation: null }),
    finds: ['metadata-null-members'],
    stops: ['claude-code'],
    words: { 'claude-code': /expected string, received null/ },
    says: /null in service_documentation/,
  },
  {
    name: 'a list that is a text',
    alter: withMembers(paths.server, { scopes_supported: 'mcp' }),
    finds: ['metadata-member-types'],
    stops: ['claude-code', 'mcp-remote'],
    spares: ['chatgpt'],
    words: { 'claude-code': /expected array, received string/ },
    says: /"scopes_supported": "mcp"/,
  },
  {
    name: 'an empty address',
    alter: withMembers(paths.server, { revocation_endpoint: '' }),
    finds: ['metadata-member-types'],
    stops: ['claude-code'],
  },
  {
    name: 'an OpenID document that is not one, and no other',
    alter: all(
      at(paths.server, () => page('Not found', 404)),
      at(paths.openid, () => ({
        status: 200,
        headers: { 'access-control-allow-origin': '*' },
        body: serverMetadata,
      })),
    ),
    finds: ['openid-document-incomplete'],
    stops: ['claude-code', 'inspector'],
    spares: ['chatgpt', 'codex', 'vscode', 'n8n'],
    words: { 'claude-code': /received undefined/ },
  },
  {
    name: 'iss that is not promised',
    alter: withMembers(paths.server, { authorization_response_iss_parameter_supported: undefined }),
    finds: ['iss-unadvertised'],
  },
  {
    name: 'metadata that may be cached for a month',
    alter: all(
      withHeaders(paths.server, { 'cache-control': 'public, max-age=2592000' }),
      at(paths.resource, (reply) => ({ ...reply, body: resourceMetadata })),
    ),
    finds: ['metadata-cached-long'],
  },
  {
    name: 'metadata that holds until 2099 by its Expires',
    alter: withHeaders(paths.server, { expires: 'Thu, 01 Jan 2099 00:00:00 GMT' }),
    finds: ['metadata-cached-long'],
    says: /Expires: Thu, 01 Jan 2099/,
  },
]
