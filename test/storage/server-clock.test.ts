/** What the clock of a store's server says, by which `doctor --self` judges the machine's. */
import { expect, it, onTestFinished } from 'vitest'
import { describePostgres } from '../../src/storage/postgres-report.ts'
import { describeRedis } from '../../src/storage/redis-report.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { hasRedis, startRedis } from '../helpers/redis.ts'

const secondsNow = () => Date.now() / 1000

it('is told by PostgreSQL, with a store and without', async () => {
  const { url, stop } = await startPostgres()
  onTestFinished(stop)
  const { now, schema } = await describePostgres({ url, table: 'gatehouse' })
  expect(schema).toBeUndefined()
  expect(now).toBeCloseTo(secondsNow(), -1)
})

it.skipIf(!hasRedis)('is told by Redis, unless the user may not ask for it', async () => {
  const server = await startRedis()
  onTestFinished(server.close)
  const { now } = await describeRedis({ url: server.url, prefix: 'gatehouse' })
  expect(now).toBeCloseTo(secondsNow(), -1)
  await server.command('ACL', 'SETUSER', 'ann', 'on', '>pw', '~*', '&*', '+@all', '-time')
  const url = server.url.replace('redis://', 'redis://ann:pw@')
  expect(await describeRedis({ url, prefix: 'gatehouse' })).toMatchObject({ now: undefined })
})
