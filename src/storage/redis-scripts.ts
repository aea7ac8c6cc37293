/**
 * What runs inside Redis: one Lua script for a commit, one for a slice of a sweep.
 *
 * Redis runs a script to its end before anything else, so it is the transaction. It is not undone
 * when a command in it fails: the first one that writes is refused when memory is full, on a replica
 * or while the disk is broken, and after it none of the others can be. That the user's permissions and
 * the types of the keys suffice is found out when the store is opened.
 *
 * Every key that a script touches is declared, as Redis Cluster and proxies demand.
 */
import { createHash } from 'node:crypto'
import { OAuthError } from '../errors.ts'

/** A script and the name that Redis caches it under. */
export interface RedisScript {
  readonly source: string
  readonly sha1: string
}

function toScript(source: string): RedisScript {
  return { source, sha1: createHash('sha1').update(source).digest('hex') }
}

/**
 * A commit. `KEYS`: names, expiries, sequence; then the keys checked, set, deleted. `ARGV`: now, where in a
 * key its name begins, the channels' prefix, how many are checked, how many set; then for each check
 * its version (empty: must not exist), for each set value, expiry (or empty) and eviction in
 * milliseconds (or empty).
 *
 * @returns 1, or 0 when a check failed
 */
export const commitScript = toScript(`
local names, expiries, sequence = KEYS[1], KEYS[2], KEYS[3]
local now, from, channel = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local checks, sets = tonumber(ARGV[4]), tonumber(ARGV[5])

for i = 1, checks do
  local head = redis.call('GETRANGE', KEYS[3 + i], 0, 63)
  local version, expiry = string.match(head, '^(%d+) (%-?%d*) ')
  if expiry and expiry ~= '' and tonumber(expiry) <= now then version = nil end
  if (version or '') ~= ARGV[5 + i] then return 0 end
end

local version = ''
if sets > 0 then version = string.format('%.0f', redis.call('INCR', sequence)) end
for i = 1, sets do
  local key = KEYS[3 + checks + i]
  local name = string.sub(key, from)
  local at = 5 + checks + 3 * i
  local value, expiry, eviction = ARGV[at - 2], ARGV[at - 1], ARGV[at]
  local text = version .. ' ' .. expiry .. ' ' .. value
  redis.call('ZADD', names, 0, name)
  if expiry == '' then
    redis.call('SET', key, text)
    redis.call('ZREM', expiries, name)
  else
    redis.call('SET', key, text, 'PX', eviction)
    redis.call('ZADD', expiries, expiry, name)
  end
end
for i = 4 + checks + sets, #KEYS do
  local name = string.sub(KEYS[i], from)
  redis.call('DEL', KEYS[i])
  redis.call('ZREM', names, name)
  redis.call('ZREM', expiries, name)
end
for i = 4 + checks, #KEYS do
  redis.pcall('PUBLISH', channel .. string.sub(KEYS[i], from), '')
end
return 1
`)

/**
 * A slice of a sweep. `KEYS`: names, expiries; then the keys that had expired a moment ago. `ARGV`: now,
 * where in a key its name begins.
 *
 * @returns how many of them are gone now
 */
export const sweepScript = toScript(`
local names, expiries = KEYS[1], KEYS[2]
local now, from = tonumber(ARGV[1]), tonumber(ARGV[2])
local gone = 0
for i = 3, #KEYS do
  local name = string.sub(KEYS[i], from)
  local expiry = redis.call('ZSCORE', expiries, name)
  if expiry and tonumber(expiry) <= now then
    redis.call('DEL', KEYS[i])
    redis.call('ZREM', names, name)
    redis.call('ZREM', expiries, name)
    gone = gone + 1
  end
end
return gone
`)

/** Runs a script: by its cached name, and in full when Redis does not know it (any more). */
export async function runScript(
  run: (args: readonly string[]) => Promise<unknown>,
  script: RedisScript,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  const rest = [String(keys.length), ...keys, ...args]
  try {
    return await run(['EVALSHA', script.sha1, ...rest])
  } catch (error) {
    // It did not run, so it may be sent again.
    if (!(error instanceof OAuthError) || error.reason !== 'store_noscript') throw error
    return run(['EVAL', script.source, ...rest])
  }
}
