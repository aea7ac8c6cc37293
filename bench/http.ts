/**
 * The least an HTTP/1.1 client can do, so that the measuring process is never what is measured: kept
 * connections, one request at a time on each, answers of a known or chunked length.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A request to the server under measurement. */
export interface Message {
  readonly method: 'GET' | 'POST'
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** ASCII. */
  readonly body?: string
}

/** What came back, as it came: one character is one byte. */
export interface Reply {
  readonly status: number
  /** Status line and header lines, each ending in CR LF. */
  readonly head: string
  readonly body: string
}

/** How messages travel. */
export type Send = (message: Message) => Promise<Reply>

/** The value of a header, the first where there are several. */
export function findHeader({ head }: Pick<Reply, 'head'>, name: string): string | undefined {
  return readHeaders(head, name)[0]
}

/** All values of a header. */
export function readHeaders(head: string, name: string): string[] {
  const pattern = new RegExp(`\\r\\n${name}:[ \\t]*([^\\r]*)`, 'gi')
  return [...head.matchAll(pattern)].map(([, value = '']) => value)
}

/** Kept connections to one server. */
export interface Connections {
  readonly send: Send
  close(): void
}

interface Connection {
  readonly socket: Socket
  exchange(text: string): Promise<Reply>
}

/** Connections to `origin`, opened as they are needed: as many as there are requests at once. */
export function createConnections(origin: string): Connections {
  const { hostname, port, host } = new URL(origin)
  const idle: Connection[] = []
  const all = new Set<Socket>()
  const open = async (): Promise<Connection> => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    await once(socket, 'connect')
    all.add(socket)
    socket.once('close', () => all.delete(socket))
    return toConnection(socket)
  }
  const take = (): Connection | undefined => {
    for (let next = idle.pop(); next; next = idle.pop()) if (!next.socket.destroyed) return next
    return undefined
  }
  return {
    async send(message) {
      const connection = take() ?? (await open())
      const reply = await connection.exchange(render(message, host))
      idle.push(connection)
      return reply
    },
    close() {
      for (const socket of all) socket.destroy()
    },
  }
}

function toConnection(socket: Socket): Connection {
  let received = ''
  let settle: { resolve(reply: Reply): void; reject(error: Error): void } | undefined
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    received += chunk
    const reply = parseReply(received)
    if (!reply) return
    received = ''
    settle?.resolve(reply)
  })
  socket.on('error', () => undefined)
  socket.once('close', () => settle?.reject(new Error('The server closed the connection')))
  return {
    socket,
    exchange: (text) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        socket.write(text, 'latin1')
      }),
  }
}

function render({ method, path, headers, body }: Message, host: string): string {
  let text = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n`
  for (const name in headers) text += `${name}: ${headers[name]}\r\n`
  if (body === undefined) return `${text}\r\n`
  return `${text}content-length: ${body.length}\r\n\r\n${body}`
}

/** The answer, once all of it is there. */
function parseReply(text: string): Reply | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const status = Number(text.slice(9, 12))
  const head = text.slice(0, end + 2)
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? []
  if (length !== undefined) {
    const last = end + 4 + Number(length)
    return text.length < last ? undefined : { status, head, body: text.slice(end + 4, last) }
  }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return { status, head, body: '' }
  const body = joinChunks(text, end + 4)
  return body === undefined ? undefined : { status, head, body }
}

function joinChunks(text: string, start: number): string | undefined {
  let body = ''
  for (let at = start; ; ) {
    const line = text.indexOf('\r\n', at)
    if (line === -1) return undefined
    const size = Number.parseInt(text.slice(at, line), 16)
    if (size === 0) return text.length >= line + 4 ? body : undefined
    at = line + 2 + size + 2
    if (text.length < at) return undefined
    body += text.slice(line + 2, at - 2)
  }
}
