/** What a broken server is, and the few ways to break one. */
import type { Asked, Reply } from './healthy.ts'
import type { Alter, World } from './world.ts'

/** One thing broken, and what the doctor has to say of it. */
export interface Broken extends World {
  /** What is broken; title of the test. */
  readonly name: string
  /** Ids of all its findings: the right cause first, and nothing that is false. */
  readonly finds: readonly [string, ...string[]]
  /** Ids of clients that do not get past it. */
  readonly stops?: readonly string[]
  /** Ids of clients that connect nevertheless. */
  readonly spares?: readonly string[]
  /** What the users of these clients see. */
  readonly words?: Readonly<Record<string, string | RegExp>>
  /** What its finding must name: an address, a header, a setting. */
  readonly says?: RegExp
}

/** The two documents and the endpoints of the healthy server. */
export const paths = {
  mcp: '/mcp',
  resource: '/.well-known/oauth-protected-resource/mcp',
  server: '/.well-known/oauth-authorization-server',
  openid: '/.well-known/openid-configuration',
  register: '/register',
  authorize: '/authorize',
} as const

type Change = (healthy: Reply, asked: Asked) => Reply

/** Changes what one path answers; OPTIONS stays as it is. */
export function at(path: string, change: Change): Alter {
  return (healthy) => (asked) => {
    const reply = healthy(asked)
    const isMeant = asked.url.pathname === path && asked.method !== 'OPTIONS'
    return isMeant ? change(reply, asked) : reply
  }
}

/** Answers everything below one prefix, OPTIONS included. */
export function below(prefix: string, change: Change): Alter {
  return (healthy) => (asked) =>
    asked.url.pathname.startsWith(prefix) ? change(healthy(asked), asked) : healthy(asked)
}

/** Sets members of the JSON at a path; undefined takes one away. */
export function withMembers(path: string, members: Readonly<Record<string, unknown>>): Alter {
  return at(path, (reply) => ({ ...reply, body: { ...toMembers(reply), ...members } }))
}

/** Sets headers at a path. */
export function withHeaders(path: string, headers: Readonly<Record<string, string>>): Alter {
  return at(path, (reply) => ({ ...reply, headers: { ...reply.headers, ...headers } }))
}

/** Several changes, one after the other. */
export function all(...alters: readonly Alter[]): Alter {
  return (healthy) => alters.reduce((answer, alter) => alter(answer), healthy)
}

function toMembers({ body }: Reply): Readonly<Record<string, unknown>> {
  return typeof body === 'object' ? body : {}
}

/** A redirect. */
export function redirect(location: string, status = 302): Reply {
  return { status, headers: { location } }
}

/** The 401 of the healthy server with another challenge; without one when it is empty. */
export function challenge(header: string): Alter {
  return at(paths.mcp, (reply) => {
    const { 'www-authenticate': _, ...headers } = reply.headers ?? {}
    return {
      ...reply,
      headers: header === '' ? headers : { ...headers, 'www-authenticate': header },
    }
  })
}
