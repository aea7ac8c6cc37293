/** What a person has already allowed a client, so that the consent page can say what is new. */
import type { RequestContext } from '../../context.ts'
import { expandScopes, parseScope } from '../../oauth/scope.ts'
import { grants, userGrants } from '../../storage/records/grant.ts'
import type { ShownJourney } from './journey.ts'

/** How many connections of one person are looked through. */
const grantsLookedAt = 200

/**
 * The scopes of the client's standing grants for this person and resource, narrower ones included.
 *
 * Undefined when nobody is signed in, or nothing was allowed yet: then nothing is new, or all of it. Where no
 * more than the defaults is asked for nobody looks: it is not a step up, and looking costs two reads.
 */
export async function findEarlierScopes(
  { flow, session, stage }: ShownJourney,
  { store, config }: RequestContext,
): Promise<ReadonlySet<string> | undefined> {
  if (!session || stage === 'approve') return undefined
  const { clientId, resource, scope } = flow.value
  const usual = [...config.defaultScopes, 'offline_access']
  if (parseScope(scope).every((name) => usual.includes(name))) return undefined
  const userId = session.user.record.value.id
  const listed = await userGrants.list(store, [userId], { limit: grantsLookedAt })
  const ids = listed
    .filter(({ value }) => value.clientId === clientId)
    .map(({ key }) => key.slice(key.lastIndexOf('/') + 1))
  if (ids.length === 0) return undefined
  const found = await store.get(ids.map((id) => grants.key(id)))
  const standing = found.flatMap((entry) => grants.decode(entry)?.value ?? [])
  const scopes = standing
    .filter((grant) => grant.resource === resource)
    .flatMap((grant) => parseScope(grant.scope))
  return scopes.length === 0 ? undefined : expandScopes(scopes, config.scopeHierarchy ?? {})
}
