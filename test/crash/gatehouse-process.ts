/**
 * A Gatehouse in a process of its own, over any store, that can be told to die at a point.
 *
 * Arguments: the store's URL or the path of a SQLite file; where to die as JSON, such as
 * `{"at":"after-commit","count":3}`; the URL of the backend, if one is called. Prints its address on the
 * first line of standard output. SIGTERM stops it as it stops `gatehouse serve`.
 */
import { createGatehouse } from '../../src/gatehouse.ts'
import { openStore, parseStoreUrl } from '../../src/operate/config/store.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { listen } from '../../src/platform/node-server.ts'
import type { Store } from '../../src/storage/store.ts'
import { keptLog, masterKey, noLimits } from '../helpers/gatehouse.ts'
import { instantUpstream } from '../helpers/instant-upstream.ts'
import { crashIssuer, type FailPoint } from './fail-point.ts'

const [place = '', point = 'null', backend = 'http://127.0.0.1:9/mcp'] = process.argv.slice(2)
const failPoint = JSON.parse(point) as FailPoint | null
const passed = { 'before-commit': 0, 'after-commit': 0, 'before-response': 0 }

/** Dies here, at once and without a word, when this is the point. */
function pass(at: FailPoint['at']): void {
  passed[at] += 1
  if (failPoint?.at === at && failPoint.count === passed[at]) process.kill(process.pid, 'SIGKILL')
}

/** A PostgreSQL of a test has no pooler in front, so hints are heard on the same URL. */
function openPlace(): Promise<Store> {
  const isUrl = /^[a-z]+:/.test(place)
  const directUrl = place.startsWith('postgres:') ? place : undefined
  const parsed = parseStoreUrl({ url: isUrl ? place : `sqlite:${place}`, directUrl })
  if ('problem' in parsed) throw new TypeError(`The store ${parsed.problem}`)
  return openStore(parsed.store, { clock: systemClock })
}

let counting = false
let origin = ''
const real = await openPlace()
const store: Store = {
  ...real,
  commit: async (change) => {
    if (counting) pass('before-commit')
    const done = await real.commit(change)
    if (counting) pass('after-commit')
    return done
  },
}

const gatehouse = await createGatehouse({
  issuer: crashIssuer,
  backends: [{ to: backend }],
  store,
  masterKey,
  limits: noLimits,
  upstreams: [instantUpstream(() => origin)],
  log: keptLog(),
  audit: () => {},
})
const server = await listen(
  async (request, env) => {
    const response = await gatehouse.fetch(request, env)
    pass('before-response')
    return response
  },
  { host: '127.0.0.1', port: 0 },
)
counting = true
origin = `http://localhost:${server.port}`
process.stdout.write(`${origin}\n`)

async function stop(): Promise<void> {
  await server.close()
  await gatehouse.close()
  await store.close()
}
process.once('SIGTERM', () => void stop())
