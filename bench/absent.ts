/** Who cannot take part on this machine, and what would have to be installed. */
import { spawnSync } from 'node:child_process'
import { type Issuer, issuers } from './contenders.ts'
import { arePeersInstalled, installCommand } from './peers/load.ts'

/** One who is missing. */
export interface Absent {
  readonly id: string
  readonly name: string
  /** What to do about it. */
  readonly remedy: string
}

const nested: readonly Issuer['kind'][] = ['workers-oauth-provider', 'better-auth']

/** All who are missing. */
export function findAbsent(): readonly Absent[] {
  const hasPeers = arePeersInstalled()
  const redis = process.env.REDIS_SERVER ?? 'redis-server'
  const hasRedis = spawnSync(redis, ['--version'], { stdio: 'ignore' }).status === 0
  return issuers.flatMap(({ id, name, kind, store }) => {
    if (!hasPeers && nested.includes(kind)) return [{ id, name, remedy: installCommand }]
    const remedy = 'install redis-server (Debian, Ubuntu: apt-get install redis-server)'
    return !hasRedis && store === 'redis' ? [{ id, name, remedy }] : []
  })
}
