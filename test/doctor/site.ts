/** A small site on loopback that a test describes by its answers, and that remembers what it was asked. */
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'
import type { Answerer } from './broken/healthy.ts'

/** A site that runs until the end of the test. */
export interface Site {
  readonly origin: string
  /** What it was asked so far: `GET /path`, in order. */
  readonly lines: () => readonly string[]
}

/** Starts a site. */
export async function startSite(answer: Answerer): Promise<Site> {
  const lines: string[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = 'GET', headers } = request
      const url = new URL(request.url ?? '/', `http://${headers.host}`)
      lines.push(`${method} ${url.pathname}`)
      const reply = answer({
        method,
        url,
        headers: headers as Record<string, string | undefined>,
        body,
      })
      const isJson = typeof reply.body === 'object'
      const type = isJson ? { 'content-type': 'application/json' } : {}
      response.writeHead(reply.status, { ...type, ...reply.headers })
      response.end(isJson ? JSON.stringify(reply.body) : reply.body)
    })
  })
  const origin = await listenOnLoopback(server)
  onTestFinished(() => closeNow(server))
  return { origin, lines: () => lines }
}
