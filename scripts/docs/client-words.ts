/** What clients ask for, in words, for the pages about clients. */
import type { EngineName, Requirement, Step } from '../../src/profiles/profile.ts'

/** Each requirement as the end of a sentence: it must be that … */
export const requirementWords: Readonly<Record<Requirement, string>> = {
  'public-address': 'every host is on the internet',
  'ipv4-address': 'the host has an IPv4 address',
  'port-443': 'the server is at port 443',
  'valid-certificate': 'the certificate is valid, with its whole chain',
  'no-redirect-on-mcp': 'the MCP URL answers itself and redirects nowhere',
  'no-challenge-page': 'no proxy puts a challenge or sign-in page in front',
  'unauthorized-401': 'a request without a token gets a 401',
  'unauthorized-401-on-get': 'GET without a token gets a 401',
  'unauthorized-401-on-head': 'HEAD without a token gets a 401',
  'challenge-names-metadata': 'the challenge names the protected-resource metadata',
  'resource-metadata': 'there is protected-resource metadata',
  'resource-equals-url': '`resource` is the URL as typed',
  'resource-covers-url': '`resource` is the URL, or a path above it at the same origin',
  'metadata-is-json': 'metadata is JSON, or a plain 404',
  'server-metadata': 'there is authorization server metadata',
  'issuer-present': 'the metadata has an `issuer`',
  'issuer-equals-link': '`issuer` is byte for byte what `authorization_servers` names',
  's256-listed': 'the metadata lists the PKCE method `S256`',
  's256-if-listed': '`S256` is among the PKCE methods, where any are listed',
  'response-type-code': 'the metadata lists the response type `code`',
  'no-null-members': 'no member of the metadata is null',
  'endpoints-at-issuer': "the endpoints are at the issuer's origin, or `iss` is advertised",
  'cors-on-metadata': 'the metadata may be read from other origins (CORS)',
  'way-to-a-client-id': 'there is a registration endpoint, or metadata documents are taken',
  'registration-succeeds': 'its registration is accepted',
  'registration-echoes-redirects': 'the registration answer repeats its redirect URIs',
  'registration-without-null': 'no member of the registration answer is null',
  'registration-keeps-method':
    'the registration answer keeps the authentication method it asked for',
  'authorization-page': 'the authorization endpoint shows a page',
  'iss-if-advertised': 'the authorization response has the right `iss`, where that is advertised',
  'iss-always': 'the authorization response has `iss`, advertised or not',
  'resource-accepted': '`resource` is accepted',
  'token-answer-json': 'the token endpoint answers in JSON, its errors too',
  'token-for-public-client': 'a client without a secret gets tokens',
  'expires-in-integer': '`expires_in` is an integer',
  'fresh-token-accepted': 'a fresh token is good at the MCP server',
  'calls-without-session': 'calls work without a session',
  'refresh-token-given': 'a refresh token comes with the access token',
  'refresh-in-parallel': 'several refreshes with one token at once all succeed',
}

/** Each step as a heading in a table. */
export const stepWords: Readonly<Record<Step, string>> = {
  reach: 'the server is out of reach',
  discover: 'discovery fails',
  register: 'registration fails',
  authorize: 'the sign-in fails',
  token: 'the token exchange fails',
  use: 'a fresh token is refused',
  refresh: 'a refresh fails',
}

/** Each engine, for people. */
export const engineWords: Readonly<Record<EngineName, string>> = {
  'typescript-sdk-1': 'the TypeScript SDK, 1.x',
  'typescript-sdk-2': 'the TypeScript SDK, 2.x',
  'python-sdk': 'the Python SDK',
  rmcp: 'rmcp, the Rust SDK',
  own: 'its own',
  specification:
    'not published; what stands here beyond its redirect URIs is what MCP asks of every client',
}
