/**
 * Libraries that programs of any name are built with. Whoever builds on one chooses its name and where its
 * codes go, so that neither says anything.
 */
import { pythonSdk, typescriptSdk1, typescriptSdk2 } from '../engines.ts'
import type { Adding, ClientProfile } from '../profile.ts'

const anywhere = { hosts: [], loopback: false } as const

const addingToTransport: Adding = {
  steps: 'In the program, with an OAuth client provider of its own:',
  toCopy: ({ url }) => `new StreamableHTTPClientTransport(new URL('${url}'), { authProvider })`,
}

/** The AI SDK of Vercel: its own copy of the TypeScript SDK's code, which compares issuers. */
export const aiSdk: ClientProfile = {
  ...typescriptSdk1,
  id: 'ai-sdk',
  name: 'AI SDK',
  engine: 'own',
  revisions: typescriptSdk2.revisions,
  runs: 'own-server',
  sources: [{ what: '@ai-sdk/mcp 2.0 dist/index.js', kind: 'source', seen: '2026-11' }],
  adding: {
    steps: 'In the program, with an OAuth client provider of its own:',
    toCopy: ({ url }) =>
      `createMCPClient({ transport: { type: 'http', url: '${url}', authProvider } })`,
  },
  redirects: anywhere,
  identification: {
    order: ['registration'],
    registration: {
      client_name: 'An AI SDK program',
      redirect_uris: ['http://localhost:3000/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  },
  tokens: { ...typescriptSdk1.tokens, authenticates: ['none', 'client_secret_post'] },
  requires: [...typescriptSdk1.requires, 'issuer-equals-link'],
}

/** The Agents SDK of OpenAI. */
export const openaiAgents: ClientProfile = {
  ...typescriptSdk2,
  id: 'openai-agents',
  name: 'OpenAI Agents SDK',
  runs: 'own-server',
  sources: [
    {
      what: '@openai/agents 0.20 over @modelcontextprotocol/client 2',
      kind: 'source',
      seen: '2026-11',
    },
  ],
  adding: {
    steps: 'In the program, with an OAuth client provider of its own:',
    toCopy: ({ url }) => `new MCPServerStreamableHttp({ url: '${url}', authProvider })`,
  },
  redirects: anywhere,
  identification: {
    order: ['registration'],
    registration: {
      client_name: 'An agent',
      redirect_uris: ['http://localhost:8090/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  },
  tokens: { ...typescriptSdk2.tokens, authenticates: ['none', 'client_secret_post'] },
}

/** The TypeScript SDK, 1.x, with a secret: Basic, not percent-encoded. */
export const typescriptSdkClient1: ClientProfile = {
  ...typescriptSdk1,
  id: 'typescript-sdk-1',
  name: 'TypeScript SDK 1.x',
  runs: 'own-server',
  sources: [
    {
      what: 'modelcontextprotocol/typescript-sdk 2d889f2 src/client/auth.ts',
      kind: 'source',
      seen: '2026-10',
    },
  ],
  adding: addingToTransport,
  redirects: anywhere,
  identification: {
    order: ['registration'],
    registration: {
      client_name: 'A TypeScript program',
      redirect_uris: ['http://localhost:3334/oauth/callback'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  },
}

/** The TypeScript SDK, 2.x, with a secret. */
export const typescriptSdkClient2: ClientProfile = {
  ...typescriptSdk2,
  id: 'typescript-sdk-2',
  name: 'TypeScript SDK 2.x',
  runs: 'own-server',
  sources: [
    {
      what: 'modelcontextprotocol/typescript-sdk 3924de9 packages/client/src/client/auth.ts',
      kind: 'source',
      seen: '2026-10',
    },
  ],
  adding: addingToTransport,
  redirects: anywhere,
  identification: {
    order: ['registration'],
    registration: {
      client_name: 'A TypeScript program',
      application_type: 'native',
      redirect_uris: ['http://localhost:3335/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  },
}

/** The Python SDK, and FastMCP's client over it, which registers without an authentication method. */
export const pythonSdkClient: ClientProfile = {
  ...pythonSdk,
  id: 'python-sdk',
  name: 'Python SDK',
  runs: 'own-server',
  sources: [
    { what: 'modelcontextprotocol/python-sdk 57394b0', kind: 'source', seen: '2026-10' },
    {
      what: 'PrefectHQ/fastmcp 13382de src/fastmcp/client/auth/oauth.py',
      kind: 'source',
      seen: '2026-11',
    },
    { what: 'https://gofastmcp.com/clients/auth/oauth', kind: 'vendor', seen: '2026-11' },
  ],
  adding: {
    steps: 'In the program, here with the client of FastMCP:',
    toCopy: ({ url }) => `Client("${url}", auth="oauth")`,
  },
  problems: [
    'FastMCP’s client asks for the sign-in page itself before it opens the browser, and takes 400 for a client that the server has forgotten; then it registers again.',
  ],
  redirects: anywhere,
  identification: {
    order: ['registration'],
    registration: {
      client_name: 'A Python program',
      redirect_uris: ['http://localhost:3030/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    },
  },
  tokens: {
    ...pythonSdk.tokens,
    authenticates: ['client_secret_basic', 'client_secret_post', 'none'],
  },
}
