/** What is measured, and for each operation the servers that do it. */
import { createClient } from './client.ts'
import { bareName, type Contender, floorName, type IsWanted, peerName } from './contenders.ts'
import { prepareDocuments, prepareIssuers } from './issuers.ts'
import { toCycle, toRefresh, toRegister } from './lanes.ts'
import { prepareProxies } from './proxies.ts'
import type { Workshop } from './workshop.ts'

/** One thing a server does. */
export interface Operation {
  readonly name: string
  /** What one operation is, for the report. */
  readonly about: string
  /** Whom the ratios of the table compare with. */
  readonly base: string
  prepare(workshop: Workshop, isWanted: IsWanted): Promise<Contender[]>
}

/** Everything that is measured under load, in the order of the report. */
export const operations: readonly Operation[] = [
  {
    name: 'refresh',
    about: 'POST /token, grant_type=refresh_token: a rotation and a new access token',
    base: peerName,
    async prepare(workshop, isWanted) {
      const [bare, ...others] = await prepareIssuers(workshop, isWanted, toRefresh)
      const floor = await workshop.start({ kind: 'signing-floor' })
      const client = createClient(floor.send, floor)
      const tokens = { clientId: 'x'.repeat(36), accessToken: '', refreshToken: 'x'.repeat(80) }
      const operate = async () => void (await client.refresh(tokens))
      return [...(bare ? [bare] : []), { name: floorName, server: floor, operate }, ...others]
    },
  },
  {
    name: 'cycle',
    about:
      'GET /authorize to tokens: person signed in, consent page shown and allowed, code traded',
    base: peerName,
    prepare: (workshop, isWanted) => prepareIssuers(workshop, isWanted, toCycle),
  },
  {
    name: 'register',
    about: 'POST /register: a dynamic registration of a public client',
    base: peerName,
    prepare: (workshop, isWanted) => prepareIssuers(workshop, isWanted, toRegister),
  },
  {
    name: 'metadata',
    about: 'GET /.well-known/oauth-authorization-server; bare serves the same bytes and headers',
    base: bareName,
    prepare: (workshop, isWanted) =>
      prepareDocuments(workshop, isWanted, ({ paths }) => paths.metadata),
  },
  {
    name: 'jwks',
    about: 'GET /jwks; bare serves the same bytes and headers',
    base: bareName,
    prepare: (workshop, isWanted) =>
      prepareDocuments(workshop, isWanted, ({ paths }) => paths.jwks),
  },
  {
    name: 'proxy',
    about: 'POST /mcp through the gate: 200 bytes in, 600 bytes of JSON out',
    base: 'undici only',
    prepare: prepareProxies,
  },
]
