/** What `doctor --self` asks: the public URL, the identity providers, the backends. */
import { readFileSync } from 'node:fs'
import { createConfig } from '../config.ts'
import type { Config } from '../context.ts'
import { parseWebUrl } from '../doctor/documents.ts'
import type { Observation, Probe } from '../doctor/observation.ts'
import { createProbe } from '../doctor/observe.ts'
import type {
  AddressFacts,
  BackendFacts,
  DocumentFacts,
  ProcessFacts,
  ProviderFacts,
} from '../doctor/self/self-facts.ts'
import type { Upstream } from '../identity/upstream.ts'
import { readProgramEnvironment } from '../operate/config/program-environment.ts'
import type { GatehouseOptions } from '../options.ts'
import { createSend } from '../platform/probe.ts'
import { createPrograms, type Programs } from '../platform/programs.ts'
import { toCallbackUri } from '../server/flow/upstream-trip.ts'
import { findBackendProblem, renderProgram } from './probe.ts'
import { askDocuments } from './self-egress.ts'
import { readUserAgent } from './version.ts'

/** What was asked, and how it was answered. */
interface NetworkFacts {
  readonly address: AddressFacts
  readonly providers: readonly ProviderFacts[]
  readonly backends: readonly BackendFacts[]
  readonly documents: readonly DocumentFacts[]
}

/** Asks everything at once; each answer has ten seconds. */
export async function gatherNetwork(live: GatehouseOptions): Promise<NetworkFacts> {
  const config = createConfig(live)
  const probe = createProbe(createSend({ userAgent: readUserAgent('doctor') }))
  const programs = createPrograms(readProgramEnvironment())
  const [address, providers, backends, documents] = await Promise.all([
    askAddress(config, probe),
    Promise.all((live.upstreams ?? []).map((upstream) => askProvider(upstream, config, probe))),
    Promise.all(config.backends.map((backend) => askBackend(backend, programs))),
    askDocuments(config, live.fetchDocument),
  ])
  await programs.close()
  return { address, providers, backends, documents }
}

function ask(url: string, probe: Probe): Promise<Observation> {
  return probe({ method: 'GET', url, headers: { accept: 'application/json' } })
}

/** A Gatehouse that only verifies the tokens of another issuer has no metadata and no keys of its own. */
async function askAddress(config: Config, probe: Probe): Promise<AddressFacts> {
  const { issuer, backends, oauthEnabled, registration, paths } = config
  if (!oauthEnabled) return { resources: [] }
  const isServer = registration.mode !== 'verify'
  const [metadata, keySet, resources] = await Promise.all([
    isServer ? ask(`${issuer}/.well-known/oauth-authorization-server`, probe) : undefined,
    isServer ? ask(`${issuer}${paths.jwks}`, probe) : undefined,
    Promise.all(
      backends.map(async ({ id, path, resource, to, program }) => {
        const url = `${issuer}/.well-known/oauth-protected-resource${path === '/' ? '' : path}`
        const isGated = to !== undefined || program !== undefined
        const [metadata, gate] = await Promise.all([
          ask(url, probe),
          isGated ? ask(`${issuer}${path}`, probe) : undefined,
        ])
        return { backend: id, resource, metadata, gate }
      }),
    ),
  ])
  return { metadata, keySet, resources }
}

/** The issuer of a provider that is none of OpenID is the address of its interface. */
async function askProvider(
  upstream: Upstream,
  config: Config,
  probe: Probe,
): Promise<ProviderFacts> {
  const { id, label, issuer } = upstream
  const base = parseWebUrl(issuer)?.href.replace(/\/$/, '')
  const reached =
    base === undefined ? undefined : await ask(`${base}/.well-known/openid-configuration`, probe)
  if (reached?.failure !== undefined) return { id, label, reached }
  const callback = toCallbackUri(upstream, { config })
  const problem = await upstream.findProblem?.(callback).catch(() => undefined)
  return { id, label, reached, problem }
}

async function askBackend(
  backend: Config['backends'][number],
  programs: Programs,
): Promise<BackendFacts> {
  const problem = await findBackendProblem(backend, programs)
  const { id, to, program, resource } = backend
  const address = program ? renderProgram(program) : (to?.href ?? resource)
  return { id, address, problem }
}

/** The limits of this process, which are those of a server that is started in the same way. */
export function readLimits(): ProcessFacts {
  const memoryBytes = process.constrainedMemory()
  const isLimited = memoryBytes > 0 && memoryBytes < Number.MAX_SAFE_INTEGER
  return { openFiles: readOpenFiles(), memoryBytes: isLimited ? memoryBytes : undefined }
}

/** Linux alone tells without another program. */
function readOpenFiles(): number | undefined {
  if (process.platform !== 'linux') return undefined
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? []
  return soft === undefined ? undefined : Number(soft)
}
