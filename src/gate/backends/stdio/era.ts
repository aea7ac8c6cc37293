/**
 * Whether a server serves requests without a session (MCP 2026-07-28) or begins with `initialize`. It is a
 * property of the server, so it is asked once and remembered (MCP 2026-07-28 transports/stdio, Backward
 * Compatibility).
 */
import { LRUCache } from 'lru-cache'
import { OAuthError } from '../../../errors.ts'
import { headerMismatchCode, missingCapability, unsupportedRevision } from '../../error-codes.ts'
import { type Message, renderErrorMessage } from '../bridge/messages.ts'
import { sessionMissing } from '../bridge/streamable-client.ts'
import type { Request } from './open-requests.ts'
import { programEnded } from './server.ts'

/** What is known of one backend. */
export interface Era {
  /** Whether it serves requests without a session, so that nobody has to wait for the question. */
  isModern(): boolean
  /**
   * Refuses while the server is known to have sessions.
   *
   * @throws OAuthError with status 400, upon which clients try `initialize`
   */
  verify(userId: string): void
  /**
   * The answer to a request in a revision that the server does not have; undefined when it has, or it is not
   * known. A server of SDK 2 looks at the revision of the first request only.
   */
  refuse(request: Request): string | undefined
  /** Finds out by asking a user's server that was just started, unless it is known; throws as `verify` does. */
  find(userId: string, ask: (question: Request) => Promise<Message>): Promise<void>
}

/** How long a server may take to answer the question, in milliseconds: `npx` installs it first. */
const answerMs = 20_000

/** How long it stays a server with sessions, in milliseconds; less when it only kept silent. */
const refusedMs = 600_000
const silentMs = 60_000

/** Errors by which a server shows that it knows requests without a session, whatever else it lacks. */
const modernErrors: ReadonlySet<number | undefined> = new Set([
  unsupportedRevision,
  missingCapability,
  headerMismatchCode,
])

const question = toQuestion()

const usersRemembered = 10_000

/** Nothing is known yet. */
export function createEra(): Era {
  let isModern = false
  let legacyUntil = 0
  let supported: readonly string[] = []
  /** Until when servers are not asked again that ended when they were, by user: what fails may be theirs alone. */
  const endedUntil = new LRUCache<string, number>({ max: usersRemembered })
  const verify = (userId: string) => {
    if (isModern) return
    const until = Math.max(legacyUntil, endedUntil.get(userId) ?? 0)
    if (performance.now() < until) throw sessionMissing()
  }
  return {
    isModern: () => isModern,
    verify,
    refuse({ id, statelessRevision = '' }) {
      if (supported.length === 0 || supported.includes(statelessRevision)) return undefined
      const message = `Unsupported protocol version: ${statelessRevision}`
      const data = { supported, requested: statelessRevision }
      return renderErrorMessage(id, { code: unsupportedRevision, message, data })
    },
    async find(userId, ask) {
      if (isModern) return
      const answer = await withinTime(ask(question)).catch((error: unknown) => {
        if (!isEnd(error)) throw error
        endedUntil.set(userId, performance.now() + silentMs)
        throw sessionMissing()
      })
      // Another user's server may have answered first.
      if (isModern) return
      const isRefused = answer?.isError === true && !modernErrors.has(answer.errorCode)
      isModern = answer !== undefined && !isRefused
      supported = answer === undefined ? [] : readRevisions(answer)
      if (!isModern) legacyUntil = performance.now() + (answer ? refusedMs : silentMs)
      verify(userId)
    },
  }
}

/** The revisions that an answer names, be it the one that was asked for or a refusal. */
function readRevisions({ text }: Message): readonly string[] {
  const { result, error } = JSON.parse(text) as {
    result?: { supportedVersions?: unknown }
    error?: { data?: { supported?: unknown } }
  }
  const named = [result?.supportedVersions ?? error?.data?.supported ?? []].flat()
  return named.filter((revision) => typeof revision === 'string')
}

/** Some servers end when the first thing that they read is not `initialize`. */
function isEnd(error: unknown): boolean {
  return error instanceof OAuthError && error.reason === programEnded
}

async function withinTime(answer: Promise<Message>): Promise<Message | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), answerMs)
  return Promise.race([answer, promise]).finally(() => clearTimeout(timer))
}

function toQuestion(): Request {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const id = 'gatehouse-asks-for-the-era'
  const method = 'server/discover'
  const text = JSON.stringify({ jsonrpc: '2.0', id, method, params: { _meta: meta } })
  return { kind: 'request', id: JSON.stringify(id), method, text }
}
