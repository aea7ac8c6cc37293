/** Which servers a Redis connection can go to: the one from the configuration, and a cluster's others. */
import { findReplyCode, type RedisClient, type RedisNode } from './redis-client.ts'

/** The servers worth trying, the one to use first; there is always at least one. */
export interface Nodes {
  current(): RedisNode
  /** Takes this one from now on. */
  prefer(node: RedisNode): void
  /** Takes another one next. */
  skip(): void
  /** Keeps what a cluster said its servers are, and the one from the configuration. */
  learn(told: readonly RedisNode[]): void
}

/** Begins with the server from the configuration. */
export function createNodes(first: RedisNode): Nodes {
  let nodes: RedisNode[] = [first]
  const isOther =
    (node: RedisNode) =>
    ({ host, port }: RedisNode): boolean =>
      host !== node.host || port !== node.port
  return {
    current: () => nodes[0] ?? first,
    prefer(node) {
      nodes = [node, ...nodes.filter(isOther(node))]
    },
    skip() {
      nodes = [...nodes.slice(1), ...nodes.slice(0, 1)]
    },
    learn(told) {
      const [used = first] = nodes
      nodes = [used]
      for (const node of [...told, first]) if (nodes.every(isOther(node))) nodes.push(node)
    },
  }
}

/** The servers of the cluster; none when it is not a cluster or does not tell. */
export async function listNodes(client: RedisClient): Promise<RedisNode[]> {
  try {
    return readSlots(await client.sendCommand(['CLUSTER', 'SLOTS']))
  } catch (error) {
    if (findReplyCode(error)) return []
    throw error
  }
}

/** Reads `[[first slot, last slot, [host, port, …], …], …]` (redis.io/commands/cluster-slots). */
function readSlots(reply: unknown): RedisNode[] {
  if (!Array.isArray(reply)) return []
  return reply.flatMap((range) =>
    Array.isArray(range) ? range.slice(2).flatMap((node: unknown) => readNode(node) ?? []) : [],
  )
}

function readNode(node: unknown): RedisNode | undefined {
  if (!Array.isArray(node)) return undefined
  const [host, port]: unknown[] = node
  if (typeof host !== 'string' || host === '' || typeof port !== 'number') return undefined
  return { host, port }
}
