/**
 * A connection pooler in transaction mode, as strict as the oldest PgBouncer: every transaction of a
 * client runs on another server connection than the one before, and unknown startup parameters are
 * refused. Whatever relies on a session breaks behind it. It notes what the clients send.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A running pooler. */
export interface Pooler {
  readonly url: string
  /** The SQL of every statement, in order. */
  readonly statements: string[]
  /** The names of prepared statements; the unnamed one is not noted. */
  readonly names: string[]
  /** How often a client waited for an answer. */
  countRoundTrips(): number
  close(): void
}

const known = /^(user|database|application_name|client_encoding)$/

/** Starts a pooler before a server that lets everyone in. */
export async function startPooler(serverPort: number): Promise<Pooler> {
  const statements: string[] = []
  const names: string[] = []
  const sockets = new Set<Socket>()
  const lease = createLease(serverPort, sockets)
  let roundTrips = 0

  const note = (message: Buffer): void => {
    const texts = message.subarray(5).toString().split('\0')
    const [name = '', text = ''] = message[0] === code.parse ? texts : ['', texts[0]]
    if (message[0] === code.parse || message[0] === code.query) statements.push(text)
    if (name !== '') names.push(name)
    if (message[0] === code.sync || message[0] === code.query) roundTrips += 1
  }
  const server = createServer((client) => {
    sockets.add(client.setNoDelay())
    client.on('error', () => client.destroy())
    let isStarted = false
    let server: Backend | undefined
    let last: Backend | undefined
    let turn = Promise.resolve()

    const answerStartup = (packet: Buffer): void => {
      if (packet.readInt32BE(4) === sslRequest) return void client.write('N')
      const parameters = packet.subarray(8).toString().split('\0')
      const foreign = parameters.find((name, at) => at % 2 === 0 && name && !known.test(name))
      if (foreign)
        return void client.destroy(new Error(`unsupported startup parameter: ${foreign}`))
      isStarted = true
      client.write(Buffer.concat([toMessage('R', [0, 0, 0, 0]), toMessage('Z', [idle])]))
    }
    const relay = async (message: Buffer): Promise<void> => {
      server ??= await lease.take(last, (answer) => {
        client.write(answer)
        if (answer[0] !== code.ready || answer[5] !== idle || !server) return
        last = server
        lease.giveBack(server)
        server = undefined
      })
      server.socket.write(message)
    }
    readMessages(
      client,
      () => isStarted,
      (message) => {
        if (!isStarted) return answerStartup(message)
        if (message[0] === code.terminate) return client.end()
        note(message)
        turn = turn.then(() => relay(message))
      },
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return {
    url: `postgres://postgres@127.0.0.1:${address.port}/postgres`,
    statements,
    names,
    countRoundTrips: () => roundTrips,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

const sslRequest = 80877103
const idle = 'I'.charCodeAt(0)
const code = {
  parse: 'P'.charCodeAt(0),
  query: 'Q'.charCodeAt(0),
  sync: 'S'.charCodeAt(0),
  terminate: 'X'.charCodeAt(0),
  ready: 'Z'.charCodeAt(0),
}

function toMessage(type: string, body: number[]): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length + 4)
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)])
}

/** Cuts a stream into messages: a type byte and a length, or only a length before the start. */
function readMessages(
  socket: Socket,
  isTyped: () => boolean,
  onMessage: (message: Buffer) => void,
): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const offset = isTyped() ? 1 : 0
      if (rest.length < offset + 4) return
      const end = offset + rest.readInt32BE(offset)
      if (rest.length < end) return
      const message = rest.subarray(0, end)
      rest = rest.subarray(end)
      onMessage(message)
    }
  })
}

interface Backend {
  readonly socket: Socket
  onAnswer: (message: Buffer) => void
}

/** The server connections: one per transaction, never the same twice in a row for a client. */
function createLease(port: number, sockets: Set<Socket>) {
  const free: Backend[] = []

  const open = async (): Promise<Backend> => {
    const socket = connect(port, '127.0.0.1').setNoDelay()
    sockets.add(socket)
    const backend: Backend = { socket, onAnswer: () => {} }
    const ready = new Promise<void>((resolve) => {
      backend.onAnswer = (message) => message[0] === code.ready && resolve()
    })
    socket.on('error', () => socket.destroy())
    readMessages(
      socket,
      () => true,
      (message) => backend.onAnswer(message),
    )
    const parameters = Buffer.from('user\0postgres\0database\0postgres\0\0')
    const head = Buffer.alloc(8)
    head.writeInt32BE(parameters.length + 8)
    head.writeInt32BE(196608, 4)
    socket.write(Buffer.concat([head, parameters]))
    await ready
    return backend
  }
  return {
    async take(last: Backend | undefined, onAnswer: Backend['onAnswer']): Promise<Backend> {
      const other = free.findIndex((backend) => backend !== last)
      const [backend = await open()] = other < 0 ? [] : free.splice(other, 1)
      backend.onAnswer = onAnswer
      return backend
    },
    giveBack: (backend: Backend) => void free.push(backend),
  }
}
