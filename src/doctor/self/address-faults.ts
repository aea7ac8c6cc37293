/** Whether the public URL leads here, and to this installation. */
import { isObject, readObject, readText } from '../documents.ts'
import type { Finding } from '../finding.ts'
import type { Observation } from '../observation.ts'
import type { SelfFacts } from './self-facts.ts'

const none = { breaks: [] as const }

/** Faults of the way in: DNS, proxies, paths, redirects, another server. */
export function findAddressFaults(facts: SelfFacts): Finding[] {
  const { metadata } = facts.address
  const first = metadata ?? facts.address.resources[0]?.metadata
  if (first === undefined) return []
  if (first.response === undefined) return [toUnreachable(facts, first)]
  const broken = findBrokenDocument(facts, first)
  if (broken !== undefined) return [broken]
  return [
    ...(metadata ? findIssuerFault(facts, metadata) : []),
    ...findForeignKeys(facts),
    ...findResourceFaults(facts),
  ]
}

function toUnreachable({ publicUrl }: SelfFacts, seen: Observation): Finding {
  const { kind, detail } = seen.failure ?? { kind: 'not-sent', detail: 'no answer' }
  const isName = kind === 'name-not-found'
  const isCertificate = kind === 'certificate' || kind === 'tls'
  return {
    ...none,
    id: 'self-unreachable',
    severity: 'fault',
    title: 'The public URL does not answer',
    seen: `${publicUrl} could not be asked from this machine: ${detail}.`,
    why: 'Clients reach Gatehouse at the public URL alone; every document names it.',
    fix: isName
      ? 'Create the DNS record of the host, or correct publicUrl.'
      : isCertificate
        ? 'Give the proxy a certificate for this host with its whole chain.'
        : 'Start Gatehouse, and let proxy, tunnel and firewall pass the public URL on to it. Some networks do not lead back to their own public address: then ask from outside, with gatehouse doctor and the MCP URL.',
    gatehouse: 'publicUrl',
    evidence: [seen],
  }
}

function findBrokenDocument({ publicUrl }: SelfFacts, seen: Observation): Finding | undefined {
  const { status = 0, headers = {} } = seen.response ?? {}
  if (readObject(seen) !== undefined) return undefined
  const isRedirect = status >= 300 && status < 400
  const type = headers['content-type'] ?? 'no content type'
  return {
    ...none,
    id: isRedirect ? 'self-redirected' : 'self-not-gatehouse',
    severity: 'fault',
    title: isRedirect
      ? 'The public URL redirects to somewhere else'
      : 'Something else than Gatehouse answers at the public URL',
    seen: isRedirect
      ? `${seen.request.url} was answered ${status} to ${headers['location'] ?? 'nowhere'}.`
      : `${seen.request.url} was answered ${status} with ${type}.`,
    why: 'Clients take the issuer byte by byte, do not follow redirects to another one, and parse the document as JSON.',
    fix: isRedirect
      ? `Set publicUrl to the address that the redirect leads to, or take the redirect of ${publicUrl} away.`
      : 'Let the proxy pass every path on unchanged, /.well-known/ included, and switch its error and challenge pages off for them.',
    gatehouse: 'publicUrl',
    evidence: [seen],
  }
}

function findIssuerFault({ publicUrl }: SelfFacts, metadata: Observation): Finding[] {
  const issuer = readText(readObject(metadata), 'issuer')
  if (issuer === publicUrl) return []
  return [
    {
      ...none,
      id: 'self-issuer-differs',
      severity: 'fault',
      title: 'The server that answers has another issuer than is configured here',
      seen: `Its metadata says ${JSON.stringify(issuer) ?? 'nothing'}, publicUrl is ${JSON.stringify(publicUrl)}.`,
      why: 'Clients compare the issuer byte by byte with the address they asked.',
      fix: 'Restart the server with this configuration, or look at the one it was started with: gatehouse config show.',
      gatehouse: 'publicUrl',
      evidence: [metadata],
    },
  ]
}

/** The key set of the same store has at least one of its keys; a store that is not there yet has none. */
function findForeignKeys({ address, keys, data }: SelfFacts): Finding[] {
  const seen = address.keySet
  const published = readObject(seen)?.['keys']
  const own = keys.kids ?? (isMissing(data) ? [] : undefined)
  if (seen === undefined || !Array.isArray(published) || own === undefined) return []
  const kids = published.filter(isObject).map((key) => readText(key, 'kid') ?? '')
  if (kids.length === 0 || kids.some((kid) => own.includes(kid))) return []
  return [
    {
      ...none,
      id: 'self-other-installation',
      severity: 'fault',
      title: 'A Gatehouse with another store answers at the public URL',
      seen: `It publishes the keys ${kids.join(', ')}, ${own.length === 0 ? 'there is no store here' : `this store has ${own.join(', ')}`}.`,
      why: 'Commands with this configuration change a store that the server does not use.',
      fix: 'Name the store of the server, with --config, --data or --store as it was started; or stop the other server.',
      gatehouse: 'store, data',
      evidence: [seen],
    },
  ]
}

function isMissing({ driver, schema, problem }: SelfFacts['data']): boolean {
  return driver !== 'memory' && schema === undefined && problem === undefined
}

function findResourceFaults({ address }: SelfFacts): Finding[] {
  return address.resources.flatMap(({ backend, resource, metadata }): Finding[] => {
    const said = readText(readObject(metadata), 'resource')
    if (said === resource) return []
    const { status } = metadata.response ?? {}
    return [
      {
        ...none,
        id: 'self-resource-differs',
        severity: 'fault',
        title: `The metadata of ${backend} is not there, or is of another address`,
        seen: `${metadata.request.url} was answered ${status ?? 'nothing'}${said === undefined ? '' : ` with the resource ${said}`}; it should be ${resource}.`,
        why: 'Clients compare the resource with the URL that was typed into them, and stop when it is another.',
        fix: 'Restart the server with this configuration, and let the proxy pass the path on unchanged.',
        gatehouse: 'publicUrl, backends[].path',
        evidence: [metadata],
      },
    ]
  })
}
