/** The documents that lie ready: they go a shorter way than everything else, and nobody can tell. */
import { expect, it, onTestFinished } from 'vitest'
import { createDocumentDesk } from '../../src/answers.ts'
import { type Context, toDocument } from '../../src/context.ts'
import { createExchanges } from '../../src/platform/create-exchange.ts'
import { listen } from '../../src/platform/node-server.ts'
import type { Route } from '../../src/routes.ts'
import { startTestGatehouse } from '../helpers/gatehouse.ts'

const documents = [
  '/.well-known/oauth-authorization-server',
  '/.well-known/oauth-authorization-server/mcp',
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-protected-resource/mcp',
  '/jwks',
]

async function start(options: Parameters<typeof startTestGatehouse>[0] = {}) {
  const server = await startTestGatehouse(options)
  onTestFinished(() => server.close())
  return server
}

it.each(documents)(
  'is the same over a socket, as a Response, with a query and by HEAD: %s',
  async (path) => {
    const { gatehouse, send } = await start()
    const listening = await listen(gatehouse.fetch, { host: '127.0.0.1', port: 0 })
    onTestFinished(() => listening.close(0))
    const plain = await send(path)
    const body = await plain.text()
    const fields = [...plain.headers]
    expect(fields).toContainEqual(['access-control-allow-origin', '*'])
    expect(fields).toContainEqual(['strict-transport-security', 'max-age=31536000'])
    const ways = [
      ...['', '', '?x=1'].map((query) => fetch(listening.url + path + query)),
      send(`${path}?x=1`),
    ]
    for (const response of await Promise.all(ways)) {
      expect(response.status).toBe(200)
      expect(await response.text()).toBe(body)
      expect([...response.headers]).toEqual(expect.arrayContaining(fields))
    }
    const head = await fetch(listening.url + path, { method: 'HEAD' })
    expect(Number(head.headers.get('content-length'))).toBe(Buffer.byteLength(body))
    expect([...head.headers]).toEqual(expect.arrayContaining(fields))
  },
)

it('is timed like everything else, under its path', async () => {
  const timed: unknown[] = []
  const time = (...given: unknown[]) => void timed.push(given.slice(0, 2))
  const metrics = {
    time,
    count() {},
    gauge() {},
    expose: async () => ({ body: '', contentType: '' }),
  }
  const { send } = await start({ metrics })
  for (const path of documents) await send(`${path}?x=1`)
  expect(timed).toEqual(documents.map((path) => [path, 200]))
})

it('is refused to strangers where there is no sign-in (A7)', async () => {
  const issuer = 'http://127.0.0.1:8080'
  const { send } = await start({ issuer, noSignIn: true })
  for (const path of documents) {
    expect((await send(path)).status).toBe(200)
    expect((await send(path, { headers: { 'x-forwarded-for': '203.0.113.7' } })).status).toBe(403)
  }
})

it('is never older than what it tells of', async () => {
  let keySet = { body: 'old' }
  const endpoint = toDocument(() => keySet as never)
  const route: Route = { method: 'GET', path: '/keys', endpoint, errors: 'json', cors: true }
  const context = { config: { issuer: 'http://x' }, metrics: { time() {} } } as unknown as Context
  const exchanges = createExchanges({ random: () => '', fetch })
  const find = createDocumentDesk([route], context, exchanges)
  const read = () => find(new Request('http://x/keys'), {})?.text()
  expect(await read()).toBe('old')
  keySet = { body: 'new' }
  expect(await read()).toBe('new')
})
