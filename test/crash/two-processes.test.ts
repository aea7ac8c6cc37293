/** Two processes over one SQLite file behave as one: any step anywhere, and every race has one winner. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBrowser } from '../helpers/browser.ts'
import { approve } from '../helpers/live.ts'
import {
  authorizePath,
  postForm,
  type Registered,
  redeem,
  refresh,
  registerClient,
} from '../helpers/oauth-client.ts'
import { senderTo } from './customer.ts'
import { endProcesses, type Served, startProcess } from './fail-point.ts'

let folder: string
let one: Served
let other: Served
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-two-'))
  const path = join(folder, 'gatehouse.db')
  // Started at the same moment on an empty file: they must agree on keys and data keys (HA-07).
  ;[one, other] = await Promise.all([startProcess(path), startProcess(path)])
}, 60_000)
afterAll(async () => {
  await endProcesses()
  await rm(folder, { recursive: true, force: true })
})

async function getCode(client: Registered): Promise<string> {
  const browser = createBrowser(one.origin, (request) => fetch(request))
  const back = await approve(browser, one.origin + authorizePath(client))
  return back.url.searchParams.get('code') ?? `none: ${back.status} ${back.text}`
}

/** The n-th of many requests goes to the one or the other process. */
function turn(n: number) {
  return senderTo(n % 2 === 0 ? one.origin : other.origin)
}

describe('two processes on one file', () => {
  it('publish the same keys after a first start at the same moment (HA-07)', async () => {
    const [here, there] = await Promise.all(
      [one, other].map(async ({ origin }) => (await fetch(`${origin}/jwks`)).json()),
    )
    expect(here).toEqual(there)
    expect(here.keys).toHaveLength(1)
  })

  it('serve one flow with every request at the other process (HA-01)', async () => {
    const client = await registerClient(turn(0))
    let requests = 0
    const browser = createBrowser(
      one.origin,
      (request) => {
        const url = new URL(request.url)
        const { origin } = requests++ % 2 === 0 ? other : one
        return fetch(new Request(origin + url.pathname + url.search, request))
      },
      [other.origin],
    )
    const back = await approve(browser, one.origin + authorizePath(client))
    const tokens = await redeem(turn(1), client, back.url.searchParams.get('code') ?? '')
    expect(tokens.status, back.text).toBe(200)
  })

  it('redeem a code raced by fifty exactly once (CD-06, SG-01)', async () => {
    const client = await registerClient(turn(0))
    const code = await getCode(client)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => redeem(turn(n), client, code)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(
      new Set(answers.filter(({ status }) => status !== 200).map(({ body }) => body.error)),
    ).toEqual(new Set(['invalid_grant']))
    const winner = answers.find(({ status }) => status === 200)
    expect((await refresh(turn(1), client, winner?.body.refresh_token)).status).toBe(200)
  })

  it('give fifty holders of one refresh token the same successor (X1, RF-02)', async () => {
    const client = await registerClient(turn(1))
    const first = await redeem(turn(0), client, await getCode(client))
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => refresh(turn(n), client, first.body.refresh_token)),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200))
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1)
  })

  it('know of a revocation at the other process within a second (HA-12, RV-04)', async () => {
    const client = await registerClient(turn(0))
    const tokens = await redeem(turn(0), client, await getCode(client))
    const introspect = async (): Promise<number> => {
      const response = await fetch(`${other.origin}/mcp`, {
        headers: { authorization: `Bearer ${tokens.body.access_token}` },
      })
      await response.body?.cancel()
      return response.status
    }
    expect(await introspect()).toBe(502)
    await postForm(turn(0), '/revoke', {
      client_id: client.client_id,
      token: tokens.body.refresh_token,
    })
    await expect.poll(introspect, { timeout: 2000, interval: 50 }).toBe(401)
  })
})
