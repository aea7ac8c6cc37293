/** A live deployment on loopback: the notes server, Gatehouse over SQLite in front of it, an owner. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNotebook } from '../../src/cli/demo-server/notes.ts'
import { keyHeader, startNotesServer } from '../../src/cli/demo-server/server.ts'
import { createGatehouse } from '../../src/gatehouse.ts'
import type { Policy } from '../../src/oauth/policy.ts'
import type { Gatehouse, GatehouseOptions } from '../../src/options.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { listen } from '../../src/platform/node-server.ts'
import type { AuditEvent } from '../../src/platform/ports.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import { type Browser, createBrowser, type Page } from './browser.ts'
import { keptLog, masterKey, noLimits } from './gatehouse.ts'

export const owner = { email: 'owner@example.com', password: 'correct horse battery' }

/** What a live deployment offers to tests. */
export interface Live {
  readonly issuer: string
  /** The MCP URL to give to a client. */
  readonly url: string
  readonly gatehouse: Gatehouse
  readonly audit: AuditEvent[]
  readonly log: ReturnType<typeof keptLog>
  /** A browser of its own, which follows redirects within the issuer. */
  browser(): Browser
  close(): Promise<void>
}

/** Starts one; `backendUrl` replaces the notes server, `policy` guards whichever it is. */
export async function startLive(
  options: Partial<GatehouseOptions> & { backendUrl?: string; policy?: Policy } = {},
): Promise<Live> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-live-'))
  const { backendUrl, policy, ...rest } = options
  const notes = backendUrl
    ? undefined
    : await startNotesServer(createNotebook(join(folder, 'notes.json')), 'notes-key')
  const clock = options.clock ?? systemClock
  const store = await sqliteStore({ path: join(folder, 'gatehouse.db'), clock })
  const audit: AuditEvent[] = []
  const log = keptLog()

  let gatehouse: Gatehouse | undefined
  const server = await listen(
    async (request, env) => gatehouse?.fetch(request, env) ?? new Response(null, { status: 503 }),
    { host: '127.0.0.1', port: 0 },
  )
  const issuer = `http://localhost:${server.port}`
  gatehouse = await createGatehouse({
    issuer,
    backends: [
      {
        name: 'Notes',
        to: backendUrl ?? notes?.url ?? '',
        headers: { [keyHeader]: 'notes-key' },
        policy,
      },
    ],
    store,
    masterKey,
    scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' },
    limits: noLimits,
    log,
    audit: (event) => audit.push(event),
    ...rest,
  })
  const running = gatehouse
  if (running.context.localSignIn) {
    await running.context.users.addLocal(owner.email, owner.password, 'owner')
  }
  return {
    issuer,
    url: `${issuer}/mcp`,
    gatehouse: running,
    audit,
    log,
    browser: () => createBrowser(issuer, (request) => fetch(request)),
    close: async () => {
      await server.close(1)
      await running.close()
      await notes?.close()
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Plays the person: approves, signs in if asked, confirms. Returns where the browser ends up. */
export async function approve(browser: Browser, url: string | URL): Promise<Page> {
  let page = await browser.open(url)
  for (let step = 0; step < 4 && page.status === 200; step++) {
    page = page.url.pathname.endsWith('/sign-in')
      ? await browser.press(page, '', '', owner)
      : await browser.press(page, 'decision', 'allow')
  }
  return page
}
