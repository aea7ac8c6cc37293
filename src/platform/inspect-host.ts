/** What is known of a host without asking it for anything: its addresses, and its side of a TLS handshake. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import {
  createLateHandshake,
  findCertificateProblem,
  type ProbeFailure,
  toProbeFailure,
} from './probe-failure.ts'
import { isPublicAddress } from './special-use.ts'

/** What is known of a host. */
export interface HostFacts {
  readonly host: string
  readonly port: number
  /** Addresses its name resolves to. */
  readonly ipv4: readonly string[]
  readonly ipv6: readonly string[]
  /** Whether every address is a public one. */
  readonly isPublic: boolean
  /** The certificate, over https. */
  readonly certificate?: HostCertificate
  /** What the handshake agreed on: `h2`, `http/1.1`. */
  readonly protocol?: string
}

/** A certificate as the host showed it. */
export interface HostCertificate {
  readonly subject: string
  readonly issuer: string
  /** Unix seconds. */
  readonly validFrom: number
  readonly validTo: number
  /** Why Node does not trust it; absent when it does. */
  readonly problem?: string
}

/** Looks a host up: DNS, and the TLS handshake for https. Never throws. */
export type InspectHost = (url: URL) => Promise<HostFacts | ProbeFailure>

/** How hosts are looked up. */
export interface InspectOptions {
  /** For DNS and the handshake, each. Default 10. */
  readonly deadlineSeconds?: number
  /** Leaves hosts that are not public alone: they are looked up and not connected to. */
  readonly isPublicOnly?: boolean
  /** Certificates that are trusted in place of the machine's, for tests. */
  readonly ca?: string
}

/** Makes the function that looks hosts up. */
export function createInspectHost(options: InspectOptions = {}): InspectHost {
  return async (url) => {
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
    try {
      const addresses = await resolveAddresses(host, (options.deadlineSeconds ?? 10) * 1000)
      const facts = toFacts(host, port, addresses)
      const isLeftAlone = options.isPublicOnly === true && !facts.isPublic
      if (url.protocol !== 'https:' || isLeftAlone) return facts
      return { ...facts, ...(await shakeHands(facts, options)) }
    } catch (error) {
      return toProbeFailure(error)
    }
  }
}

async function resolveAddresses(host: string, deadlineMs: number): Promise<string[]> {
  if (isIP(host) !== 0) return [host]
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    const late = Object.assign(new Error('DNS is slow'), { code: 'EAI_AGAIN' })
    timer = setTimeout(() => reject(late), deadlineMs)
  })
  try {
    const found = await Promise.race([lookup(host, { all: true }), deadline])
    return found.map(({ address }) => address)
  } finally {
    clearTimeout(timer)
  }
}

function toFacts(host: string, port: number, addresses: readonly string[]): HostFacts {
  return {
    host,
    port,
    ipv4: addresses.filter((address) => isIP(address) === 4),
    ipv6: addresses.filter((address) => isIP(address) === 6),
    isPublic: addresses.every(isPublicAddress),
  }
}

/** A handshake that takes any certificate, so that a bad one can be described. Nothing is sent over it. */
async function shakeHands(
  { host, port, ipv4, ipv6 }: HostFacts,
  options: InspectOptions,
): Promise<Pick<HostFacts, 'certificate' | 'protocol'>> {
  const socket = connect({
    host: options.isPublicOnly === true ? (ipv4[0] ?? ipv6[0] ?? host) : host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ['h2', 'http/1.1'],
    rejectUnauthorized: false,
    timeout: (options.deadlineSeconds ?? 10) * 1000,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  })
  try {
    await new Promise<void>((resolve, reject) => {
      let isAccepted = false
      socket.once('secureConnect', resolve).once('error', reject)
      socket.once('connect', () => {
        isAccepted = true
      })
      socket.once('timeout', () => reject(createLateHandshake(isAccepted)))
    })
    const { alpnProtocol } = socket
    return {
      certificate: describeCertificate(socket, socket.getPeerCertificate()),
      ...(typeof alpnProtocol === 'string' ? { protocol: alpnProtocol } : {}),
    }
  } finally {
    socket.destroy()
  }
}

function describeCertificate(socket: TLSSocket, shown: PeerCertificate): HostCertificate {
  const code = socket.authorized ? undefined : String(socket.authorizationError)
  return {
    subject: toName(shown.subject?.CN) || (shown.subjectaltname ?? ''),
    issuer: toName(shown.issuer?.O) || toName(shown.issuer?.CN),
    validFrom: Math.floor(Date.parse(shown.valid_from) / 1000),
    validTo: Math.floor(Date.parse(shown.valid_to) / 1000),
    ...(code === undefined ? {} : { problem: findCertificateProblem(code) ?? 'it is not trusted' }),
  }
}

function toName(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(', ') : (value ?? '')
}
