/** Healthy MCP servers of other makes, on loopback: set up as their own documentation does it. */
import { generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { DemoInMemoryAuthProvider } from '@modelcontextprotocol/sdk/examples/server/demoInMemoryOAuthProvider.js'
import { requireBearerAuth as requireBearerAuth1 } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import {
  createOAuthMetadata,
  mcpAuthMetadataRouter,
  mcpAuthRouter,
} from '@modelcontextprotocol/sdk/server/auth/router.js'
import {
  createMcpHandler,
  getOAuthProtectedResourceMetadataUrl,
  McpServer,
  type OAuthMetadata,
  oauthMetadataResponse,
  requireBearerAuth,
} from '@modelcontextprotocol/server'
import express from 'express'
import { Provider } from 'oidc-provider'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'

/** A running peer. */
export interface Peer {
  /** The MCP URL to give to a client. */
  readonly url: string
  /** Where it registers clients. */
  readonly issuer: string
  close(): Promise<void>
}

/** A server whose handler needs to know the origin it listens at. */
async function serve(
  toHandler: (origin: string) => RequestListener,
): Promise<{ origin: string; close: () => Promise<void> }> {
  let handler: RequestListener | undefined
  const server: Server = createServer((request, response) => handler?.(request, response))
  const origin = await listenOnLoopback(server)
  handler = toHandler(origin)
  return { origin, close: () => closeNow(server) }
}

async function closeAll(...servers: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(servers.map((server) => server.close()))
}

const nobody = {
  verifyAccessToken: () => Promise.reject(new Error('No token was ever issued')),
}

/** SDK 1.32 as in its examples: the demo provider behind `mcpAuthRouter`, the MCP server at another port. */
export async function startSdk1(): Promise<Peer> {
  const provider = new DemoInMemoryAuthProvider()
  const issuer = await serve((origin) =>
    express().use(
      mcpAuthRouter({ provider, issuerUrl: new URL(origin), scopesSupported: ['mcp:tools'] }),
    ),
  )
  const issuerUrl = new URL(issuer.origin)
  const resource = await serve((origin) => {
    const resourceServerUrl = new URL('/mcp', origin)
    const oauthMetadata = createOAuthMetadata({
      provider,
      issuerUrl,
      scopesSupported: ['mcp:tools'],
    })
    return express()
      .use(
        mcpAuthMetadataRouter({ oauthMetadata, resourceServerUrl, scopesSupported: ['mcp:tools'] }),
      )
      .use(
        '/mcp',
        requireBearerAuth1({
          verifier: nobody,
          resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resourceServerUrl),
        }),
      )
  })
  return {
    url: `${resource.origin}/mcp`,
    issuer: issuer.origin,
    close: () => closeAll(issuer, resource),
  }
}

/** `oidc-provider` with open registration, for one resource. */
async function startProvider(): Promise<{ origin: string; close: () => Promise<void> }> {
  return serve((origin) => {
    const provider = new Provider(origin, toConfiguration())
    const callback = provider.callback()
    return (request, response) => {
      if (request.url?.startsWith('/interaction/') !== true) {
        callback(request, response)
        return
      }
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sign in</h1>')
    }
  })
}

function toConfiguration(): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'peer', alg: 'ES256', use: 'sig' }
  return {
    jwks: { keys: [jwk] },
    scopes: ['openid', 'offline_access', 'notes'],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clientBasedCORS: () => true,
    pkce: { required: () => true },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true, issueRegistrationAccessToken: true },
      registrationManagement: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_: unknown, audience: string) => ({
          scope: 'notes',
          audience,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  }
}

/** `oidc-provider`, and a resource server of SDK 1.32 that names it. */
export async function startOidcWithSdk1(): Promise<Peer> {
  const issuer = await startProvider()
  const oauthMetadata = await readMetadata(issuer.origin)
  const resource = await serve((origin) => {
    const resourceServerUrl = new URL('/mcp', origin)
    return express()
      .use(mcpAuthMetadataRouter({ oauthMetadata, resourceServerUrl, scopesSupported: ['notes'] }))
      .use(
        '/mcp',
        requireBearerAuth1({
          verifier: nobody,
          resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resourceServerUrl),
        }),
      )
  })
  return {
    url: `${resource.origin}/mcp`,
    issuer: issuer.origin,
    close: () => closeAll(issuer, resource),
  }
}

/** A server of SDK 2.x that leaves everything of OAuth to an external issuer. */
export async function startSdk2(): Promise<Peer> {
  const issuer = await startProvider()
  const oauthMetadata = await readMetadata(issuer.origin)
  const resource = await serve((origin) => {
    const resourceServerUrl = new URL('/mcp', origin)
    const metadata = {
      oauthMetadata,
      resourceServerUrl,
      scopesSupported: ['notes'],
      dangerouslyAllowInsecureIssuerUrl: true,
    }
    const gate = requireBearerAuth({
      verifier: nobody,
      requiredScopes: ['notes'],
      resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resourceServerUrl),
    })
    const mcp = createMcpHandler(() => new McpServer({ name: 'peer', version: '1' }))
    const handle = toNodeHandler({
      fetch: async (request: Request) => {
        const document = oauthMetadataResponse(request, metadata)
        if (document !== undefined) return document
        const admitted = await gate(request)
        return admitted instanceof Response ? admitted : mcp.fetch(request, { authInfo: admitted })
      },
    })
    return (request, response) => void handle(request, response)
  })
  return {
    url: `${resource.origin}/mcp`,
    issuer: issuer.origin,
    close: () => closeAll(issuer, resource),
  }
}

async function readMetadata(issuer: string): Promise<OAuthMetadata> {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`)
  return (await response.json()) as OAuthMetadata
}
