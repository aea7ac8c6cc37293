/**
 * What the engines do that many clients share, so that it is written once. From their sources: typescript-sdk
 * `3924de9` (2.x) and `2d889f2` (1.x), python-sdk `57394b0`, rust-sdk `4a738b9` (rmcp 3.1), read 2026-10.
 */
import type { Discovery, Engine, Requirement } from './profile.ts'

/** Looks everywhere that MCP names, in that order, at the first authorization server. */
export const specifiedDiscovery: Discovery = {
  firstRequest: 'POST',
  resourceMetadata: ['challenge', 'path', 'root'],
  serverMetadata: ['oauth', 'openid', 'openid-appended'],
  triesEachServer: false,
}

/** What no client that registers does without; profiles add what theirs insists on besides. */
export const alwaysRequired: readonly Requirement[] = [
  'valid-certificate',
  'no-challenge-page',
  'way-to-a-client-id',
  'registration-succeeds',
  'authorization-page',
  'resource-accepted',
  'token-answer-json',
  'fresh-token-accepted',
]

/** The TypeScript SDK, 1.x: no issuer comparison, no `iss`, no metadata documents of its own. Speaks HTTP+SSE, too. */
export const typescriptSdk1: Engine = {
  engine: 'typescript-sdk-1',
  revisions: ['2025-11-25', '2025-06-18', '2025-03-26'],
  discovery: { ...specifiedDiscovery, defaultEndpoints: 'named-server' },
  authorization: {
    resource: 'metadata',
    scope: ['challenge', 'resource-metadata'],
    addsOfflineAccess: false,
    stepUp: 'challenge',
  },
  tokens: {
    authenticates: ['client_secret_basic', 'client_secret_post', 'none'],
    refreshesSecondsBefore: 0,
    refreshesInParallel: true,
  },
  requires: [
    ...alwaysRequired,
    'unauthorized-401',
    'metadata-is-json',
    'resource-covers-url',
    'issuer-present',
    'response-type-code',
    's256-if-listed',
    'no-null-members',
    'member-types',
    'openid-complete',
    'registration-echoes-redirects',
    'registration-without-null',
    'token-for-public-client',
    'refresh-in-parallel',
  ],
  failures: {
    of: {
      'resource-covers-url': 'Protected resource … does not match expected … (or origin)',
      'no-null-members': 'expected string, received null',
      'member-types': 'Invalid input: expected array, received string',
      'openid-complete': 'Invalid input: expected string, received undefined',
      'way-to-a-client-id':
        'Incompatible auth server: does not support dynamic client registration',
      'registration-without-null': 'expected string, received null',
      'token-answer-json': 'Invalid OAuth error response: … Raw body: …',
      'fresh-token-accepted': 'Server returned 401 after successful authentication',
    },
  },
}

/** The TypeScript SDK, 2.x: compares issuers byte by byte and checks `iss`. */
export const typescriptSdk2: Engine = {
  ...typescriptSdk1,
  engine: 'typescript-sdk-2',
  revisions: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26'],
  discovery: { ...typescriptSdk1.discovery, allowsIssuerSlash: 'in-link' },
  authorization: {
    ...typescriptSdk1.authorization,
    addsOfflineAccess: true,
    promptsForOffline: true,
  },
  requires: [...typescriptSdk1.requires, 'issuer-equals-link', 'iss-if-advertised'],
  failures: {
    of: {
      ...typescriptSdk1.failures.of,
      'issuer-equals-link':
        'Issuer mismatch in authorization server metadata (RFC 8414 §3.3): expected …, received …',
    },
  },
}

/** The Python SDK. Its 1.x knows `none` and `client_secret_post` only. Speaks HTTP+SSE, too. */
export const pythonSdk: Engine = {
  engine: 'python-sdk',
  revisions: ['2025-11-25', '2025-06-18', '2025-03-26'],
  discovery: { ...specifiedDiscovery, defaultEndpoints: 'mcp-server' },
  authorization: {
    resource: 'metadata',
    scope: ['challenge', 'resource-metadata', 'server-metadata'],
    addsOfflineAccess: true,
    promptsForOffline: true,
    stepUp: 'challenge',
  },
  tokens: {
    authenticates: ['none', 'client_secret_post', 'client_secret_basic'],
    encodesBasic: true,
    refreshesSecondsBefore: 0,
    refreshesInParallel: true,
  },
  requires: [
    ...alwaysRequired,
    'unauthorized-401',
    'resource-covers-url',
    'issuer-equals-link',
    'iss-if-advertised',
    'token-for-public-client',
    'expires-in-integer',
  ],
  failures: {},
}

/** The Rust SDK. Asks by GET first, names scopes when it refreshes, and has left HTTP+SSE behind. */
export const rmcp: Engine = {
  engine: 'rmcp',
  revisions: ['2025-06-18'],
  discovery: {
    ...specifiedDiscovery,
    firstRequest: 'GET',
    triesEachServer: true,
    allowsIssuerSlash: 'in-either',
    defaultEndpoints: 'mcp-server',
  },
  authorization: {
    resource: 'metadata',
    scope: ['challenge', 'resource-metadata', 'server-metadata'],
    addsOfflineAccess: true,
    stepUp: 'challenge',
  },
  tokens: {
    authenticates: ['none', 'client_secret_basic', 'client_secret_post'],
    encodesBasic: true,
    timeoutSeconds: 30,
    refreshesSecondsBefore: 30,
    refreshesInParallel: true,
    refreshesWithScope: true,
  },
  requires: [
    ...alwaysRequired,
    'streamable-http',
    'unauthorized-401-on-get',
    'metadata-is-json',
    'resource-covers-url',
    'issuer-present',
    'issuer-equals-link',
    's256-if-listed',
    'registration-echoes-redirects',
    'iss-if-advertised',
    'token-for-public-client',
  ],
  failures: {},
}

/** What MCP 2025-11-25 asks of every client: for those whose code and requests nobody has published. */
export const specification: Engine = {
  engine: 'specification',
  revisions: ['2025-11-25'],
  discovery: specifiedDiscovery,
  authorization: {
    resource: 'metadata',
    scope: ['challenge', 'resource-metadata'],
    addsOfflineAccess: false,
  },
  tokens: {
    authenticates: ['none', 'client_secret_post', 'client_secret_basic'],
    refreshesSecondsBefore: 0,
    refreshesInParallel: true,
  },
  requires: [
    ...alwaysRequired,
    'streamable-http',
    'unauthorized-401',
    'resource-metadata',
    'metadata-is-json',
    'server-metadata',
    's256-listed',
  ],
  failures: {},
}
