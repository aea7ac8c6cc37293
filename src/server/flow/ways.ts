/**
 * The ways to sign in for what a flow is about: all that are configured, unless its backend demands one of
 * them (`signInWith`).
 *
 * A session counts only when it was opened in one of these ways. So who is signed in at one provider is
 * asked again where another is demanded, and a provider that was taken out of the configuration vouches
 * for nobody any more (catalogue UP-12).
 */
import type { RequestContext } from '../../context.ts'
import type { LiveSession } from '../../identity/sessions.ts'
import type { Upstream } from '../../identity/upstream.ts'
import { localUpstream } from '../../identity/users.ts'
import type { Flow } from '../../storage/records/flow.ts'

/** What decides about the ways. */
export type Ports = Pick<RequestContext, 'config' | 'upstreams' | 'applications' | 'localSignIn'>

/** How people may sign in. */
export interface Ways {
  /** With e-mail and password. */
  readonly local: boolean
  /** At identity providers, in the order of their buttons. */
  readonly upstreams: readonly Upstream[]
}

/** The ways that count for a resource. */
export function findWays({ resource }: Pick<Flow, 'resource'>, context: Ports): Ways {
  const { backends } = context.config
  const demanded = backends.find((backend) => backend.resource === resource)?.signInWith
  const isWay = (id: string): boolean => demanded === undefined || demanded === id
  return {
    local: context.localSignIn && isWay(localUpstream),
    upstreams: [...context.upstreams.values()].filter(({ id }) => isWay(id)),
  }
}

/** The only way to sign in, if it is a single provider: then its page needs no page of ours before it. */
export function findOnlyUpstream(
  flow: Pick<Flow, 'resource'>,
  context: Ports,
): Upstream | undefined {
  const { local, upstreams } = findWays(flow, context)
  const [only, ...others] = upstreams
  return local || others.length > 0 ? undefined : only
}

/** What a session has to count for. */
interface Purpose {
  readonly resource: string
  readonly applicationId?: string | undefined
}

/** The session, if it counts for this resource and, at a provider that knows each client, for this client. */
export function keepCounting(
  session: LiveSession | undefined,
  purpose: Purpose,
  context: Ports,
): LiveSession | undefined {
  if (!session) return undefined
  const { local, upstreams } = findWays(purpose, context)
  if (session.upstream === localUpstream) return local ? session : undefined
  const upstream = upstreams.find(({ id }) => id === session.upstream)
  if (!upstream) return undefined
  const application = findApplication(upstream, purpose, context)
  return application === undefined || application === session.applicationId ? session : undefined
}

/**
 * The application at the provider in whose name the person is asked (`registration: management`). Undefined:
 * the provider's one client, as for clients that the owner registered here.
 */
export function findApplication(
  { id }: Pick<Upstream, 'id'>,
  { applicationId }: Pick<Purpose, 'applicationId'>,
  { applications }: Pick<Ports, 'applications'>,
): string | undefined {
  return applications?.upstreamId === id ? applicationId : undefined
}
