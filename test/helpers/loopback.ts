/** Plain `node:http` servers of tests: a free loopback port, and gone at once when the test is over. */
import type { Server } from 'node:http'

/** Listens on a free port and returns the origin. */
export async function listenOnLoopback(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('Not listening on a port')
  return `http://127.0.0.1:${address.port}`
}

/** Closes it with whatever connections are open. */
export async function closeNow(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}
