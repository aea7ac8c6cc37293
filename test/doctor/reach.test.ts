/** Servers that are not reached, with nothing in between: real certificates, closed ports, silence. */
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createRawServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { diagnose } from '../../src/doctor/checks.ts'
import { judge } from '../../src/doctor/verdict.ts'
import { type CertificateOptions, createCertificate } from '../helpers/certificate.ts'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'
import { visit } from './visiting.ts'

const certificates: { name: string; made: CertificateOptions; isKnown: boolean; finds: string }[] =
  [
    {
      name: 'has expired',
      made: { to: '210101000000Z' },
      isKnown: true,
      finds: 'certificate-expired',
    },
    {
      name: 'is not valid yet',
      made: { from: '490101000000Z' },
      isKnown: true,
      finds: 'certificate-not-yet-valid',
    },
    {
      name: 'is for another name',
      made: { host: 'elsewhere.example' },
      isKnown: true,
      finds: 'certificate-wrong-name',
    },
    { name: 'is self-signed', made: {}, isKnown: false, finds: 'certificate-untrusted' },
  ]

describe('a certificate that', () => {
  it.each(certificates)('$name', async ({ made, isKnown, finds }) => {
    const certificate = createCertificate(made)
    const server = createTlsServer(certificate, (_, response) => response.writeHead(401).end())
    const port = new URL(await listenOnLoopback(server)).port
    try {
      const trusting = isKnown ? { ca: certificate.cert } : {}
      const seen = await visit(`https://localhost:${port}/mcp`, trusting)
      const [first] = diagnose(seen)
      expect(first).toMatchObject({ id: finds, severity: 'fault' })
      expect(first?.seen).toMatch(new RegExp(`for ${made.host ?? 'localhost'}, by`))
      const outcomes = judge(seen, diagnose(seen)).map(({ outcome }) => outcome)
      expect(new Set(outcomes)).toEqual(new Set(['stumbles']))
    } finally {
      await closeNow(server)
    }
  })

  it('is in order and of this machine alone is no reason for a finding of its own', async () => {
    const certificate = createCertificate()
    const server = createTlsServer(certificate, (_, response) => response.writeHead(401).end())
    const port = new URL(await listenOnLoopback(server)).port
    try {
      const seen = await visit(`https://localhost:${port}/mcp`, { ca: certificate.cert })
      expect(diagnose(seen).map(({ id }) => id)).not.toContainEqual(
        expect.stringMatching(/certificate/),
      )
    } finally {
      await closeNow(server)
    }
  })
})

describe('a server that', () => {
  it('has stopped', async () => {
    const server = createServer()
    const address = await listenOnLoopback(server)
    await closeNow(server)
    const [first] = diagnose(await visit(`${address}/mcp`))
    expect(first).toMatchObject({ id: 'connection-refused' })
  })

  it('never answers', async () => {
    const server = createServer(() => {})
    const address = await listenOnLoopback(server)
    try {
      const [first] = diagnose(await visit(`${address}/mcp`, { deadlineSeconds: 0.2 }))
      expect(first).toMatchObject({ id: 'accepted-without-answer', stops: 'reach' })
      expect(first?.fix).not.toMatch(/firewall/)
    } finally {
      await closeNow(server)
    }
  })

  it('accepts a connection and says nothing to TLS', async () => {
    const sockets = new Set<Socket>()
    const server = createRawServer((socket) => sockets.add(socket.on('error', () => {})))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    try {
      const seen = await visit(`https://127.0.0.1:${port}/mcp`, { deadlineSeconds: 0.3 })
      expect(diagnose(seen)[0]).toMatchObject({
        id: 'accepted-without-answer',
        fix: expect.stringContaining('TLS'),
      })
    } finally {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  })

  it('speaks TLS where it is asked by http', async () => {
    const server = createTlsServer(createCertificate())
    const address = await listenOnLoopback(server)
    try {
      const [first] = diagnose(await visit(`${address}/mcp`))
      expect(first).toMatchObject({ id: 'broken-answer' })
    } finally {
      await closeNow(server)
    }
  })
})
