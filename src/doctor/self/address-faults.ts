/** Whether the public URL leads here, and to this installation. */
import { parseBearerChallenge } from '../challenge.ts'
import { isObject, readObject, readText } from '../documents.ts'
import { createFinding } from '../explained.ts'
import type { Finding } from '../finding.ts'
import type { Observation } from '../observation.ts'
import { tell } from '../reading.ts'
import { selfExplanations } from './explanations.ts'
import type { SelfFacts } from './self-facts.ts'

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
    ...findPathFaults(facts),
  ]
}

function toUnreachable({ publicUrl }: SelfFacts, seen: Observation): Finding {
  const { kind, detail } = seen.failure ?? { kind: 'not-sent', detail: 'no answer' }
  const isName = kind === 'name-not-found'
  const isCertificate = kind === 'certificate' || kind === 'tls'
  return createFinding(selfExplanations, 'self-unreachable', {
    seen: `${publicUrl} could not be asked from this machine: ${detail}.`,
    fix: isName
      ? 'Create the DNS record of the host, or correct publicUrl.'
      : isCertificate
        ? 'Give the proxy a certificate for this host with its whole chain.'
        : 'Start Gatehouse, and let proxy, tunnel and firewall pass the public URL on to it. Some networks do not lead back to their own public address: then ask from outside, with gatehouse doctor and the MCP URL.',
    evidence: [seen],
  })
}

function findBrokenDocument({ publicUrl }: SelfFacts, seen: Observation): Finding | undefined {
  const { status = 0, headers = {} } = seen.response ?? {}
  if (readObject(seen) !== undefined) return undefined
  const answered = `${seen.request.url} was answered ${status}`
  if (status >= 300 && status < 400)
    return createFinding(selfExplanations, 'self-redirected', {
      seen: `${answered} to ${headers['location'] ?? 'nowhere'}.`,
      fix: `Set publicUrl to the address that the redirect leads to, or take the redirect of ${publicUrl} away.`,
      evidence: [seen],
    })
  return createFinding(selfExplanations, 'self-not-gatehouse', {
    seen: `${answered} with ${headers['content-type'] ?? 'no content type'}.`,
    evidence: [seen],
  })
}

function findIssuerFault({ publicUrl }: SelfFacts, metadata: Observation): Finding[] {
  const issuer = readText(readObject(metadata), 'issuer')
  if (issuer === publicUrl) return []
  return [
    createFinding(selfExplanations, 'self-issuer-differs', {
      seen: `Its metadata says ${JSON.stringify(issuer) ?? 'nothing'}, publicUrl is ${JSON.stringify(publicUrl)}.`,
      evidence: [metadata],
    }),
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
    createFinding(selfExplanations, 'self-other-installation', {
      seen: `It publishes the keys ${kids.join(', ')}, ${own.length === 0 ? 'there is no store here' : `this store has ${own.join(', ')}`}.`,
      evidence: [seen],
    }),
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
      createFinding(selfExplanations, 'self-resource-differs', {
        seen: `${backend}: ${metadata.request.url} was answered ${status ?? 'nothing'}${said === undefined ? '' : ` with the resource ${said}`}; it should be ${resource}.`,
        evidence: [metadata],
      }),
    ]
  })
}

/** The gate answers whoever has no token 401, with a challenge that names the metadata. */
function findPathFaults({ address }: SelfFacts): Finding[] {
  return address.resources.flatMap(({ backend, gate }): Finding[] => {
    if (gate === undefined || isOfGate(gate)) return []
    return [
      createFinding(selfExplanations, 'self-path-not-passed', {
        seen: `${backend}: ${tell(gate)}, and the gate answers 401 with a Bearer challenge.`,
        evidence: [gate],
      }),
    ]
  })
}

function isOfGate({ response }: Observation): boolean {
  const challenge = parseBearerChallenge(response?.headers['www-authenticate'])
  return response?.status === 401 && challenge?.parameters['resource_metadata'] !== undefined
}
