/** Where providers send the browser back to. */
import type { Upstream } from '../identity/upstream.ts'
import type { EndpointPaths } from '../oauth/endpoint-paths.ts'

/** Path of our callback at a provider: its own, else `/callback/<id>` below the base path (S8). */
export function toCallbackPath(
  { id, callbackPath }: Pick<Upstream, 'id' | 'callbackPath'>,
  { callback }: Pick<EndpointPaths, 'callback'>,
): string {
  return callbackPath ?? `${callback}/${id}`
}
