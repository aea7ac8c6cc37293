/**
 * A Gatehouse in a process of its own whose people sign in at the rotating provider.
 *
 * Arguments: the path of a SQLite file; the address of the provider; the URL of the backend, which gets the
 * provider's token; by how many seconds its clock is ahead. Prints its address on the first line.
 */
import { createGatehouse } from '../../src/gatehouse.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { listen } from '../../src/platform/node-server.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import { crashIssuer } from '../crash/fail-point.ts'
import { keptLog, masterKey, noLimits } from '../helpers/gatehouse.ts'
import { rotatingUpstream } from '../identity/rotating-provider.ts'

const [path = '', provider = '', backend = '', ahead = '0'] = process.argv.slice(2)
const clock = { now: () => systemClock.now() + Number(ahead) }
let origin = ''
const gatehouse = await createGatehouse({
  issuer: crashIssuer,
  backends: [{ to: backend, forward: 'upstream-token' }],
  store: await sqliteStore({ path, clock }),
  masterKey,
  clock,
  limits: noLimits,
  upstreams: [rotatingUpstream(provider, clock.now, () => origin)],
  log: keptLog(),
  audit: () => {},
})
const server = await listen((request, env) => gatehouse.fetch(request, env), {
  host: '127.0.0.1',
  port: 0,
})
origin = `http://localhost:${server.port}`
process.stdout.write(`${origin}\n`)
