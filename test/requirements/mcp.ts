/**
 * What the MCP specification asks of an authorization server, a resource server, and a gateway before other transports.
 * D: revision 2026-07-28. T: its transports. K: where revisions or documents differ, and what makes all of them work.
 */
import type { Requirement } from '../requirements.ts'

const revision = '2026-07-28'

/** Requirements of the MCP specification. */
export const mcp = {
  D2: {
    source: 'MCP authorization, Client ID Metadata Documents',
    revision,
    behavior: 'a client may identify itself by a metadata document',
  },
  D3: {
    source: 'MCP authorization, Dynamic Client Registration',
    revision,
    behavior: 'dynamic client registration is offered',
  },
  D4: {
    source: 'MCP authorization, Overview',
    revision,
    behavior: 'authorization server metadata of RFC 8414 is served',
  },
  D6: {
    source: 'MCP authorization, Authorization Server Metadata Discovery',
    revision,
    behavior: 'the issuer in the metadata is byte-identical to the one clients started from',
  },
  D7: {
    source: 'MCP authorization, Authorization Code Protection',
    revision,
    behavior: 'the metadata names S256 and nothing else as code challenge method',
  },
  D8: {
    source: 'MCP authorization, Authorization Response Validation (RFC 9207)',
    revision,
    behavior: 'every authorization response carries iss, errors included',
  },
  D9: {
    source: 'MCP authorization, Authorization Response Validation (RFC 9207)',
    revision,
    behavior: 'the metadata says that authorization responses carry iss',
  },
  D10: {
    source: 'MCP authorization, Client ID Metadata Documents',
    revision,
    behavior: 'the metadata document of a URL-formed client id is fetched and checked',
  },
  D19: {
    source: 'MCP authorization, Token Theft',
    revision,
    behavior: 'access tokens are short-lived',
  },
  D20: {
    source: 'MCP authorization, Token Theft',
    revision,
    behavior: 'refresh tokens of public clients rotate',
  },
  D21: {
    source: 'MCP authorization, Refresh Tokens',
    revision,
    behavior: 'offline_access stands in the scopes of the authorization server',
  },
  D22: {
    source: 'MCP authorization, Communication Security',
    revision,
    behavior: 'endpoints are https, and redirect URIs are https or loopback',
  },
  D23: {
    source: 'MCP authorization, Open Redirection',
    revision,
    behavior: 'a redirect URI that was not registered exactly so is refused without a redirect',
  },
  D24: {
    source: 'MCP authorization, Open Redirection (OAuth 2.1 §7.12.2)',
    revision,
    behavior: 'no request alone sends a browser to a client that nobody vouched for',
  },
  D25: {
    source: 'MCP authorization, Open Redirection',
    revision,
    behavior: 'where the redirect target is not trusted, the person decides',
  },
  D28: {
    source: 'MCP authorization, Localhost Redirect URI Risks',
    revision,
    behavior: 'the consent page shows the host of the redirect URI and warns about loopback',
  },
  D31: {
    source: 'MCP authorization, Error Handling',
    revision,
    behavior: 'a malformed authorization request is answered with 400',
  },
  D40: {
    source: 'MCP authorization, Authorization Server Location (RFC 9728)',
    revision,
    behavior: 'the protected resource metadata names its authorization server',
  },
  D41: {
    source: 'MCP authorization, Protected Resource Metadata Discovery',
    revision,
    behavior: '401 names the resource metadata, which is also at its well-known path',
  },
  D42: {
    source: 'MCP authorization, Scope Selection Strategy',
    revision,
    behavior: 'the challenge of a 401 names the scopes to ask for',
  },
  D46: {
    source: 'MCP authorization, Token Handling (RFC 8707 §2)',
    revision,
    behavior: 'signature, expiry and audience of every token are checked, else 401',
  },
  D47: {
    source: 'MCP authorization, Token Handling',
    revision,
    behavior: 'tokens of other issuers and for other resources are refused',
  },
  D48: {
    source: 'MCP authorization, Refresh Tokens',
    revision,
    behavior: 'offline_access is in no challenge and in no protected resource metadata',
  },
  D49: {
    source: 'MCP authorization, Error Handling',
    revision,
    behavior: 'no or bad token is 401, malformed is 400',
  },
  D50: {
    source: 'MCP authorization, Runtime Insufficient Scope Errors',
    revision,
    behavior: 'a missing scope is 403 insufficient_scope with the scopes of the operation',
  },
  D54: {
    source: 'MCP authorization, Step-Up Authorization Flow',
    revision,
    behavior: 'scope hierarchies count when scopes are compared',
  },
  D57: {
    source: 'MCP authorization, Access Token Privilege Restriction',
    revision,
    behavior: 'nothing reaches the backend before the token was validated',
  },
  D58: {
    source: 'MCP authorization, Access Token Privilege Restriction',
    revision,
    behavior: "the client's token never reaches the backend",
  },
  D59: {
    source: 'MCP authorization, Confused Deputy Problem',
    revision,
    behavior: 'each client needs its own consent before the browser goes to the upstream',
  },
  D70: {
    source: 'MCP authorization, Protected Resource Metadata Discovery',
    revision,
    behavior: 'a client finds the metadata by the header of a 401 and by the well-known paths',
  },
  D71: {
    source: 'MCP authorization, Authorization Server Metadata Discovery',
    revision,
    behavior: 'every document that a client probes is consistent JSON or a clean 404',
  },
  D76: {
    source: 'MCP authorization, Authorization Response Validation (RFC 9207)',
    revision,
    behavior: 'a client that compares iss byte by byte is content, also on errors',
  },
  K1: {
    source: 'MCP 2025-03-26 authorization, Authorization Base URL',
    revision: '2025-03-26',
    behavior:
      'a client that looks at the origin only finds metadata, /authorize, /token, /register',
  },
  K4: {
    source: 'MCP authorization, Canonical Server URI',
    revision,
    behavior: 'case, default port and a lone trailing slash of resource do not matter',
  },
  K5: {
    source: 'MCP 2025-03-26 authorization (no resource parameter yet)',
    revision: '2025-03-26',
    behavior: 'a missing resource means the only backend, and no token is without audience',
  },
  K8: {
    source: 'OAuth 2.1 §8.4.2 beside MCP authorization, Open Redirection',
    revision,
    behavior: 'the port of a loopback redirect URI may differ from the registered one',
  },
  K11: {
    source: 'OAuth 2.1 §10.2',
    revision,
    behavior: 'redirect_uri may be absent at /token, and must agree when it is there',
  },
  K12: {
    source: 'OAuth 2.1 §5.3.2',
    revision,
    behavior: 'a challenge for a request without token has no error code',
  },
  T3: {
    source: 'MCP streamable-http, Sending Messages',
    revision,
    behavior: 'without a session a body is one request, never a batch or a response',
  },
  T8: {
    source: 'MCP streamable-http and stdio, Cancellation',
    revision,
    behavior: 'a request whose client leaves is cancelled at a server over stdio',
  },
  T9: {
    source: 'MCP streamable-http, Protocol Version Header',
    revision,
    behavior: 'before a server over stdio the revision in header and body must be the same',
  },
  T10: {
    source: 'MCP streamable-http, Protocol Version Header',
    revision,
    behavior:
      'a revision that a server over stdio does not have is refused, and those it has are named',
  },
  T11: {
    source: 'MCP streamable-http, Protocol Version Header',
    revision,
    behavior: 'a method that a server over stdio does not have is 404',
  },
  T14: {
    source: 'MCP streamable-http, Server Validation',
    revision,
    behavior: 'before a server over stdio header fields must repeat the body',
  },
  T19: {
    source: 'MCP basic, _meta',
    revision,
    behavior: 'before a server over stdio a request must have a whole envelope',
  },
  T22: {
    source: 'MCP basic, Subscriptions',
    revision,
    behavior: 'subscriptions at a server over stdio each bring their own',
  },
  T28: {
    source: 'MCP versioning, Backward Compatibility',
    revision,
    behavior: 'clients of both eras are sent to initialize where a server knows sessions only',
  },
  T43: {
    source: 'MCP streamable-http, Protocol Version Header',
    revision: '2025-11-25',
    behavior: 'in a session of a bridge an unknown revision is refused',
  },
} as const satisfies Record<string, Requirement>
