/**
 * The process that holds a database of a run: `node database-process.ts redis|postgres` sends its URL, and
 * ends it and removes its files when whoever started it goes, in whatever way. Both are those of the
 * tests, and flush what they acknowledge.
 */
import { startPostgres } from '../../test/helpers/postgres.ts'
import { startRedis } from '../../test/helpers/redis.ts'

/** A database that runs. */
interface Database {
  readonly url: string
  close(): Promise<void>
}

async function start(kind: string | undefined): Promise<Database> {
  if (kind === 'redis') return startRedis()
  const server = await startPostgres({ isDurable: true })
  return { url: server.url, close: () => server.stop() }
}

const starting = start(process.argv[2])
process.on('disconnect', () => {
  void starting.then((database) => database.close()).finally(() => process.exit())
})
process.send?.((await starting).url)
