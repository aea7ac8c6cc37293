/** A whole Gatehouse for tests: real store, real keys, a clock that stands still until it is moved. */
import { createGatehouse } from '../../src/gatehouse.ts'
import type { Gatehouse, GatehouseOptions } from '../../src/options.ts'
import type { Clock } from '../../src/platform/clock.ts'
import type { FetchDocument } from '../../src/platform/pinned-fetch.ts'
import type { AuditEvent, Limits, Log } from '../../src/platform/ports.ts'
import { memoryStore } from '../../src/storage/memory.ts'

/** A clock that moves only when told. */
export interface TestClock extends Clock {
  advance(seconds: number): void
}

export function testClock(start = 1_800_000_000): TestClock {
  let now = start
  return {
    now: () => now,
    advance: (seconds) => {
      now += seconds
    },
  }
}

/** A log that keeps what it is told. */
export function keptLog(): Log & { lines: { level: string; message: string; fields: unknown }[] } {
  const lines: { level: string; message: string; fields: unknown }[] = []
  const write = (level: string) => (message: string, fields?: unknown) => {
    lines.push({ level, message, fields })
  }
  return {
    lines,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  }
}

/** Limits that never bite, for tests about something else. */
export const noLimits: Limits = {
  spend: async () => {},
  check: async () => {},
  reset: async () => {},
}

/** No document can be read: tests never leave this machine. */
const noDocuments: FetchDocument = async () => ({ problem: 'connection' })

/** A Gatehouse under test and what it was given. */
export interface TestGatehouse {
  readonly gatehouse: Gatehouse
  readonly clock: TestClock
  readonly audit: AuditEvent[]
  readonly log: ReturnType<typeof keptLog>
  readonly issuer: string
  /** Sends a request as a client would; relative paths are below the issuer. */
  send(path: string, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

export const masterKey = new Uint8Array(32).fill(7)

/** Builds a Gatehouse; by default over a memory store, https issuer, one backend that nobody runs. */
export async function startTestGatehouse(
  options: Partial<GatehouseOptions> & { clock?: TestClock } = {},
): Promise<TestGatehouse> {
  const clock = options.clock ?? testClock()
  const audit: AuditEvent[] = []
  const log = keptLog()
  const issuer = options.issuer ?? 'https://mcp.example.com'
  const ownStore = options.store ? undefined : memoryStore({ clock })
  const gatehouse = await createGatehouse({
    issuer,
    backends: [{ name: 'Notes', to: 'http://127.0.0.1:9/mcp' }],
    masterKey,
    scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' },
    defaultScopes: ['notes:read'],
    limits: noLimits,
    fetchDocument: noDocuments,
    ...options,
    store: options.store ?? ownStore ?? memoryStore({ clock }),
    clock,
    log,
    audit: (event) => audit.push(event),
  })
  return {
    gatehouse,
    clock,
    audit,
    log,
    issuer,
    send: (path, init) => gatehouse.fetch(new Request(new URL(path, issuer), init)),
    close: async () => {
      await gatehouse.close()
      await ownStore?.close()
    },
  }
}
