/** `gatehouse doctor --self` where the public URL leads somewhere else. */
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import {
  findFreeOrigin,
  here,
  installForEachTest,
  look,
  makeFolder,
  sendJson,
  serve,
  startProxy,
  stop,
} from './installation.ts'

installForEachTest()

describe('gatehouse doctor --self on the way in', () => {
  const ways: readonly (readonly [
    string,
    string,
    (path: string, out: ServerResponse) => boolean,
  ])[] = [
    [
      'a page of the proxy',
      'self-not-gatehouse',
      (_, out) => Boolean(out.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello')),
    ],
    [
      'a redirect',
      'self-redirected',
      (_, out) => Boolean(out.writeHead(301, { location: 'https://www.example/' }).end()),
    ],
    [
      'a metadata document of another issuer',
      'self-issuer-differs',
      (path, out) => {
        if (!path.endsWith('oauth-authorization-server')) return false
        sendJson(out, { issuer: 'http://127.0.0.1:8787' })
        return true
      },
    ],
    [
      'a resource that is not passed on',
      'self-resource-differs',
      (path, out) =>
        path.includes('protected-resource') && Boolean(out.writeHead(404).end('Not found')),
    ],
    [
      'a path of an MCP server that is not passed on',
      'self-path-not-passed',
      (path, out) => path === '/mcp' && Boolean(out.writeHead(404).end('Not found')),
    ],
    [
      'a password of the proxy on that path',
      'self-path-not-passed',
      (path, out) =>
        path === '/mcp' && Boolean(out.writeHead(401, { 'www-authenticate': 'Basic' }).end()),
    ],
    [
      'a clock an hour ahead',
      'clock-differs',
      (_, out) => {
        out.setHeader('date', new Date(Date.now() + 3_600_000).toUTCString())
        return false
      },
    ],
  ]
  it.each(ways)('names %s', async (_, id, change) => {
    const proxy = await startProxy(change)
    const at = await findFreeOrigin()
    await serve(here.folder, '--public-url', proxy.origin, '--port', new URL(at).port)
    proxy.leadsTo(at)
    const { ids } = await look(here.folder, ['--to', here.backend, '--public-url', proxy.origin])
    expect(ids).toEqual([id])
  })

  it('names another installation that answers', async () => {
    const { issuer } = await serve(here.folder)
    const other = await makeFolder()
    const { running } = await serve(other, '--public-url', issuer)
    await stop(running)
    const { ids } = await look(other, ['--to', here.backend, '--public-url', issuer])
    expect(ids).toEqual(['self-other-installation'])
  })

  it('names it as well where there is no store at all, as in another folder', async () => {
    const { issuer } = await serve(here.folder)
    const { ids } = await look(await makeFolder(), ['--to', here.backend, '--public-url', issuer])
    expect(ids).toEqual(['self-other-installation', 'store-missing'])
  })
})
