/**
 * What the owners of five real deployments need (H, A, N, R, S: one letter each), and what no system
 * has today (X).
 *
 * H: a parliament-search server behind an OAuth proxy to GitHub. A: a telecom server with its own
 * in-memory authorization server. N: a workspace server over SSE with a shared client secret. R: a
 * remote connector in front of Auth0. S: a Fastify server with sign-in through GitHub.
 */
import type { Requirement } from '../requirements.ts'

const parliament = 'Deployment: parliament search behind GitHub'
const telecom = 'Deployment: telecom server with its own authorization server'
const workspace = 'Deployment: workspace server over SSE'
const connector = 'Deployment: remote connector in front of Auth0'
const studio = 'Deployment: Fastify studio with GitHub'
const own = 'Gatehouse'

/** Requirements that come from people rather than from a specification. */
export const deployments = {
  H1: {
    source: parliament,
    behavior: 'anyone may register a client with a name and redirect URIs, and no restart loses it',
  },
  H2: {
    source: parliament,
    behavior: 'discovery, /authorize, /token and /register are at the origin',
  },
  H3: {
    source: parliament,
    behavior: 'people sign in through GitHub, whose token never leaves the server',
  },
  H4: {
    source: parliament,
    behavior:
      'the person approves client, redirect URI and scopes before the upstream is contacted',
  },
  H5: {
    source: parliament,
    behavior: 'stored secrets are sealed, access tokens are signed JWTs, PKCE S256 is required',
  },
  H6: {
    source: parliament,
    behavior: 'an owner can register a fixed client by hand and use its id and secret',
  },
  H7: {
    source: parliament,
    behavior: 'an owner can list clients, and the log has a line for each registration',
  },
  H8: {
    source: parliament,
    behavior: 'an unknown client gets a page that says what to do, and invalid_client at /token',
  },
  H9: {
    source: parliament,
    behavior: 'many instances share everything through PostgreSQL or Redis',
  },
  H10: {
    source: parliament,
    behavior: 'the lifetime of tokens can follow the upstream',
  },
  A1: {
    source: telecom,
    behavior: 'the OAUTH_ environment variables of that deployment configure Gatehouse',
  },
  A2: {
    source: telecom,
    behavior: 'tokens can be revoked at an advertised endpoint, and scopes are advertised',
  },
  A3: {
    source: telecom,
    behavior: 'the consent page says each scope in a sentence that is configuration',
  },
  A4: {
    source: telecom,
    behavior: 'GET /oauth/stats tells the owner live counts',
  },
  A5: {
    source: telecom,
    behavior: 'lifetimes are configurable, refresh rotates, expired things go by themselves',
  },
  A6: {
    source: telecom,
    behavior: 'a call without the scope its tool needs gets 403 insufficient_scope',
  },
  A7: {
    source: telecom,
    behavior: 'without sign-in, consent is one click, and only on a loopback issuer',
  },
  A8: {
    source: telecom,
    behavior: 'real users, every store and provider, rate limits, introspection and an audit log',
  },
  A9: {
    source: telecom,
    behavior: 'a programmatic API has the same operations',
  },
  A10: {
    source: telecom,
    behavior: 'public URLs come from configuration alone, answers are no-store, CORS is right',
  },
  N1: {
    source: workspace,
    behavior: 'a pre-registered client can have a secret that the owner chose',
  },
  N2: {
    source: workspace,
    behavior: 'legacy HTTP+SSE is served beside Streamable HTTP',
  },
  N3: {
    source: workspace,
    behavior: 'endpoints can live under a prefix that the metadata names',
  },
  N4: {
    source: workspace,
    behavior: 'a code works once, and each token error names its cause',
  },
  N5: {
    source: workspace,
    behavior: 'a compose file starts gateway, backend and tunnel',
  },
  R1: {
    source: connector,
    behavior: 'Auth0 and any OpenID provider can be the upstream',
  },
  R2: {
    source: connector,
    behavior: 'registration can be dynamic, static or managed at the upstream',
  },
  R3: {
    source: connector,
    behavior: 'every upstream error becomes a page or an OAuth error that names the cause',
  },
  R4: {
    source: connector,
    behavior:
      'the owner can allow people by login, address, domain, organisation, team, group and role',
  },
  R5: {
    source: connector,
    behavior: 'a token for another resource is refused',
  },
  R6: {
    source: connector,
    behavior: 'clients persist, pending flows expire, registration is limited, flows are audited',
  },
  R7: {
    source: connector,
    behavior: 'gatehouse doctor explains the error patterns of that deployment',
  },
  R8: {
    source: connector,
    behavior: 'in verify mode the upstream issues tokens and Gatehouse only guards',
  },
  S1: {
    source: studio,
    behavior: 'settings are read with both prefixes, and a contradiction stops the start',
  },
  S2: {
    source: studio,
    behavior: 'discovery answers with the resource path as well',
  },
  S3: {
    source: studio,
    behavior: 'a base path carries health, providers and login',
  },
  S4: {
    source: studio,
    behavior: 'a request without PKCE is told that code_challenge with S256 is required',
  },
  S5: {
    source: studio,
    behavior: 'HS256 with a shared secret can sign access tokens',
  },
  S6: {
    source: studio,
    behavior:
      'sessions last a day, at most five a user, who may have to be invited; cookie flags for development',
  },
  S7: {
    source: studio,
    behavior: 'Gatehouse mounts into Fastify, Express, Hono and node:http',
  },
  S8: {
    source: studio,
    behavior: 'the callback of a provider can sit at a configured path',
  },
  S9: {
    source: studio,
    behavior: 'the owner gets the status document of that deployment',
  },
  X1: {
    source: own,
    behavior: 'refresh rotates, retries get the same successor, and reuse ends the family',
  },
  X2: {
    source: own,
    behavior: 'one upstream refresh at a time for each user across all instances',
  },
  X3: {
    source: own,
    behavior:
      'consent is bound to the browser, safe in Chromium, and lets the person choose scopes',
  },
  X4: {
    source: own,
    behavior: 'people see their connected apps, owners a console',
    deferred: { issue: 6, what: 'console and account page: not planned in detail yet' },
  },
  X5: {
    source: own,
    behavior: 'gatehouse doctor says what each client would show, and why',
  },
  X6: {
    source: own,
    behavior: 'revocation ends a grant at once, introspection serves backends in any language',
  },
  X7: {
    source: own,
    behavior: 'one storage contract with atomic commits holds for every driver',
  },
  X8: {
    source: own,
    behavior: 'limits are keyed by what is attacked and answer 429 with Retry-After',
  },
  X9: {
    source: own,
    behavior: 'many backends live behind one issuer, each with its own resource',
  },
  X10: {
    source: own,
    behavior: 'clients of every MCP revision connect',
  },
  X11: {
    source: own,
    behavior: 'it runs as a standalone gateway',
    partly: { issue: 5, what: 'as a server alone, as forward-auth' },
  },
  X12: {
    source: own,
    behavior: 'load numbers beside the others come from one command',
  },
} as const satisfies Record<string, Requirement>
