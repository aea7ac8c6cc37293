/**
 * `configured-clients/self`: the ids of the clients that the configuration of any instance has described and
 * that are still registered. Kept for ever.
 *
 * A client that is described no longer stays until the owner removes it, and is reported at each start.
 */
import { defineRecord } from './record.ts'

/** Which clients come from a configuration. */
export interface ConfiguredClients {
  readonly ids: readonly string[]
}

export const configuredClients = defineRecord<ConfiguredClients>('configured-clients')
