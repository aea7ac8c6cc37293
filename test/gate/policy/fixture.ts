/** A gate with a policy in front of a recording backend, and tokens with the scopes of a test. */
import type { Policy } from '../../../src/oauth/policy.ts'
import {
  bearer,
  type GateOptions,
  type GateUnderTest,
  post,
  type RecordingBackend,
  startBackend,
  startGate,
} from '../harness.ts'

/** The deployment of requirement A6. */
export const scopes = {
  read: 'See what is there',
  write: 'Change things',
  payment: 'Pay bills',
  account: 'Manage the account',
}

/** account includes payment and write, write includes read. */
export const scopeHierarchy = { account: ['payment', 'write'], write: ['read'] }

/** What a test does with a guarded backend. */
export interface Guarded {
  readonly gate: GateUnderTest
  readonly backend: RecordingBackend
  /** Sends a body, as it is when it is a text, with a token of these scopes. */
  send(scope: string, body: unknown, headers?: Record<string, string>): Promise<Answered>
  close(): Promise<void>
}

/** An answer, read. */
export interface Answered {
  readonly status: number
  readonly challenge: string | null
  readonly text: string
  readonly json: unknown
}

export async function startGuarded(
  policy: Policy | undefined,
  options: Partial<GateOptions> & { handler?: Parameters<typeof startBackend>[0] } = {},
): Promise<Guarded> {
  const { handler, ...rest } = options
  const backend = await startBackend(handler)
  const gate = await startGate({
    to: `${backend.origin}/inner`,
    ...rest,
    backend: { ...(policy && { policy }), ...rest.backend },
    config: { scopes, defaultScopes: ['read'], scopeHierarchy, ...rest.config },
  })
  return {
    gate,
    backend,
    send: async (scope, body, headers = {}) => {
      const token = await gate.mint({ scope })
      const request = post(body, { ...bearer(token), ...headers })
      const raw = typeof body === 'string' || body instanceof Uint8Array ? { body } : {}
      const answer = await fetch(gate.mcp, { ...request, ...(raw as RequestInit) })
      const text = await answer.text()
      return {
        status: answer.status,
        challenge: answer.headers.get('www-authenticate'),
        text,
        json: parseLoosely(text),
      }
    },
    close: async () => {
      await gate.close()
      await backend.close()
    },
  }
}

function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A call of a tool. */
export function call(name: string, id: unknown = 1): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {} } }
}

/** Any other request. */
export function ask(method: string, params?: object, id: unknown = 1): object {
  return { jsonrpc: '2.0', id, method, ...(params && { params }) }
}

/** The parameters of a challenge. */
export function readChallenge(challenge: string | null): Record<string, string> {
  const found = challenge?.matchAll(/([a-z_]+)="([^"]*)"/g) ?? []
  return Object.fromEntries([...found].map(([, name = '', value = '']) => [name, value]))
}
