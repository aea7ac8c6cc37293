/** Gatehouse as a whole on a loopback port: SQLite beneath, an MCP server behind. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { Store } from '../../src/storage/store.ts'
import { startTestGatehouse } from '../helpers/gatehouse.ts'
import { approve, type Live, startLive } from '../helpers/live.ts'
import {
  authorizePath,
  postForm,
  type Registered,
  redeem,
  registerClient,
  type SendPath,
} from '../helpers/oauth-client.ts'
import { verifies, verifiesEach, verifiesThat } from '../verifies.ts'

let live: Live
beforeAll(async () => {
  live = await startLive()
})
afterAll(() => live.close())

const send: SendPath = (path, init) => fetch(live.issuer + path, init)

/** A client and the tokens that the owner allowed it. */
async function connect(metadata?: Record<string, unknown>) {
  const client: Registered = await registerClient(send, metadata)
  const page = await approve(live.browser(), live.issuer + authorizePath(client))
  const { body } = await redeem(send, client, page.url.searchParams.get('code') ?? '')
  return { client, body }
}

describe('the gateway', () => {
  verifies('X11', async () => {
    const { body } = await connect()
    const { status, text } = await call(body.access_token ?? '')
    expect(status).toBe(200)
    expect(text).toContain('"tools"')
  })

  verifiesThat('A8', 'a real user, SQLite, introspection, audit', async () => {
    const { client, body } = await connect({ token_endpoint_auth_method: 'client_secret_post' })
    const { client_id, client_secret } = client
    const fields = { client_id, client_secret, token: body.access_token }
    const described = await postForm(send, '/introspect', fields)
    expect(described.body).toMatchObject({ active: true, client_id, scope: body.scope })
    const events = live.audit.map(({ event }) => event)
    expect(events).toEqual(expect.arrayContaining(['client.registered', 'sign-in.succeeded']))
    expect(events).toEqual(expect.arrayContaining(['consent.allowed', 'token.issued']))
  })

  verifiesThat('R2', 'dynamic, and off', async () => {
    expect((await registerClient(send)).client_id).toMatch(/^mcp_/)
    const closed = await startTestGatehouse({ dynamicRegistration: false })
    try {
      await expect(registerClient(closed.send)).rejects.toThrow('Registration')
    } finally {
      await closed.close()
    }
  })
})

/** Lists the tools of the server behind the gate, the way a client of 2025-11-25 would. */
async function call(token: string): Promise<{ status: number; text: string }> {
  const response = await fetch(live.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  })
  return { status: response.status, text: await response.text() }
}

describe('stores', () => {
  const clock = systemClock
  const drivers = [
    { name: 'memory', open: async () => memoryStore({ clock }) },
    { name: 'sqlite', open: (folder: string) => sqliteStore({ path: join(folder, 'db'), clock }) },
  ]
  verifiesEach('X7', drivers, async ({ open }) => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-x7-'))
    const store: Store = await open(folder)
    try {
      const redeemOnce = (writer: number): Promise<boolean> =>
        store.commit({
          check: [{ key: 'code/x', version: null }],
          set: [
            { key: 'code/x', value: `${writer}` },
            { key: `grant/${writer}`, value: '{}' },
          ],
        })
      const won = await Promise.all(Array.from({ length: 50 }, (_, writer) => redeemOnce(writer)))
      expect(won.filter(Boolean)).toHaveLength(1)
      const grants = await store.list('grant/')
      expect(grants.map(({ key }) => key)).toEqual([`grant/${won.indexOf(true)}`])
    } finally {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
