/**
 * Brings the Redis server for the store tests.
 *
 * `REDIS_SERVER` names an executable; otherwise `redis-server` is looked for on the `PATH` and in
 * the usual places.
 */
import { bringProgram, type Program } from './packages.ts'

const redis: Program = {
  variable: 'REDIS_SERVER',
  names: ['redis-server'],
  places: [
    '/usr/bin/redis-server',
    '/usr/local/bin/redis-server',
    '/opt/homebrew/bin/redis-server',
  ],
}

/** The path of a `redis-server` executable; undefined when there is none and none may be installed. */
export function bringRedis(): string | undefined {
  return bringProgram(redis, ['redis-server'])
}
