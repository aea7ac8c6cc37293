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
  'streamable-http': 'it speaks Streamable HTTP, not only the older HTTP+SSE',
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
  'member-types': 'lists in the metadata are JSON arrays, and addresses are URLs',
  'openid-complete': 'an OpenID document that is read has all that OpenID requires',
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

/** What is wrong where a requirement is not met, as a person would find it. */
export const brokenWords: Readonly<Record<Requirement, string>> = {
  'public-address': 'a host in the URL or in the metadata is not on the internet',
  'ipv4-address': 'the host has no IPv4 address',
  'port-443': 'the server is at another port than 443',
  'valid-certificate': 'the certificate is expired, for another name, or without its chain',
  'no-redirect-on-mcp': 'the MCP URL redirects: to another host, to a slash, to a sign-in page',
  'no-challenge-page': 'a proxy, CDN or tunnel puts a page of its own in front',
  'streamable-http': 'the server speaks the older HTTP+SSE only',
  'unauthorized-401': 'a request without a token does not get a 401',
  'unauthorized-401-on-get': 'GET without a token does not get a 401',
  'unauthorized-401-on-head': 'HEAD without a token does not get a 401',
  'challenge-names-metadata': 'the challenge has no `resource_metadata`',
  'resource-metadata': 'there is no protected-resource metadata',
  'resource-equals-url':
    '`resource` is not the URL as typed: another host, another path, a slash at the end',
  'resource-covers-url': '`resource` has another host or path than the URL',
  'metadata-is-json': 'a place for metadata answers with HTML or broken JSON, not with a 404',
  'server-metadata': 'there is no authorization server metadata',
  'issuer-present': 'the authorization server metadata has no `issuer`',
  'issuer-equals-link': '`issuer` is not what `authorization_servers` names, if only by a slash',
  's256-listed': '`code_challenge_methods_supported` does not list `S256`',
  's256-if-listed': '`code_challenge_methods_supported` lists others and not `S256`',
  'response-type-code': '`response_types_supported` does not list `code`',
  'no-null-members': 'a member of the metadata is null (leave it out)',
  'member-types': 'a list in the metadata is a text, or an address is empty',
  'openid-complete':
    'there is only an OpenID document, and it lacks `jwks_uri` or other members that OpenID requires',
  'endpoints-at-issuer': 'an endpoint is at another origin than the issuer',
  'cors-on-metadata': 'the metadata may not be read from other origins (CORS)',
  'way-to-a-client-id': 'the metadata has no registration endpoint and takes no metadata documents',
  'registration-succeeds': 'its registration is refused',
  'registration-echoes-redirects': 'the registration answer does not repeat its redirect URIs',
  'registration-without-null': 'a member of the registration answer is null (leave it out)',
  'registration-keeps-method':
    'the registration answer has another authentication method than it asked for',
  'authorization-page': 'the authorization endpoint shows no page',
  'iss-if-advertised': 'the authorization response lacks the `iss` that the metadata promises',
  'iss-always': 'the authorization response has no `iss`',
  'resource-accepted': 'the parameter `resource` is refused',
  'token-answer-json': 'the token endpoint answers, or refuses, in something else than JSON',
  'token-for-public-client': 'the token endpoint wants a secret from a client that has none',
  'expires-in-integer': '`expires_in` is not an integer',
  'fresh-token-accepted': 'the MCP server refuses a token that it was just given',
  'calls-without-session': 'the MCP server answers no call without a session',
  'refresh-token-given': 'no refresh token comes with the access token',
  'refresh-in-parallel': 'of several refreshes with one token at once, one is refused',
}

/** What is wrong where a client says no more than at which step it gave up. */
export const stepWords: Readonly<Record<Step, string>> = {
  reach:
    'the server is out of reach: its name, address, certificate, or what stands in front of it',
  discover: 'the 401 or the metadata is missing or wrong',
  register: 'its registration is refused or answered wrongly',
  authorize: 'the authorization endpoint refuses its request or does not send the person back',
  token: 'the token endpoint gives no token for the code',
  use: 'the MCP server refuses a token that it was just given',
  refresh: 'the refresh token is refused or gone',
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
