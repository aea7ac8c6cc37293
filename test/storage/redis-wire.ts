/** A wire to a server that a test can cut, freeze or make deaf. */
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Wire {
  /** The server's URL, over the wire. */
  readonly url: string
  /** Breaks every connection; new ones work. */
  cut(): void
  /** Lets nothing more through on the connections there are, in either direction; new ones work. */
  freeze(): void
  /** Lets no more replies through on the connections there are. */
  mute(): void
}

/** Leads to a port of this machine until the test ends. */
export async function startWire(port: number): Promise<Wire> {
  const ends = new Set<{ near: Socket; far: Socket }>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    const pair = { near, far }
    ends.add(pair)
    near.pipe(far).pipe(near)
    for (const end of [near, far]) {
      end.on('error', () => {})
      end.on('close', () => {
        near.destroy()
        far.destroy()
        ends.delete(pair)
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('Not listening on a port')
  const cut = (): void => {
    for (const { near } of ends) near.destroy()
  }
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    cut()
    await closed
  })
  return {
    url: `redis://127.0.0.1:${address.port}`,
    cut,
    freeze() {
      for (const { near, far } of ends) {
        near.unpipe(far).pause()
        far.unpipe(near).pause()
      }
    },
    mute() {
      for (const { near, far } of ends) far.unpipe(near).pause()
    },
  }
}
