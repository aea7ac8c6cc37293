/** The reader of strangers' documents against a hostile internet, all of it on this machine. */
import { createServer, type Server } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createPinnedFetch,
  type FetchDocument,
  type PinnedFetchOptions,
} from '../../src/platform/pinned-fetch.ts'
import { createCertificate } from '../helpers/certificate.ts'
import { type DocumentSite, startDocumentSite } from '../helpers/document-site.ts'

let site: DocumentSite

beforeAll(async () => {
  site = await startDocumentSite()
})

afterAll(() => site.close())

/** A reader that finds the site, with some options changed. */
function reader(options: PinnedFetchOptions = {}): FetchDocument {
  return createPinnedFetch({
    resolve: async () => ['127.0.0.1'],
    isAllowed: () => true,
    ca: site.ca,
    deadlineSeconds: 2,
    ...options,
  })
}

function read(path: string, options?: PinnedFetchOptions) {
  return reader(options)(site.origin + path)
}

/** A listener that counts who connects. */
async function startCanary(host: string): Promise<{ port: number; server: Server; met: number[] }> {
  const met: number[] = []
  const server = createServer((socket) => {
    met.push(socket.remotePort ?? 0)
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const address = server.address()
  return { port: typeof address === 'object' && address ? address.port : 0, server, met }
}

describe('a document that is in order', () => {
  it('is read, with what its server says about how long it holds', async () => {
    site.serve('/ok', { a: 'ü' }, { 'cache-control': 'max-age=600' })
    expect(await read('/ok')).toEqual({ text: '{"a":"ü"}', freshSeconds: 600 })
  })

  it('is asked for by name, alone, uncompressed, and with nothing of ours', async () => {
    site.serve('/asked?v=1', {})
    await read('/asked?v=1')
    const { headers, method } = site.requests.at(-1) ?? {}
    expect(method).toBe('GET')
    expect(headers).toEqual({
      host: site.host,
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'mcp-gatehouse',
      connection: 'close',
    })
  })

  it.each(['application/json; charset=utf-8', 'application/cimd+json', 'Application/JSON'])(
    'may be %s',
    async (type) => {
      site.serve('/typed', {}, { 'content-type': type })
      expect(await read('/typed')).toHaveProperty('text')
    },
  )

  it('may be as long as the limit, and no byte longer (CM-09)', async () => {
    const fill = (length: number) => ({ a: 'x'.repeat(length - '{"a":""}'.length) })
    site.serve('/full', fill(5 * 1024))
    expect(await read('/full')).toHaveProperty('text')
    site.serve('/over', fill(5 * 1024 + 1))
    expect(await read('/over')).toEqual({ problem: 'size' })
  })

  it('is read from another address when the first does not answer', async () => {
    site.serve('/second', {})
    expect(await read('/second', { resolve: async () => ['127.0.0.9', '127.0.0.1'] })).toEqual({
      text: '{}',
      freshSeconds: undefined,
    })
  })
})

describe('an address inside', () => {
  const inside = [
    ['loopback', '127.0.0.1'],
    ['all of this host', '0.0.0.0'],
    ['IPv6 loopback', '::1'],
    ['mapped', '::ffff:127.0.0.1'],
    ['mapped in hexadecimal', '::ffff:7f00:1'],
    ['compatible', '::127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['6to4', '2002:7f00:1::'],
    ['link-local', 'fe80::1'],
    ['private', '10.0.0.1'],
    ['cloud metadata', '169.254.169.254'],
  ]

  it.each(inside)('%s: nobody connects (CM-03, CM-04)', async (_, address = '') => {
    const canaries = await Promise.all(['127.0.0.1', '::1'].map(startCanary))
    const fetchDocument = createPinnedFetch({ resolve: async () => [address], ca: site.ca })
    for (const { port } of canaries) {
      const outcome = await fetchDocument(`https://client.example:${port}/c`)
      expect(outcome).toEqual({ problem: 'address', detail: address })
    }
    for (const { server, met } of canaries) {
      expect(met).toEqual([])
      server.close()
    }
  })

  it('among public ones spoils them all, in whatever order (CM-05)', async () => {
    const { port, server, met } = await startCanary('127.0.0.1')
    for (const addresses of [
      ['127.0.0.1', '93.184.215.14'],
      ['93.184.215.14', '2606:2800::1', '127.0.0.1'],
    ]) {
      const fetchDocument = createPinnedFetch({ resolve: async () => addresses, ca: site.ca })
      const outcome = await fetchDocument(`https://client.example:${port}/c`)
      expect(outcome).toEqual({ problem: 'address', detail: '127.0.0.1' })
    }
    expect(met).toEqual([])
    server.close()
  })

  it('that DNS gives only after the check is never asked for: one question, one connection (CM-05)', async () => {
    site.serve('/rebound', { who: 'checked' })
    const canary = await startCanary('127.0.0.2')
    const checked: string[] = []
    let questions = 0
    const resolve = async () => (questions++ === 0 ? ['127.0.0.1'] : ['127.0.0.2'])
    const isAllowed = (address: string) => checked.push(address) > 0
    const outcome = await read('/rebound', { resolve, isAllowed })
    expect(outcome).toHaveProperty('text', '{"who":"checked"}')
    expect({ questions, checked, met: canary.met }).toEqual({
      questions: 1,
      checked: ['127.0.0.1'],
      met: [],
    })
    canary.server.close()
  })

  it.each([
    'https://127.0.0.1',
    'https://[::1]',
    'https://0x7f000001',
    'https://2130706433',
    'https://0177.1',
    'https://localhost',
    'https://client.example.',
    'http://client.example',
    'https://user@client.example',
    'https://client.example:22',
    'https://client.example:25',
    'https://client.example:80',
  ])('as %s is not even looked up (CM-01, CM-04)', async (origin) => {
    const asked: string[] = []
    const resolve = async (name: string) => {
      asked.push(name)
      return ['127.0.0.1']
    }
    expect(await reader({ resolve })(`${origin}/c`)).toEqual({ problem: 'url' })
    expect(asked).toEqual([])
  })

  it('is not reached through a proxy of the environment either (CM-23)', async () => {
    const { port, server, met } = await startCanary('127.0.0.1')
    site.serve('/direct', {})
    const before = { ...process.env }
    Object.assign(process.env, {
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
      https_proxy: `http://127.0.0.1:${port}`,
      NODE_USE_ENV_PROXY: '1',
    })
    expect(await read('/direct')).toHaveProperty('text')
    process.env = before
    expect(met).toEqual([])
    server.close()
  })
})

describe('a server that is not who it should be', () => {
  it('has no certificate for the name, and is not asked (CM-05)', async () => {
    const count = site.requests.length
    const outcome = await reader()(`https://other.example:${site.port}/ok`)
    expect(outcome).toMatchObject({ problem: 'connection' })
    expect(site.requests).toHaveLength(count)
  })

  it('has a certificate that nobody trusts', async () => {
    const { cert } = createCertificate({ host: 'client.example' })
    expect(await read('/ok', { ca: cert })).toMatchObject({ problem: 'connection' })
  })

  it('does not exist', async () => {
    expect(await read('/ok', { resolve: async () => [] })).toEqual({ problem: 'name' })
  })
})

describe('an answer that is no document', () => {
  it.each([201, 204, 206, 304, 403, 404, 410, 429, 500, 503])(
    'with status %i is a failure (CM-08)',
    async (status) => {
      site.serve('/status', (_, outgoing) => {
        outgoing.writeHead(status, { 'content-type': 'text/html', 'cf-mitigated': 'challenge' })
        outgoing.end()
      })
      const detail = `${status} text/html (a challenge page)`
      expect(await read('/status')).toEqual({ problem: 'status', detail })
    },
  )

  it.each([301, 302, 303, 307, 308])('with %i is not followed (CM-07)', async (status) => {
    site.serve('/target', {})
    site.serve('/moved', (_, outgoing) => {
      outgoing.writeHead(status, { location: `${site.origin}/target` }).end()
    })
    expect(await read('/moved')).toMatchObject({ problem: 'status' })
    expect(site.requests.at(-1)?.url).toBe('/moved')
  })

  it.each(['text/html', 'text/plain', 'application/jsonp', 'application/octet-stream', ''])(
    'of type %j is refused (CM-11)',
    async (type) => {
      site.serve('/wrong', {}, { 'content-type': type })
      expect(await read('/wrong')).toMatchObject({ problem: 'type' })
    },
  )

  it('that is compressed although nobody asked is refused unopened (CM-09)', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024))
    site.serve('/bomb', (_, outgoing) => {
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
      outgoing.writeHead(200, headers).end(bomb)
    })
    expect(await read('/bomb')).toEqual({ problem: 'encoding', detail: 'gzip' })
    site.serve('/nested', {}, { 'content-encoding': 'gzip, gzip, br' })
    expect(await read('/nested')).toMatchObject({ problem: 'encoding' })
  })

  it('of 10 MB is left after the first kilobytes (CM-09)', async () => {
    let isCut = false
    site.serve('/huge', (_, outgoing) => {
      outgoing.on('close', () => {
        isCut = !outgoing.writableFinished
      })
      outgoing.writeHead(200, { 'content-type': 'application/json' })
      outgoing.end(Buffer.alloc(10 * 1024 * 1024, 32))
    })
    expect(await read('/huge')).toEqual({ problem: 'size' })
    await expect.poll(() => isCut).toBe(true)
  })

  it('that says it is too long is not read at all (CM-09)', async () => {
    site.serve('/long', (_, outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': '999999' })
      outgoing.flushHeaders()
    })
    expect(await read('/long')).toEqual({ problem: 'size' })
  })

  it('that is shorter than it says is no document (CM-09)', async () => {
    site.serve('/short', (_, outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
      outgoing.write('{}')
      setImmediate(() => outgoing.socket?.destroy())
    })
    expect(await read('/short')).toMatchObject({ problem: 'connection' })
  })

  it('that is longer than it says is cut there (CM-09)', async () => {
    site.serve('/more', (incoming) => {
      const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n'
      incoming.socket.write(`${head}{}${'{"evil":1}'.repeat(10_000)}`)
    })
    const outcome = await read('/more')
    expect(outcome).toEqual({ text: '{}', freshSeconds: undefined })
  })

  it('that is not UTF-8 is no text', async () => {
    site.serve('/bytes', (_, outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'application/json' })
      outgoing.end(Buffer.from([0x22, 0xff, 0xfe, 0x22]))
    })
    expect(await read('/bytes')).toEqual({ problem: 'body', detail: 'not UTF-8' })
  })

  it('with endless header fields is left', async () => {
    site.serve('/fields', (incoming) => {
      incoming.socket.write(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}\r\n`)
    })
    expect(await read('/fields')).toMatchObject({ problem: 'connection' })
  })
})

describe('an answer that takes its time', () => {
  const soon = { deadlineSeconds: 0.2 }

  it('in DNS ends with the deadline (CM-10)', async () => {
    const resolve = () => new Promise<string[]>(() => {})
    expect(await read('/ok', { ...soon, resolve })).toEqual({ problem: 'deadline' })
  })

  it('in the TLS handshake ends with the deadline (CM-10)', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const outcome = await reader(soon)(`https://client.example:${port}/c`)
    expect(outcome).toEqual({ problem: 'deadline' })
    silent.close()
  })

  it('in the header ends with the deadline (CM-10)', async () => {
    site.serve('/quiet', () => {})
    expect(await read('/quiet', soon)).toEqual({ problem: 'deadline' })
  })

  it('in the body ends with the deadline, and the connection with it (CM-10)', async () => {
    let isGone = false
    site.serve('/drip', (_, outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'application/json' })
      const drip = setInterval(() => outgoing.write(' '), 20)
      outgoing.on('close', () => {
        clearInterval(drip)
        isGone = true
      })
    })
    expect(await read('/drip', soon)).toEqual({ problem: 'deadline' })
    await expect.poll(() => isGone).toBe(true)
  })
})
