/**
 * The store on a Redis that many instances share.
 *
 * A commit is one script and one round trip, and so is a get; a listing takes two. All keys carry one
 * hash tag, `{prefix}`, because a commit may join any of them: a Redis Cluster serves the store from one
 * of its shards, and more shards do not make it faster (catalogue SG-05).
 *
 * | key | what |
 * |---|---|
 * | `{prefix}:entry:<key>` | `<version> <expiry or nothing> <value>` |
 * | `{prefix}:names` | every key, in a sorted set with score 0, in byte order: the listings |
 * | `{prefix}:expiries` | the keys that expire, by expiry: the sweep |
 * | `{prefix}:sequence` | the last version given; never goes back |
 * | `{prefix}:format` | the version of this layout |
 *
 * Expiry is judged by our clock. Redis's own expiry only evicts values that nobody swept for a day; their
 * names stay in the two sorted sets until the sweep, are skipped by listings, and count when swept.
 *
 * Acknowledged means durable, as far as Redis goes: with `appendfsync always` a commit is on the disk of
 * the primary before it is acknowledged. With `everysec` the last second or two can be lost when
 * the machine dies (not when only Redis does). We do not wait with `WAITAOF`: it would hold up
 * everything else on the connection until the next flush, up to a second. A failover to a replica loses what
 * the replica had not received yet, whatever the settings: a code redeemed or a grant revoked in that
 * moment may come back to life (catalogue SG-03). Where that is too much, use PostgreSQL.
 */
import { type Clock, systemClock } from '../platform/clock.ts'
import type { Log } from '../platform/ports.ts'
import { verifyChange } from './change.ts'
import { createHintWatch } from './hint-watch.ts'
import { createHints, type Hints } from './hints.ts'
import { importRedisClient, parseRedisUrl } from './redis-client.ts'
import { connectToRedis, type RedisConnection } from './redis-connection.ts'
import { createKeyspace, createRows, type Rows } from './redis-rows.ts'
import { explainFault, verifyCommit, verifyFormat, verifyServer } from './redis-server.ts'
import type { Store } from './store.ts'
import { createWork } from './work.ts'

/** Where the store is, whose time it goes by, and how much it may lose. */
export interface RedisStoreOptions {
  /** `redis[s]://[[user][:password]@]host[:port][/database]`; of a cluster, any of its servers. */
  url: string
  /** What expiry is judged by. Default: the system's. */
  clock?: Clock | undefined
  /** Sets this Gatehouse apart from others on the same Redis: 1 to 64 of `A-Z a-z 0-9 . _ -`. Default `gatehouse`. */
  prefix?: string | undefined
  /**
   * What to do when Redis keeps less on disk than it acknowledges. Default `refuse`: the store does not
   * open. `warn` writes it to the log and goes on.
   */
  onWeakDurability?: 'refuse' | 'warn' | undefined
  /** Told of what could not be checked, and of lost connections. */
  log?: Log | undefined
}

/**
 * Opens the store over `@redis/client`, which must be installed.
 *
 * @throws TypeError for a wrong URL or prefix; Error `StartError` when the server cannot be reached, refuses
 *   us, evicts data, is not durable enough, or was written to by a newer Gatehouse
 */
export async function redisStore(options: RedisStoreOptions): Promise<Store> {
  const {
    url,
    clock = systemClock,
    prefix = 'gatehouse',
    onWeakDurability = 'refuse',
    log,
  } = options
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(prefix)) {
    throw new TypeError('The prefix of a Redis store must be 1 to 64 of A-Z a-z 0-9 . _ -')
  }
  const address = parseRedisUrl(url)
  const create = await importRedisClient()
  const hints = createHints()
  const space = createKeyspace(prefix)
  try {
    const connection = await connectToRedis({
      address,
      create,
      onMessage: (heard) => hints.tell([heard.slice(space.channel.length)]),
      onBack: hints.tellAll,
      log,
    })
    const rows = createRows(connection.run, space)
    try {
      // First, because in a cluster it leads to the server that has our keys.
      await verifyFormat(connection.run, space.format)
      await verifyServer(connection.run, { address, onWeakDurability, log })
      await verifyCommit(rows, connection.run, space.channel)
    } catch (error) {
      connection.close()
      throw error
    }
    return toStore({ connection, rows, hints, clock, channel: space.channel })
  } catch (error) {
    throw explainFault(error, address)
  }
}

interface Parts {
  readonly connection: RedisConnection
  readonly rows: Rows
  readonly hints: Hints
  readonly clock: Clock
  readonly channel: string
}

function toStore({ connection, rows, hints, clock, channel }: Parts): Store {
  const watch = createHintWatch(hints, connection.isHearing, rows.look)
  const work = createWork()
  return {
    get: (keys) => work.run(() => rows.get(keys, clock.now())),
    async commit(change) {
      verifyChange(change)
      return work.run(() => rows.commit(change, clock.now()))
    },
    list(prefix, { after, limit = 100 } = {}) {
      const lower = after !== undefined && after >= prefix ? `(${after}` : `[${prefix}`
      const range = { lower, upper: `(${prefix}\x7f`, limit }
      return work.run(() => rows.list(range, clock.now()))
    },
    subscribe(prefix, listener) {
      // Never unsubscribed: there are few prefixes, and what nobody listens to any more goes nowhere.
      connection.listen(`${channel}${escapeGlob(prefix)}*`)
      const unsubscribe = hints.subscribe(prefix, listener)
      watch.start()
      return unsubscribe
    },
    isHearing: connection.isHearing,
    sweep: (limit) => work.run(() => rows.sweep(limit, clock.now())),
    async close() {
      work.end()
      watch.stop()
      await work.settle()
      connection.close()
    },
  }
}

function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&')
}
