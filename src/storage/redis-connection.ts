/**
 * The one connection of a Redis store: kept alive, replaced when it is lost, silent or at the wrong server.
 *
 * One connection is enough, as commands are sent without waiting for each other's reply, and it keeps
 * their order: whoever subscribes and then reads hears of everything that was written after the read.
 *
 * A Redis Cluster needs little more, since all our keys are in one slot: the connection follows the
 * slot's `MOVED`, asks once a minute which servers there are, and tries each when its own is gone. A command is
 * sent again only after `MOVED`, which says that it did not run; in every other case the caller hears
 * `temporarily_unavailable` and cannot know.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { unavailable } from '../errors.ts'
import type { Log } from '../platform/ports.ts'
import {
  findMovedTo,
  findReplyCode,
  type RedisAddress,
  type RedisClient,
  type RedisNode,
  toStoreFault,
} from './redis-client.ts'
import { createNodes, listNodes, type Nodes } from './redis-nodes.ts'

/** Runs commands, for as long as the store is open. */
export interface RedisConnection {
  /** @throws OAuthError `temporarily_unavailable`; it is then unknown whether the command ran */
  run(args: readonly string[]): Promise<unknown>
  /** Lets the channels that match a glob pattern be heard, from now on and on every later connection. */
  listen(pattern: string): void
  /** Whether there is a connection on which everything that is listened to can be heard. */
  isHearing(): boolean
  close(): void
}

/** What a connection is made from, and who is told what arrives on it. */
export interface ConnectionOptions {
  readonly address: RedisAddress
  readonly create: (address: RedisAddress) => RedisClient
  readonly onMessage: (channel: string) => void
  /** Called after a reconnect, when messages arrive again: those in between are lost. */
  readonly onBack: () => void
  readonly log: Log | undefined
}

/** How long a command may wait for a connection. Short: a person or a client is waiting. */
const offlineMilliseconds = 1000

/** How long a reply, or setting up a connection, may take before the server counts as gone. */
const replyMilliseconds = 5000

const firstPauseMilliseconds = 25
const longestPauseMilliseconds = 1000

/** How often a cluster is asked for its servers. A connection on which one only listens is found dead by it, too. */
const learnMilliseconds = 10_000

/** Most servers that one command is sent on to. */
const mostMoves = 5

/**
 * Connects.
 *
 * @throws Error of the client when the first connection cannot be made
 */
export async function connectToRedis(options: ConnectionOptions): Promise<RedisConnection> {
  const nodes = createNodes(options.address)
  const link = createLink(options, nodes)
  await link.open()

  /** Draws the conclusions from a failed command. True when it can be sent again. */
  const judge = (used: RedisClient, error: unknown): boolean => {
    if (toStoreFault(error).reason === 'store_timeout') link.lose(used, error)
    const target = findMovedTo(error, nodes.current())
    // A replica answers READONLY: the primary has changed behind the name that we were given.
    if (!target && findReplyCode(error) !== 'READONLY') return false
    if (target && link.current() === used) nodes.prefer(target)
    if (link.leave(used)) used.close().catch(() => {})
    return target !== undefined
  }
  const learn = async (): Promise<void> => {
    const asked = link.current()
    if (!asked) return
    try {
      nodes.learn(await withDeadline(listNodes(asked), replyMilliseconds, 'store_timeout'))
    } catch (error) {
      link.lose(asked, error)
    }
  }
  const learning = setInterval(() => void learn(), learnMilliseconds).unref()
  return {
    async run(args) {
      for (let moves = 0; ; moves++) {
        const used = await link.find()
        try {
          return await withDeadline(used.sendCommand(args), replyMilliseconds, 'store_timeout')
        } catch (error) {
          if (!judge(used, error) || moves === mostMoves) throw toStoreFault(error)
        }
      }
    },
    listen: link.listen,
    isHearing: link.isHearing,
    close() {
      clearInterval(learning)
      link.end()
    },
  }
}

/** Holds a connected client, or looks for one. */
function createLink({ address, create, onMessage, onBack, log }: ConnectionOptions, nodes: Nodes) {
  const channels = createChannels(onMessage, log)
  const ending = new AbortController()
  let client: RedisClient | undefined
  let next = Promise.withResolvers<RedisClient>()

  const open = async (): Promise<void> => {
    const opened = create({ ...address, ...nodes.current() })
    opened.on('error', (error) => lose(opened, error))
    try {
      nodes.learn(await withDeadline(setUp(opened), replyMilliseconds, 'store_timeout'))
      ending.signal.throwIfAborted()
    } catch (error) {
      opened.destroy()
      throw error
    }
    client = opened
    next.resolve(opened)
  }
  const reopen = async (): Promise<void> => {
    next = Promise.withResolvers()
    for (let attempt = 0; !ending.signal.aborted; attempt++) {
      try {
        await pause(attempt, ending.signal)
        await open()
        channels.hearAgain(client, onBack)
        return log?.info('redis is connected again')
      } catch {
        nodes.skip()
      }
    }
  }
  const leave = (left: RedisClient): boolean => {
    if (client !== left) return false
    client = undefined
    void reopen()
    return true
  }
  const lose = (lost: RedisClient, error: unknown): void => {
    if (leave(lost)) log?.warn('redis connection lost', { error })
    lost.destroy()
  }
  return {
    open,
    /** The client, if there is one. */
    current: () => client,
    /** The client, soon. */
    find: (): RedisClient | Promise<RedisClient> =>
      client ?? withDeadline(next.promise, offlineMilliseconds, 'store_offline'),
    /** Stops using a client and looks for another. False when that happened before. */
    leave,
    /** The same, for one that is of no use any more. */
    lose,
    listen: (pattern: string): void => channels.listen(client, pattern),
    isHearing: (): boolean => client !== undefined && channels.areHeardOn(client),
    end(): void {
      ending.abort()
      client?.destroy()
      client = undefined
    },
  }
}

/** The patterns that are listened to, on whatever client there is. */
function createChannels(onMessage: (channel: string) => void, log: Log | undefined) {
  const patterns = new Set<string>()
  /** How many of them each client was told to be heard on it. */
  const heard = new WeakMap<RedisClient, number>()
  const tell = (_message: string, channel: string): void => onMessage(channel)
  const fail = (error: unknown): void => {
    // A lost connection is no refusal: the next one hears them all again.
    if (findReplyCode(error)) log?.warn('redis refuses subscriptions', { error })
  }
  const subscribe = async (client: RedisClient, wanted: string[]): Promise<void> => {
    await client.pSubscribe(wanted, tell)
    heard.set(client, (heard.get(client) ?? 0) + wanted.length)
  }
  return {
    listen(client: RedisClient | undefined, pattern: string): void {
      if (patterns.has(pattern)) return
      patterns.add(pattern)
      if (client) subscribe(client, [pattern]).catch(fail)
    },
    hearAgain(client: RedisClient | undefined, then: () => void): void {
      if (client && patterns.size > 0) subscribe(client, [...patterns]).then(then, fail)
    },
    areHeardOn: (client: RedisClient): boolean => (heard.get(client) ?? 0) === patterns.size,
  }
}

/** Connects, and asks for the other servers of the cluster. */
async function setUp(client: RedisClient): Promise<RedisNode[]> {
  await client.connect()
  return listNodes(client)
}

function withDeadline<T>(work: Promise<T>, milliseconds: number, reason: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(unavailable(reason)), milliseconds)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  if (attempt === 0) return
  const wanted = firstPauseMilliseconds * 2 ** (attempt - 1)
  await sleep(Math.min(wanted, longestPauseMilliseconds), undefined, { signal })
}
