/** Whether the server can be reached at all, and by whom. */
import type { Check, Sighting } from '../finding.ts'
import type { Failure, HostFacts } from '../observation.ts'
import { readLocation, tell } from '../reading.ts'
import type { SharedVisit, Visit } from '../visit.ts'

/** Facts of the host, when it was found. */
export function readHost({ host }: SharedVisit): HostFacts | undefined {
  return 'kind' in host ? undefined : host
}

/** Why nobody answered. Of a silent handshake the request itself saw only that no connection came about. */
function readFailure({ host, post }: SharedVisit): Failure | undefined {
  const before = 'kind' in host ? host : undefined
  return before?.kind === 'silent' ? before : (post.failure ?? before)
}

function findFailure({ shared }: Visit, ...kinds: readonly Failure['kind'][]) {
  const { post, url } = shared
  const failure = readFailure(shared)
  if (post.response || !failure || !kinds.includes(failure.kind)) return undefined
  return { seen: `${url.href}: ${failure.detail}`, evidence: [post] } satisfies Sighting
}

function findHost(visit: Visit, isSo: (host: HostFacts) => boolean, say: string) {
  const host = readHost(visit.shared)
  if (host === undefined || !isSo(host)) return undefined
  const addresses = [...host.ipv4, ...host.ipv6].filter((address) => address !== host.host)
  const seen = addresses.length === 0 ? '' : ` ${say} ${addresses.join(', ')}`
  return { seen: `The host ${host.host}${seen}`, evidence: [visit.shared.post] }
}

const nameNotFound: Check = {
  id: 'name-not-found',
  severity: 'fault',
  title: 'The host name does not exist',
  why: 'Without an address nobody can connect; a new name also takes a while until every resolver knows it.',
  fix: 'Check the URL for a typing error, then add an A record for the host at your DNS provider, or start the tunnel that owns the name.',
  gatehouse: 'publicUrl',
  breaks: [],
  stops: 'reach',
  find: (visit) => findFailure(visit, 'name-not-found'),
}

const ipv6Only: Check = {
  id: 'ipv6-only',
  severity: 'fault',
  title: 'The host has an IPv6 address only',
  why: 'Several hosted clients connect from IPv4 networks only.',
  fix: 'Add an A record with an IPv4 address beside the AAAA record, or put a proxy or tunnel in front that has one.',
  breaks: ['ipv4-address'],
  after: ['name-not-found'],
  find: (visit) =>
    findHost(visit, ({ ipv4, ipv6 }) => ipv4.length === 0 && ipv6.length > 0, 'resolves to'),
}

const connectionRefused: Check = {
  id: 'connection-refused',
  severity: 'fault',
  title: 'Nothing listens there',
  why: 'The machine answers and the port is closed: the server is not running, or listens on another port or on loopback only.',
  fix: 'Start the server, check the port of the URL, and let the server listen on an address that is reachable from outside (0.0.0.0 in a container).',
  gatehouse: 'host, port',
  breaks: [],
  stops: 'reach',
  after: ['ipv6-only'],
  find: (visit) => findFailure(visit, 'refused'),
}

const noAnswer: Check = {
  id: 'no-answer',
  severity: 'fault',
  title: 'No connection comes about',
  why: 'A firewall or security group drops the packets, or the address leads to no machine. Clients give up after ten seconds or so.',
  fix: 'Open the port in the firewall or security group of the machine, and check that the DNS record names the right one.',
  breaks: [],
  stops: 'reach',
  after: ['ipv6-only'],
  find: (visit) => findFailure(visit, 'timeout', 'unreachable'),
}

const acceptedWithoutAnswer: Check = {
  id: 'accepted-without-answer',
  severity: 'fault',
  title: 'The connection is accepted, and no answer comes',
  why: 'The network is open and something listens: the server hangs over the request, or a proxy or port forward takes connections for a server that does not. Clients give up after ten seconds or so.',
  fix: 'See in the log of the server whether the request arrives and what it waits for (a database, another service, the end of the body). Where it does not arrive, look at what stands in front: where the proxy, load balancer or docker -p leads.',
  breaks: [],
  stops: 'reach',
  after: ['ipv6-only'],
  find: (visit) => {
    const sighting = findFailure(visit, 'silent')
    if (sighting === undefined || !('kind' in visit.shared.host)) return sighting
    const fix =
      'Check that the port speaks TLS: what listens there takes the connection and does not answer the handshake. Terminate TLS in front of a server that speaks plain HTTP, or correct scheme and port of the URL.'
    return { ...sighting, fix }
  },
}

const brokenAnswer: Check = {
  id: 'broken-answer',
  severity: 'fault',
  title: 'What answers does not speak HTTP there, or ends the connection',
  why: 'The port belongs to another protocol (http asked by https, or the other way round), or the server crashes on the request.',
  fix: 'Check scheme and port of the URL; terminate TLS in front of a server that speaks plain HTTP.',
  breaks: ['valid-certificate'],
  stops: 'reach',
  after: ['ipv6-only'],
  find: (visit) => findFailure(visit, 'broken-answer', 'tls'),
}

const privateAddress: Check = {
  id: 'private-address',
  severity: 'fault',
  title: 'The address is reachable from this machine or network only',
  why: 'Hosted clients such as ChatGPT and Claude connect from the internet and refuse private addresses; programs on your own machine can connect.',
  fix: 'Give the server a public https address: deploy it, or start a tunnel and use its URL.',
  gatehouse: 'gatehouse serve --tunnel cloudflared, or publicUrl',
  breaks: ['public-address'],
  find: (visit) => findHost(visit, ({ isPublic }) => !isPublic, 'is'),
}

const portNot443: Check = {
  id: 'port-not-443',
  severity: 'fault',
  title: 'The port is not 443',
  why: 'Claude on the web never connects to another port.',
  fix: 'Serve it on port 443, by a reverse proxy in front of the port that you have now.',
  gatehouse: 'publicUrl',
  breaks: ['port-443'],
  after: ['private-address', 'plain-http', 'redirect-to-https'],
  find: ({ shared }) => {
    const host = readHost(shared)
    if (host === undefined || host.port === 443) return undefined
    return { seen: `${shared.url.href} is on port ${host.port}`, evidence: [shared.post] }
  },
}

const redirectToHttps: Check = {
  id: 'redirect-to-https',
  severity: 'fault',
  title: 'The URL begins with http and redirects to https',
  why: 'Clients do not repeat a POST after a redirect, or repeat it as GET, and a token would have crossed the network in the clear.',
  fix: 'Give clients the https URL.',
  breaks: ['no-redirect-on-mcp'],
  stops: 'reach',
  find: ({ shared }) => {
    const to = readLocation(shared.post)
    const isUpgrade = shared.url.protocol === 'http:' && to?.protocol === 'https:'
    if (!isUpgrade || to.hostname !== shared.url.hostname) return undefined
    const fix = `Give clients ${to.href} in place of ${shared.url.href}.`
    return { seen: tell(shared.post), evidence: [shared.post], fix }
  },
}

const plainHttp: Check = {
  id: 'plain-http',
  severity: 'fault',
  title: 'The server is reached without TLS',
  why: 'Hosted clients refuse http, and anybody on the way can read the tokens.',
  fix: 'Put the server behind https with a certificate: a reverse proxy such as Caddy, or a tunnel.',
  gatehouse: 'publicUrl',
  breaks: ['valid-certificate'],
  after: ['private-address', 'redirect-to-https'],
  find: ({ shared }) => {
    if (shared.url.protocol !== 'http:') return undefined
    return { seen: `The URL is ${shared.url.href}`, evidence: [shared.post] }
  },
}

/** Names, and whether something answers. */
export const reachChecks = [
  nameNotFound,
  ipv6Only,
  connectionRefused,
  noAnswer,
  acceptedWithoutAnswer,
  brokenAnswer,
]

/** Addresses and ports that some clients do not go to. */
export const addressChecks = [privateAddress, redirectToHttps, plainHttp, portNot443]
