/** Where the endpoints are, as it is configured: `paths.base`, one path for each endpoint, and aliases. */
import { z } from 'zod'
import {
  type EndpointName,
  type EndpointPathOptions,
  type EndpointPaths,
  endpointNames,
  resolveEndpointPaths,
} from '../../oauth/endpoint-paths.ts'

const path = z.string().min(1, 'must not be empty')

/** The schema of `paths`. What paths mean together is judged by {@link resolveConfiguredPaths}. */
export function createPathsSchema() {
  const members = Object.fromEntries(endpointNames.map((name) => [name, path.optional()]))
  return z.strictObject({
    base: path.optional(),
    ...(members as Record<EndpointName, z.ZodOptional<typeof path>>),
    aliases: z.record(path, z.enum(endpointNames)).optional(),
  })
}

/** The paths that the settings come to, or why they cannot be, continuing the words "paths". */
export function resolveConfiguredPaths(
  paths: EndpointPathOptions | undefined,
): { readonly paths: EndpointPaths } | { readonly problem: string } {
  try {
    return { paths: resolveEndpointPaths(paths) }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return { problem: `cannot be served: ${error.message}` }
  }
}
