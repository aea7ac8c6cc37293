/** What is known of a Redis store from outside of a running one. */
import { importRedisClient, parseRedisUrl } from './redis-client.ts'
import { connectToRedis } from './redis-connection.ts'
import { createKeyspace } from './redis-rows.ts'
import { explainFault, newestFormat, readFacts } from './redis-server.ts'
import type { StoreReport } from './store-report.ts'

/**
 * Describes the store of a prefix without writing to it.
 *
 * @throws Error `StartError` when the server cannot be reached or refuses us
 */
export async function describeRedis(options: {
  url: string
  prefix: string
}): Promise<StoreReport> {
  const address = parseRedisUrl(options.url)
  const create = await importRedisClient()
  const space = createKeyspace(options.prefix)
  const idle = { onMessage: () => {}, onBack: () => {}, log: undefined }
  try {
    const connection = await connectToRedis({ address, create, ...idle })
    try {
      const format = await connection.run(['GET', space.format])
      const rows = Number(await connection.run(['ZCARD', space.names]))
      // A user whose rules leave TIME out may keep it.
      const time = await connection.run(['TIME']).catch(() => undefined)
      const facts = Object.entries(await readFacts(connection.run))
      return {
        schema: format === null ? undefined : Number(format),
        newestSchema: newestFormat,
        rows,
        sizeBytes: undefined,
        durability: Object.fromEntries(facts.map(([name, value]) => [name, value ?? 'unknown'])),
        now: Array.isArray(time) ? Number(time[0]) : undefined,
      }
    } finally {
      connection.close()
    }
  } catch (error) {
    throw explainFault(error, address)
  }
}
