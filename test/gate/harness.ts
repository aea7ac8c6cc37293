/** A gate over real HTTP on loopback, with real stores and tokens, in front of a backend that remembers. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import type { Backend, Config, Context } from '../../src/context.ts'
import { OAuthError } from '../../src/errors.ts'
import { createGates } from '../../src/gate/gate.ts'
import { renderRefusal } from '../../src/gate/refusal.ts'
import { createCustody } from '../../src/identity/custody.ts'
import { createSessions } from '../../src/identity/sessions.ts'
import { createUsers } from '../../src/identity/users.ts'
import { resolveEndpointPaths } from '../../src/oauth/endpoint-paths.ts'
import { createLimits } from '../../src/operate/limits.ts'
import { createMetrics } from '../../src/operate/metrics.ts'
import { createBackendAgent } from '../../src/platform/backend-agent.ts'
import { systemRandom } from '../../src/platform/crypto.ts'
import { createNodeExchange, findSockets } from '../../src/platform/node-exchange.ts'
import { listen } from '../../src/platform/node-server.ts'
import type { AuditEvent, LogFields } from '../../src/platform/ports.ts'
import { createPrograms } from '../../src/platform/programs.ts'
import { createWebExchange } from '../../src/platform/web-exchange.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import { createAccessTokens } from '../../src/tokens/access-token.ts'
import { createKeyRing } from '../../src/tokens/keys.ts'
import { createRevocations } from '../../src/tokens/revocations.ts'

/** A request as the backend saw it. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A backend on loopback. */
export interface RecordingBackend {
  readonly origin: string
  readonly seen: SeenRequest[]
  close(): Promise<void>
}

export async function startBackend(handler?: RequestListener): Promise<RecordingBackend> {
  const seen: SeenRequest[] = []
  const server = createServer((incoming, outgoing) => {
    if (handler) handler(incoming, outgoing)
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('error', () => {})
    incoming.on('end', () => {
      const { method = '', url = '', rawHeaders, headers } = incoming
      seen.push({ method, url, rawHeaders, headers, body: Buffer.concat(chunks).toString() })
      if (handler) return
      outgoing.writeHead(200, { 'Content-Type': 'application/json' })
      outgoing.end(Buffer.concat(chunks).length > 0 ? Buffer.concat(chunks) : '{"ok":true}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    origin: `http://127.0.0.1:${port}`,
    seen,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

export interface GateOptions {
  /** Absent for a backend that is a program. */
  readonly to?: string
  readonly issuer?: string
  readonly backend?: Partial<Backend>
  readonly config?: Partial<Config>
  readonly context?: Partial<Context>
  readonly exchange?: 'node' | 'web'
}

export interface GateUnderTest {
  readonly url: string
  readonly mcp: string
  readonly port: number
  readonly backend: Backend
  readonly context: Context
  readonly audits: AuditEvent[]
  readonly logs: { message: string; fields: LogFields | undefined }[]
  /** Moves the gate's clock. */
  advance(seconds: number): void
  /** A good token; `overrides` make it a foreign one. */
  mint(
    overrides?: Partial<{
      sub: string
      aud: string
      client_id: string
      gid: string
      scope: string
    }>,
  ): Promise<string>
  close(): Promise<void>
}

export async function startGate(options: GateOptions): Promise<GateUnderTest> {
  const issuer = options.issuer ?? 'https://gate.example'
  const backend: Backend = {
    id: 'mcp',
    name: 'Notes',
    path: '/mcp',
    resource: `${issuer}/mcp`,
    ...(options.to !== undefined && { to: new URL(options.to) }),
    identity: 'none',
    headers: {},
    ...options.backend,
  }
  let offset = 0
  const clock = { now: () => 1_800_000_000 + offset }
  const audits: AuditEvent[] = []
  const logs: { message: string; fields: LogFields | undefined }[] = []
  const context = { ...(await createContext(issuer, backend, clock)), ...options.context }
  const note = (message: string, fields?: LogFields) => void logs.push({ message, fields })
  const full: Context = {
    ...context,
    config: { ...context.config, ...options.config },
    audit: (event) => void audits.push(event),
    log: { debug: note, info: note, warn: note, error: note },
  }
  const agent = createBackendAgent()
  const gates = new Map(createGates(backend).map((gate) => [gate.path, gate.endpoint]))
  const server = await listen(
    async (request, env) => {
      const sockets = options.exchange === 'web' ? undefined : findSockets(env)
      const exchange = sockets
        ? createNodeExchange(sockets, { random: systemRandom, openAgent: async () => agent })
        : createWebExchange(request, { random: systemRandom, fetch })
      try {
        const path = new URL(request.url).pathname
        // A path of nobody's goes to a gate too, which must refuse it.
        const endpoint = gates.get(path) ?? gates.get(backend.path)
        if (!endpoint) throw new Error('The backend has no gate')
        const outcome = await endpoint(request, { ...full, exchange })
        return outcome instanceof Response ? outcome : exchange.respond(outcome)
      } catch (error) {
        if (error instanceof OAuthError) return exchange.respond(renderRefusal(error))
        throw error
      }
    },
    { host: '127.0.0.1', port: 0 },
  )
  return {
    url: server.url,
    mcp: `${server.url}/mcp`,
    port: server.port,
    backend,
    context: full,
    audits,
    logs,
    advance: (seconds) => {
      offset += seconds
    },
    mint: (overrides = {}) =>
      full.accessTokens.mint(
        {
          sub: 'user-1',
          aud: backend.resource,
          client_id: 'mcp_client',
          scope: 'read write',
          gid: 'grant-1',
          ...overrides,
        },
        3600,
      ),
    close: async () => {
      await server.close(0)
      await agent.destroy()
      await full.programs.close()
      full.revocations.close()
      await full.store.close()
    },
  }
}

async function createContext(
  issuer: string,
  backend: Backend,
  clock: { now: () => number },
): Promise<Omit<Context, 'audit' | 'log'>> {
  const random = systemRandom
  const store = memoryStore({ clock })
  const sealer = await createSealer({ store, masterKey: new Uint8Array(32).fill(7), clock })
  const keys = await createKeyRing({ store, sealer, clock })
  const users = createUsers({ store, sealer, clock, random, accessTokenSeconds: 3600 })
  const revocations = createRevocations({ store })
  await revocations.ready
  const lifetimes = {
    codeSeconds: 60,
    accessTokenSeconds: 3600,
    refreshIdleSeconds: 2_592_000,
    refreshAbsoluteSeconds: 31_536_000,
    flowSeconds: 600,
    sessionSeconds: 86_400,
  }
  const config: Config = {
    issuer,
    paths: resolveEndpointPaths(),
    backends: [backend],
    scopes: { read: 'Read', write: 'Write' },
    defaultScopes: ['read', 'write'],
    signingAlgorithm: 'ES256',
    lifetimes,
    refresh: { graceSeconds: 120, lostResponseSeconds: 86_400, onReuse: 'revoke' },
    oauthEnabled: true,
    noSignIn: false,
    letAnyoneIn: false,
    dynamicRegistration: true,
    reuseRegistrations: false,
    registration: { mode: 'dynamic' },
    siteName: 'Notes',
    sessionsPerUser: 5,
    lifetimeFollowsUpstream: false,
    gateBodyLimitBytes: 4 * 1024 * 1024,
  }
  const upstreams = new Map()
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const keeping = { store, sealer, clock, random, log, revocations, accessTokenSeconds: 3600 }
  return {
    config,
    store,
    sealer,
    keys,
    accessTokens: createAccessTokens({ issuer, keys, clock, random }),
    revocations,
    users,
    sessions: createSessions({ store, users, clock, random, sessionSeconds: 86_400 }),
    upstreams,
    custody: createCustody({
      ...keeping,
      rules: config,
      audit: () => {},
      upstreams,
      localSignIn: true,
    }),
    applications: undefined,
    documents: {
      read: async () => ({ problem: 'connection' }),
      verifyBudget: async () => {},
      dismiss: () => {},
    },
    programs: createPrograms({ PATH: process.env.PATH ?? '' }),
    localSignIn: true,
    isReady: async () => true,
    clock,
    random,
    fetch,
    limits: createLimits(),
    metrics: createMetrics(),
  }
}

/** Sends bytes as they are and returns what comes back until the other side closes. */
export function sendRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.setTimeout(5000, () => socket.destroy())
  })
}

/** One JSON-RPC message as a POST. */
export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}
